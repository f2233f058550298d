"""Where in an epoch a training can be saved, to go on exactly."""

from lightning.pytorch import Trainer


def is_step_boundary(trainer: Trainer) -> bool:
    """Whether the batch that ends now leaves a state from which the training can go on exactly.

    Not among batches whose gradients make one step together. And not where a validation or the epoch's end follows,
    which a resume would leave out: the next step is as good, or the epoch's own checkpoint.
    """
    loop = trainer.fit_loop.epoch_loop
    fetcher = trainer.fit_loop._data_fetcher  # noqa: SLF001  # Lightning has no public word for it
    assert fetcher is not None, "a batch was fetched"
    ends = loop._is_training_done or (trainer.should_stop and trainer.fit_loop._can_stop_early)  # noqa: SLF001  # nor for these
    return not (ends or loop._should_accumulate() or loop._should_check_val_fx(fetcher))  # noqa: SLF001  # nor for these
