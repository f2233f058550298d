"""The steps of plateau schedulers that a checkpoint comes before."""

from collections.abc import Iterator, Sequence

from lightning.pytorch import LightningModule, Trainer

from typedcfg.runner.lightning.unseen import current_of


def pending_plateaus(trainer: Trainer) -> list[float | None]:
    """The metric that each plateau scheduler steps on after this checkpoint; None where none does.

    Lightning steps them after the hooks of a batch's or an epoch's end, and so after the checkpoints that these
    write, and not at a resume.
    """
    metrics = trainer.callback_metrics
    return [
        float(metrics[config.monitor]) if is_due and config.monitor in metrics else None
        for config, is_due in zip(trainer.lr_scheduler_configs, _due(trainer), strict=True)
    ]


def doubts_of_plateaus(trainer: Trainer) -> Iterator[str]:
    """Steps after this checkpoint that have no metric: Lightning fails there, and a resume leaves them out."""
    for config, is_due in zip(trainer.lr_scheduler_configs, _due(trainer), strict=True):
        if is_due and config.strict and config.monitor not in trainer.callback_metrics:
            name = type(config.scheduler).__name__
            yield f"{name} was to step on {config.monitor}, which nothing had measured, and that step is left out"


def _due(trainer: Trainer) -> Iterator[bool]:
    """Whether each scheduler is a plateau's, and steps after this checkpoint."""
    loop = trainer.fit_loop.epoch_loop
    epochs, batches = current_of(trainer.fit_loop.epoch_progress), current_of(loop.batch_progress)
    is_pending = {
        # Where max_steps ends an epoch early Lightning takes none.
        "epoch": epochs.processed > epochs.completed and loop._num_ready_batches_reached(),  # noqa: SLF001  # Lightning has no public word for it
        # Behind a validation Lightning takes the step at a resume too.
        "step": batches.ready == batches.processed > batches.completed and not loop._should_accumulate(),  # noqa: SLF001  # nor for it
    }
    number = {"epoch": trainer.current_epoch + 1, "step": batches.ready}
    for config in trainer.lr_scheduler_configs:
        is_due = is_pending[config.interval] and number[config.interval] % config.frequency == 0
        yield config.reduce_on_plateau and is_due


def step_plateaus(pending: Sequence[float | None], trainer: Trainer, module: LightningModule) -> None:
    """Take the steps that were pending."""
    for config, value in zip(trainer.lr_scheduler_configs, pending, strict=False):
        if value is not None:
            module.lr_scheduler_step(config.scheduler, value)
