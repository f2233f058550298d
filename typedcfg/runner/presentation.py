"""How results read as a line of text, for a person who looks over a log."""

from collections.abc import Mapping
from typing import Final

from typedcfg.records.result_record import Result

_APART: Final = "  "
_LONG: Final = 100
_UNTOLD: Final = 1000


def format_metrics(metrics: Mapping[str, float]) -> str:
    """Metrics as one text.

    Example:
        >>> format_metrics({"loss": 0.51229, "accuracy": 0.9})
        'loss 0.5123  accuracy 0.9'
    """
    return _APART.join(f"{name} {value:.4g}" for name, value in metrics.items())


def format_epoch(epoch: int, epochs: int | None) -> str:
    """An epoch by its number.

    Args:
        epoch: Its number, from 1.
        epochs: How many there will be; None where something else ends the training.

    Example:
        >>> format_epoch(3, 10)
        'epoch 3/10'
    """
    return f"epoch {_of(epoch, epochs)}"


def format_epoch_result(result: Result, epochs: int | None, *, is_best: bool) -> str:
    """What an epoch measured, split by split.

    Args:
        result: The epoch's.
        epochs: How many there will be; None where something else ends the training.
        is_best: Whether no epoch was better so far.

    Example:
        >>> result = Result(epoch=3, step=120, splits={"val": {"loss": 0.49871}, "train": {"loss": 0.51229}})
        >>> format_epoch_result(result, 10, is_best=True)
        'epoch 3/10  step 120  train/loss 0.5123  val/loss 0.4987  best'
    """
    metrics = {f"{split}/{name}": value for split, found in result.splits.items() for name, value in found.items()}
    parts = [format_epoch(result.epoch, epochs), f"step {result.step}", format_metrics(metrics)]
    return _APART.join([part for part in parts if part] + ["best"] * is_best)


def format_step_result(split: str, batch: int, batches: int | None, metrics: Mapping[str, float]) -> str:
    """How far an epoch has come in one split.

    Args:
        split: Which.
        batch: Batches done, from 1.
        batches: How many there are; None where nothing tells.
        metrics: What the last one measured.

    Example:
        >>> format_step_result("train", 30, 100, {"loss": 0.12349})
        'train 30/100  loss 0.1235'
    """
    return _APART.join(part for part in (f"{split} {_of(batch, batches)}", format_metrics(metrics)) if part)


def log_interval_of(batches: Mapping[str, int | None], interval: int | None = None) -> int | None:
    """After how many batches a line of progress is due: what was asked for, else a tenth of the longest split.

    An epoch that is shorter than a hundred batches gets no line of its own accord: the epoch's is enough.

    Args:
        batches: How many batches each split has; None where nothing tells, which counts as a thousand.
        interval: What was asked for.

    Example:
        >>> log_interval_of({"train": 2000, "val": 300})
        200
        >>> log_interval_of({"train": 40}) is None
        True
    """
    longest = max((_UNTOLD if length is None else length for length in batches.values()), default=0)
    return interval or (longest // 10 if longest >= _LONG else None)


def _of(number: int, total: int | None) -> str:
    return f"{number}/{total}" if total else f"{number}"
