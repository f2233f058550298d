"""The place in Lightning's order where an epoch's results are known, and the one behind all others."""

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from typing_extensions import override

from typedcfg.runner.lightning.callbacks.listener import Listener
from typedcfg.runner.lightning.unseen import callbacks_of


class LastWord(Listener, Checkpoint):
    """A callback whose epoch ends after the module's own.

    A module may log in its `on_train_epoch_end`. Lightning calls that after the callbacks', but for those that are a
    `Checkpoint`: to be one is the only way to see an epoch's last metrics.
    """


class AfterAll(LastWord):
    """A last word that comes behind every other callback's, those of the model's own among them.

    What a callback learns at the end of an epoch belongs into the epoch's checkpoint, and it must have been called
    before a training stops there. To Lightning one `Checkpoint` is like another: it leaves them in the order that they
    are given in, and puts what `configure_callbacks` returns behind them.
    """

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Go behind the others, in the order of those that do."""
        # Another list than the one that Lightning goes through just now: each is set up once.
        behind = sorted(callbacks_of(trainer), key=lambda callback: isinstance(callback, AfterAll))
        trainer.callbacks = behind  # type: ignore[attr-defined]  # set by a connector
