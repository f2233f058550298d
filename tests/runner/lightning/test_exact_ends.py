"""A training that was killed behind its last checkpoint, and is over when it goes on: it ends as others do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging, StochasticWeightAveraging, WeightAveraging
from torch import Tensor, nn

from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.exact import ExactState
from typedcfg.runner.lightning.seeds import seed_all

Saving = Callable[..., tuple[Trainer, CheckpointPolicy]]
Toy = type[LightningModule]
Told = list[tuple[int, int, list[float], list[Tensor]]]


class Tells(Callback):
    """What there is to be seen where a training ends."""

    def __init__(self) -> None:
        self.told: Told = []

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        rates = [group["lr"] for group in trainer.optimizers[0].param_groups]
        self.told.append((trainer.current_epoch, trainer.global_step, rates, weights(pl_module)))


def weights(module: LightningModule) -> list[Tensor]:
    return [value.clone() for value in module.state_dict().values()]


def normalized(toy: Toy) -> LightningModule:
    class Normalized(toy):  # type: ignore[misc,valid-type]  # the fixture's class
        def __init__(self) -> None:
            super().__init__()
            self.layers.append(nn.BatchNorm1d(1))

    return Normalized()


def swa() -> Callback:
    return StochasticWeightAveraging(swa_lrs=0.01, swa_epoch_start=1)


Ending = tuple[Callable[[Toy], LightningModule], Callable[[], list[Callback]], dict[str, Any]]
ENDS: dict[str, Ending] = {
    "after its epochs": (lambda toy: toy(), list, {}),
    "after max_steps": (lambda toy: toy(), list, {"max_steps": 8}),
    "after max_steps amid an epoch": (lambda toy: toy(), list, {"max_steps": 9}),
    "stopped early": (lambda toy: toy(), lambda: [EarlyStopping("val/loss", patience=0, mode="max")], {}),
    "a plateau": (lambda toy: toy(plateau=True), list, {}),
    "averaged": (lambda toy: toy(), lambda: [WeightAveraging()], {}),
    "averaged, moving": (lambda toy: toy(), lambda: [EMAWeightAveraging(decay=0.9)], {}),
    "averaged, stochastic": (lambda toy: toy(), lambda: [swa()], {}),
    "averaged, stochastic, normalized": (normalized, lambda: [swa()], {}),
}


@pytest.mark.parametrize("ending", ENDS.values(), ids=ENDS)
def test_a_training_that_is_over_at_a_resume_ends_as_one_that_was_not_disturbed(
    ending: Ending, tmp_path: Path, saving: Saving, toy: Toy
) -> None:
    make, others, options = ending

    def fit(name: str, path: Path | None = None) -> tuple[Told, list[Tensor], Path]:
        seed_all(1 if path is None else 5)
        trainer, policy = saving(tmp_path / name, 3, ExactState(seed=1), *others(), tells := Tells(), **options)
        trainer.fit(module := make(toy), ckpt_path=path)
        found = policy.find_resumable()
        return tells.told, weights(module), found.path if found else tmp_path

    (expected,), ended, last = fit("whole")
    ends, again, _ = fit("again", last)

    assert [told[:3] for told in ends] == [expected[:3]]
    assert all(map(torch.equal, ends[0][3], expected[3]))
    assert all(map(torch.equal, again, ended))


def test_a_training_without_batches_has_no_end(tmp_path: Path, saving: Saving, toy: Toy) -> None:
    trainer, policy = saving(tmp_path, 3, ExactState(seed=1))
    trainer.fit(toy())
    verified = policy.find_resumable()
    assert verified is not None

    again, _ = saving(tmp_path, 3, ExactState(seed=1), tells := Tells(), limit_train_batches=0)
    again.fit(toy(), ckpt_path=verified.path)

    assert tells.told == []
