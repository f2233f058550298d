"""Learning rates that follow the number of samples in a step."""

from typedcfg.sections.trainer import Trainer


def processes(trainer: Trainer) -> int:
    """How many processes train together, each with a batch of its own."""
    return trainer.devices * trainer.num_nodes


def batch_size_equivalent(batch_size: int, trainer: Trainer) -> int:
    """Samples in one optimizer step: of all batches that it gathers, on all devices.

    Example:
        >>> batch_size_equivalent(128, Trainer(devices=2, accumulate_grad_batches=4))
        1024
    """
    return batch_size * processes(trainer) * trainer.accumulate_grad_batches


def scale_lr(lr: float, batch_size: int, trainer: Trainer, *, base: int = 256) -> float:
    """A learning rate that was found for steps of `base` samples, for the steps of this training.

    Args:
        lr: The rate for `base` samples.
        batch_size: Samples in a batch of one device.
        trainer: The section, or the view of it that a formula has: `c.root.trainer`.
        base: Samples in a step that `lr` was found for.

    Example:
        >>> from typedcfg import Experiment, derived
        >>> class Digits(Experiment):
        ...     batch_size: int = 128
        ...     lr: float = derived(lambda c: scale_lr(0.1, c.batch_size, c.trainer))
        >>> Digits.compile(overrides=["trainer.devices=4"]).lr
        0.2

    Source:
        Goyal et al. 2017, Accurate, Large Minibatch SGD, section 2.1: the linear scaling rule.
    """
    return lr * batch_size_equivalent(batch_size, trainer) / base
