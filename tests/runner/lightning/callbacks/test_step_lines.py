import io
import re
from collections.abc import Callable
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from torch import Tensor

from typedcfg.runner.lightning.callbacks.step_lines import StepLines

MakeTrainer = Callable[..., Trainer]


def lines_of(make: MakeTrainer, module: LightningModule, *, epochs: int = 1, **options: Any) -> list[str]:
    stream = io.StringIO()
    make(epochs, StepLines(stream=stream, **options)).fit(module)
    return stream.getvalue().splitlines()


def test_lines_tell_of_progress_within_an_epoch(trainer: MakeTrainer, toy: type[LightningModule]) -> None:
    lines = lines_of(trainer, toy(), interval=2)

    assert [re.sub(r"loss .*", "loss", line) for line in lines] == ["train 2/4  loss", "train 4/4  loss", "val 2/2"]


def test_what_is_logged_per_step_is_shown(trainer: MakeTrainer, toy: type[LightningModule]) -> None:
    class Telling(toy):  # type: ignore[misc, valid-type]  # a class that only a fixture knows
        def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
            self.log("train/place", float(batch_idx), on_step=True, on_epoch=False)
            return self.layers(batch[0]).sum()  # type: ignore[no-any-return]  # as above

    assert lines_of(trainer, Telling(), interval=3, epochs=2) == ["train 3/4  train/place 2"] * 2


def test_what_a_step_returns_is_shown(trainer: MakeTrainer, toy: type[LightningModule]) -> None:
    class Returning(toy):  # type: ignore[misc, valid-type]  # a class that only a fixture knows
        def training_step(self, batch: list[Tensor], *_: object) -> Any:
            return {"loss": (loss := self.layers(batch[0]).sum()), "metrics": {"twice": 2 * loss / loss}}

    assert lines_of(trainer, Returning(), interval=4) == ["train 4/4  twice 2"]


def test_a_short_epoch_has_no_lines_of_its_own_accord(trainer: MakeTrainer, toy: type[LightningModule]) -> None:
    assert lines_of(trainer, toy()) == []


def test_a_loss_of_each_sample_is_no_number_to_show(trainer: MakeTrainer, toy: type[LightningModule]) -> None:
    class ByItself(toy):  # type: ignore[misc, valid-type]  # a class that only a fixture knows
        automatic_optimization = False

        def training_step(self, batch: list[Tensor], *_: object) -> Any:
            return {"loss": self.layers(batch[0]).sum(dim=1)}

    assert lines_of(trainer, ByItself(), interval=4) == ["train 4/4"]
