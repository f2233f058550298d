"""The place in Lightning's order where a training batch is over."""

from typing import Any, Final

from lightning.pytorch import LightningModule, Trainer
from typing_extensions import override

from typedcfg.runner.lightning.callbacks.listener import Listener

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
        if not isinstance(pl_module.on_train_batch_end, _Followed):
            pl_module.on_train_batch_end = _Followed(trainer, pl_module)  # type: ignore[method-assign]  # put back below

    @override
    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Put the module's hook back."""
        _put_back(pl_module)

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Put the module's hook back: Lightning tears nothing down after an error."""
        _put_back(pl_module)


def is_batch_over(module: LightningModule) -> bool:
    """Whether the module's `on_train_batch_end` is done for the batch in hand."""
    hook = module.on_train_batch_end
    return isinstance(hook, _Followed) and hook.is_done


class _Followed:
    """A module's hook, and the callbacks that come after it."""

    def __init__(self, trainer: Trainer, module: LightningModule) -> None:
        self.trainer = trainer
        callbacks = trainer.callbacks  # type: ignore[attr-defined]  # set by a connector, unseen by mypy
        self.followers = [callback for callback in callbacks if isinstance(callback, AfterBatch)]
        self.own = vars(module).get(_HOOK)
        """What was set on the module itself, rather than in its class."""
        self.is_done = False
        self.__wrapped__ = module.on_train_batch_end  # by which Lightning tells whether a hook is overridden

    def __call__(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.__wrapped__(outputs, batch, batch_idx)
        self.is_done = True
        try:
            for follower in self.followers:
                follower.after_batch(self.trainer, outputs, batch_idx)
        finally:
            self.is_done = False

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy of the module, pickled or deep, has the hook alone."""
        return _alone, (self.__wrapped__,)


def _alone(hook: object) -> object:
    return hook


def _put_back(module: LightningModule) -> None:
    hook = module.on_train_batch_end
    if not isinstance(hook, _Followed):
        return
    if hook.own is None:
        delattr(module, _HOOK)
    else:
        setattr(module, _HOOK, hook.own)
