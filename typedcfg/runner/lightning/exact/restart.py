"""Where Lightning takes a training up again."""

from lightning.pytorch import Trainer


def begin_next_epoch(trainer: Trainer) -> None:
    """Leave an epoch that had ended when it was saved behind.

    With `max_steps` Lightning enters it once more: no batch is left, but all hooks of its end are called again, and the
    next epoch is counted as the one after it. And it begins to load the next one before `on_train_epoch_start`, which
    may tell a data set its epoch: workers would not hear of it.
    """
    loop = trainer.fit_loop
    if loop.restarted_mid_epoch or loop.restarted_on_epoch_start:
        return
    loop._resuming_from_checkpoint = False  # noqa: SLF001  # set at a load alone, and decides who begins to load
    if not loop.restarting:
        return
    if loop.restarted_on_epoch_end:
        loop.epoch_progress.increment_completed()
    loop._restarting = False  # noqa: SLF001  # the property says otherwise with `max_steps`, whatever it is set to
    loop.epoch_loop.restarting = False  # and those within it
    for part in (loop, loop.epoch_loop, loop.epoch_loop.val_loop):
        part.reset_restart_stage()


def end_epoch_as_others(trainer: Trainer) -> None:
    """Let plateau schedulers step at the end of the epoch that goes on.

    After a resume Lightning lets them not, as what they look at may be lost: once that is restored, they can. Nothing
    else that comes later asks for it: the epoch's batches, and its validation, do for themselves.
    """
    trainer.fit_loop._restarting = False  # noqa: SLF001  # the property would tell the loops within it too
