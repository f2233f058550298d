"""The steps of plateau schedulers that a checkpoint comes before."""

from collections.abc import Sequence

from lightning.pytorch import LightningModule, Trainer


def pending_plateaus(trainer: Trainer) -> list[float | None]:
    """The metric that each plateau scheduler steps on after this checkpoint; None where none does.

    Lightning steps them after the hooks of a batch's or an epoch's end, and so after the checkpoints that these
    write, and not at a resume.
    """
    loop = trainer.fit_loop.epoch_loop
    epochs, batches = trainer.fit_loop.epoch_progress.current, loop.batch_progress.current
    is_pending = {
        # Where max_steps ends an epoch early Lightning takes none.
        "epoch": epochs.processed > epochs.completed  # type: ignore[attr-defined]  # declared as its base class
        and loop._num_ready_batches_reached(),  # noqa: SLF001  # Lightning has no public word for it
        # Behind a validation Lightning takes the step at a resume too.
        "step": batches.ready == batches.processed > batches.completed  # type: ignore[attr-defined]  # as above
        and not loop._should_accumulate(),  # noqa: SLF001  # nor for it
    }
    number = {"epoch": trainer.current_epoch + 1, "step": batches.ready}
    pending: list[float | None] = []
    for config in trainer.lr_scheduler_configs:
        is_due = is_pending[config.interval] and number[config.interval] % config.frequency == 0
        metric = trainer.callback_metrics.get(config.monitor or "") if config.reduce_on_plateau else None
        pending.append(float(metric) if is_due and metric is not None else None)
    return pending


def step_plateaus(pending: Sequence[float | None], trainer: Trainer, module: LightningModule) -> None:
    """Take the steps that were pending."""
    for config, value in zip(trainer.lr_scheduler_configs, pending, strict=False):
        if value is not None:
            module.lr_scheduler_step(config.scheduler, value)
