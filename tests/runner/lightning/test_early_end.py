from collections.abc import Callable
from typing import Any

import pytest
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping
from typing_extensions import override

from typedcfg.runner.lightning.callbacks.sample_limit import SampleLimit
from typedcfg.runner.lightning.early_end import why_ended_early


class StopIn(Callback):
    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        trainer.should_stop = trainer.current_epoch + 1 == self.epoch


@pytest.mark.parametrize(
    ("callbacks", "told"),
    [
        ([], ""),
        ([StopIn(2)], "the model or a callback set trainer.should_stop"),
        ([StopIn(3)], ""),
        ([SampleLimit(32)], ""),
    ],
    ids=["nobody", "somebody", "at the end", "by plan"],
)
def test_who_ended_a_training_early_is_known(
    callbacks: list[Any], told: str, trainer: Callable[..., Trainer], toy: type[LightningModule]
) -> None:
    ended = trainer(3, *callbacks)

    ended.fit(toy())

    assert why_ended_early(ended) == told


def test_an_early_stopping_tells_why(trainer: Callable[..., Trainer], toy: type[LightningModule]) -> None:
    ended = trainer(9, EarlyStopping("val/loss", stopping_threshold=1e9))

    ended.fit(toy())

    why = why_ended_early(ended)
    assert why.startswith("EarlyStopping: Stopping threshold reached: val/loss = ")
    assert "Signaling" not in why
