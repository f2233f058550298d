"""The place in Lightning's order where a training batch is over."""

from typing import Any, Final

from lightning.pytorch import LightningModule, Trainer
from typing_extensions import override

from typedcfg.runner.lightning.callbacks.followed import Followed, follow, put_back
from typedcfg.runner.lightning.callbacks.listener import Listener
from typedcfg.runner.lightning.unseen import callbacks_of

_HOOK: Final = "on_train_batch_end"


class AfterBatch(Listener):
    """A callback that is called after a batch, when the module's own `on_train_batch_end` is done too.

    Lightning calls the callbacks' first and the module's last, and at a resume neither once more: a checkpoint written
    by a callback's would miss what the module's does, to averaged weights for one. No hook comes behind it. So for the
    length of a training the module's is followed by these, in the order of the trainer's callbacks.
    """

    def after_batch(self, trainer: Trainer, outputs: Any, batch_idx: int) -> None:
        """Do what is to be done when a batch is over.

        Args:
            trainer: Who trains.
            outputs: What the step returned.
            batch_idx: The batch's number in its epoch, from 0.
        """

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Follow the module's hook; here and not before, for a module may set it in its `setup`."""
        if isinstance(pl_module.on_train_batch_end, Followed):
            return  # another one of these has seen to it
        followers = [callback for callback in callbacks_of(trainer) if isinstance(callback, AfterBatch)]

        def call(outputs: Any, _batch: Any, batch_idx: int) -> None:
            for follower in followers:
                follower.after_batch(trainer, outputs, batch_idx)

        follow(pl_module, _HOOK, call)

    @override
    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Put the module's hook back."""
        put_back(pl_module, _HOOK)

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Put the module's hook back: Lightning tears nothing down after an error."""
        put_back(pl_module, _HOOK)


def is_batch_over(module: LightningModule) -> bool:
    """Whether the module's `on_train_batch_end` is done for the batch in hand."""
    hook = module.on_train_batch_end
    return isinstance(hook, Followed) and hook.is_done
