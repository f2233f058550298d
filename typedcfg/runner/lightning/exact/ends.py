"""The end of a training that finds itself over at a resume: it was killed behind its last checkpoint."""

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import StochasticWeightAveraging

from typedcfg.runner.lightning.unseen import callbacks_of


def end_if_over(trainer: Trainer) -> None:
    """Begin and end a training that Lightning left alone, as all its steps were taken before.

    Lightning calls none of its hooks then, and `on_train_end` is where averaged weights are put into the model, and
    people write what they keep.
    """
    loop = trainer.fit_loop
    if loop.max_batches == 0 or trainer.limit_train_batches == 0:
        return  # it never trained
    _spare_averaging(trainer)
    loop.reset()
    loop.on_run_start()
    # As between two epochs: asked whether it is done, Lightning counts the last one as completed.
    assert loop.done, "it was left for that"
    loop.on_run_end()


def _spare_averaging(trainer: Trainer) -> None:
    """Let a callback put back what it changed for an epoch that is over: it changed nothing in this process."""
    for callback in callbacks_of(trainer):
        if isinstance(callback, StochasticWeightAveraging):
            callback._accumulate_grad_batches = trainer.accumulate_grad_batches  # noqa: SLF001  # fails without
