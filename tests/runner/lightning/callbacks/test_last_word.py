import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint

from typedcfg.runner.failure import Preempted
from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.callbacks.pulse import Pulse
from typedcfg.runner.lightning.safe_load import load_safely

Saving = Callable[..., tuple[Trainer, CheckpointPolicy]]
Toy = type[LightningModule]


class Counting(Checkpoint):
    """Counts the epochs that have ended, and how often it was set up."""

    def __init__(self) -> None:
        self.epochs, self.setups = 0, 0

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:  # noqa: ARG002  # Lightning's signature
        self.setups += 1

    def on_train_epoch_end(self, *_: object) -> None:
        self.epochs += 1

    def state_dict(self) -> dict[str, Any]:
        return {"epochs": self.epochs}


def having(toy: Toy, *callbacks: Checkpoint) -> LightningModule:
    """A model with callbacks of its own, whose steps return a metric."""

    class Having(toy):  # type: ignore[misc,valid-type]  # the fixture's class
        def configure_callbacks(self) -> list[Checkpoint]:
            return list(callbacks)

        def training_step(self, batch: Any, *_: object) -> Any:
            loss = super().training_step(batch)
            return {"loss": loss, "metrics": {"epoch": float(self.current_epoch)}}

    return Having()


def saved_by(policy: CheckpointPolicy) -> object:
    return load_safely(policy.checkpoints.latest)["callbacks"]["Counting"]


def test_a_callback_of_the_model_s_own_has_ended_an_epoch_before_the_epoch_is_saved(
    tmp_path: Path, saving: Saving, toy: Toy
) -> None:
    trainer, policy = saving(tmp_path, 2)

    trainer.fit(having(toy, counting := Counting()))

    assert saved_by(policy) == {"epochs": 2}
    assert counting.setups == 1


def test_and_before_the_training_is_stopped_there(tmp_path: Path, saving: Saving, toy: Toy) -> None:
    trainer, policy = saving(tmp_path, 2, pulse := Pulse())
    pulse.save, module = policy.save, having(toy, Counting())
    module.on_train_epoch_end = partial(os.kill, os.getpid(), signal.SIGTERM)  # type: ignore[method-assign]  # before callbacks'

    with pytest.raises(Preempted):
        trainer.fit(module)

    assert saved_by(policy) == {"epochs": 1}


def test_what_steps_return_is_known_to_callbacks_that_come_before_it(tmp_path: Path, saving: Saving, toy: Toy) -> None:
    own = ModelCheckpoint(tmp_path / "own", filename="{epoch}", monitor="train/epoch", mode="min")
    trainer, _ = saving(tmp_path, 2)

    trainer.fit(having(toy, own))

    assert Path(own.best_model_path).name == "epoch=0.ckpt"
