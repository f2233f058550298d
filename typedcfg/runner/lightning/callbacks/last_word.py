"""The place in Lightning's order where an epoch's results are known."""

from lightning.pytorch.callbacks import Checkpoint

from typedcfg.runner.lightning.callbacks.listener import Listener


class LastWord(Listener, Checkpoint):
    """A callback whose epoch ends after the module's own.

    A module may log in its `on_train_epoch_end`. Lightning calls that after the callbacks', but for those that are a
    `Checkpoint`: to be one is the only way to see an epoch's last metrics.
    """
