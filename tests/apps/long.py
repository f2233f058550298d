"""An experiment that takes its time, says how far it is, and stands still where it is told to."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tiny import Tiny, _data, _model  # type: ignore[import-not-found]  # beside it, wherever a test copies both

from typedcfg import NotInIdentity, section
from typedcfg.sections.trainer import Trainer

if TYPE_CHECKING:
    from lightning.pytorch import LightningDataModule, LightningModule

PAUSE_S = 0.05
_SAMPLES = 160
"""So many that an epoch of two ranks takes a second: who stops in a validation is not saved anew."""


class Long(Tiny):  # type: ignore[misc]  # as above
    """Ten epochs; a file `train.0` beside the current folder says how many rank 0 has begun."""

    trainer: Trainer = section(Trainer, max_epochs=10, accelerator="cpu")
    pause_s: Annotated[float, NotInIdentity()] = PAUSE_S
    hang_at: Annotated[int | None, NotInIdentity()] = None

    def build_model(self) -> "LightningModule":
        tell("build", 0)
        return _slow(self)

    def build_data(self) -> "LightningDataModule":
        time.sleep(10 * self.pause_s)
        return _data(_SAMPLES)  # type: ignore[no-any-return]  # as above


def tell(stage: str, count: int) -> None:
    """Say how far this rank is."""
    name = f"{stage}.{os.environ.get('RANK', '0')}"
    Path(f"{name}.new").write_text(f"{os.getpid()} {count}")
    Path(f"{name}.new").rename(name)


def _slow(config: Long) -> "LightningModule":
    model: Any = _model(config)
    train, validate = model.training_step, model.validation_step

    def training_step(batch: Any, *_: object) -> Any:
        tell("train", model.global_step)
        time.sleep(3600 if config.hang_at == model.global_step and model.global_rank == 1 else config.pause_s)
        return train(batch)

    def validation_step(batch: Any, *_: object) -> None:
        if not model.trainer.sanity_checking:
            tell("validate", model.global_step)
            time.sleep(10 * config.pause_s)
        validate(batch)

    model.training_step, model.validation_step = training_step, validation_step
    return model  # type: ignore[no-any-return]  # made by a function of another app
