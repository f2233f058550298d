"""What hooks that come before a training's first batch, or beside its batches, must not change at a resume."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchmetrics import MinMetric

from typedcfg.records.checkpoint_record import committed
from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.exact import ExactState
from typedcfg.runner.lightning.seeds import seed_all

Saving = Callable[..., tuple[Trainer, CheckpointPolicy]]
Toy = type[LightningModule]
Make = Callable[[Toy], LightningModule]


def state(module: LightningModule) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def sets(toy: Toy, hook: str) -> LightningModule:
    """One that, in a hook before its first batch, does all that a hook may do to it once more at a resume."""

    class Setting(toy):  # type: ignore[misc,valid-type]  # the fixture's class
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.zeros(4))
            self.lowest = MinMetric()

        def training_step(self, batch: list[Tensor], *_: object) -> Any:
            self.mean.lerp_(batch[0].mean(0), 0.1)
            return super().training_step([batch[0] - self.mean])

        def on_train_epoch_end(self) -> None:
            self.lowest(self.trainer.callback_metrics["val/loss"])
            self.log("lowest", self.lowest.compute())

    def set_all(*_: object) -> None:
        module.mean.zero_()
        nn.init.ones_(module.layers[2].bias)
        module.lowest.reset()
        torch.randn(3)

    module = Setting()
    setattr(module, hook, set_all)
    return module


def counts_validations(toy: Toy) -> LightningModule:
    class Counting(toy):  # type: ignore[misc,valid-type]  # as above
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("validations", torch.zeros(()))

        def on_validation_end(self) -> None:
            self.validations += 1

    return Counting()


def draws_for_the_checkpoint(toy: Toy) -> LightningModule:
    class Drawing(toy):  # type: ignore[misc,valid-type]  # as above
        def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            checkpoint["drawn"] = torch.randn(2)

    return Drawing()


def is_built_late(toy: Toy) -> LightningModule:
    class Late(toy):  # type: ignore[misc,valid-type]  # as above
        def setup(self, stage: str) -> None:  # noqa: ARG002  # Lightning's signature
            self.layers = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))

    return Late()


class Epochs(Dataset[Tensor]):
    """Gives the epoch that it was told."""

    epoch = 0

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> Tensor:
        return torch.tensor(self.epoch)


class Draws(Callback):
    def on_train_start(self, *_: object) -> None:
        torch.randn(3)


MODELS: dict[str, tuple[Make, dict[str, Any]]] = {
    "sets what it has on_train_start": (lambda toy: sets(toy, "on_train_start"), {}),
    "sets what it has on_fit_start": (lambda toy: sets(toy, "on_fit_start"), {}),
    "has a callback that draws": (lambda toy: toy(), {"callbacks": [Draws()]}),
    "counts validations": (counts_validations, {}),
    "draws for the checkpoint": (draws_for_the_checkpoint, {}),
    "double": (lambda toy: toy(), {"precision": "64-true"}),
    "double, built late": (is_built_late, {"precision": "64-true"}),
    "bf16": (lambda toy: toy(), {"precision": "bf16-true"}),
}


@pytest.mark.parametrize(("make", "options"), MODELS.values(), ids=MODELS)
def test_a_training_saved_at_each_step_and_resumed_from_any_is_bitwise_one_that_is_not(
    make: Make, options: dict[str, Any], tmp_path: Path, saving: Saving, toy: Toy
) -> None:
    def fit(name: str, path: Path | None = None, **keep: Any) -> Any:
        seed_all(1 if path is None else 5)
        callbacks = options.get("callbacks", [])
        settings = {key: value for key, value in options.items() if key != "callbacks"}
        trainer, policy = saving(tmp_path / name, 2, exact := ExactState(seed=1), *callbacks, keep=keep, **settings)
        trainer.fit(module := make(toy), ckpt_path=path, weights_only=True if path else None)
        assert exact.not_bitwise_because == ()
        results = {epoch: result.splits for epoch, result in policy.recorder.results.items()}
        return state(module), results, policy.checkpoints.path

    expected, results, _ = fit("whole")
    saved, _, folder = fit("saved", every_n_steps=1, keep_last=99)
    assert all(map(torch.equal, saved.values(), expected.values()))

    for path, manifest in list(committed(folder).items())[:-1]:
        resumed, measured, _ = fit(path.stem, path)

        assert all(map(torch.equal, resumed.values(), expected.values())), path.name
        assert measured == {epoch: splits for epoch, splits in results.items() if epoch > manifest.epoch}


def test_a_hook_of_whatever_make_may_come_before_the_first_batch(tmp_path: Path, saving: Saving, toy: Toy) -> None:
    def fit(epochs: int, path: Path | None = None) -> tuple[Trainer, CheckpointPolicy]:
        module, noted = toy(), list[object]()
        module.on_train_start = noted.clear  # type: ignore[method-assign]  # of no module
        trainer, policy = saving(tmp_path, epochs, ExactState(seed=1), num_sanity_val_steps=1)
        trainer.fit(module, ckpt_path=path)
        assert module.on_train_start == noted.clear
        return trainer, policy

    _, policy = fit(1)
    again, _ = fit(2, policy.find_resumable().path)  # type: ignore[union-attr]  # one was saved

    assert again.num_sanity_val_steps == 1


@pytest.mark.parametrize("options", [{}, {"max_steps": 6}], ids=["by epochs", "by steps"])
@pytest.mark.parametrize("workers", [0, 1])
def test_what_an_epoch_begins_with_by_telling_a_data_set_is_loaded_after_a_resume(
    workers: int, options: dict[str, Any], tmp_path: Path, saving: Saving, toy: Toy
) -> None:
    class Telling(toy):  # type: ignore[misc,valid-type]  # the fixture's class
        def __init__(self) -> None:
            super().__init__()
            self.data, self._seen = Epochs(), list[int]()

        def train_dataloader(self) -> DataLoader[Tensor]:
            return DataLoader(self.data, 4, num_workers=workers)

        def on_train_epoch_start(self) -> None:
            self.data.epoch = self.current_epoch

        def training_step(self, batch: Tensor, *_: object) -> Any:
            self._seen += batch.tolist()
            return super().training_step([torch.ones(4, 4)])

    saving(tmp_path, 1, ExactState(seed=1))[0].fit(Telling())
    trainer, policy = saving(tmp_path, 3, exact := ExactState(seed=1), **options)
    trainer.fit(again := Telling(), ckpt_path=policy.find_resumable().path)  # type: ignore[union-attr]  # one was saved

    assert again._seen == 8 * [1] + 8 * [2]
    assert exact.not_bitwise_because == ()
