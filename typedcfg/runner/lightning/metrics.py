"""What a module logged, by split."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from lightning.pytorch import Trainer
from torch import Tensor

_STAGES: Final = ("train", "val", "valid", "validate", "validation", "test", "predict")

_LOADER: Final = "/dataloader_idx_"


class FreshMetrics:
    """Tells what was logged since it was last asked.

    `trainer.callback_metrics` keeps the metrics of all epochs before: in an epoch without validation it still shows
    the last one's, and a record would pass them off as measured again. But each metric that was logged anew is a new
    tensor there, and one that was not is the old tensor.
    """

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._seen: dict[str, Tensor] = {}

    def take(self, trainer: Trainer) -> dict[str, float]:
        """The metrics that were logged since the last call, by the name they were logged under."""
        metrics = dict(trainer.callback_metrics)
        fresh = {name: metrics[name] for name in self.unseen(trainer)}
        self._seen = metrics
        # What is logged per step and per epoch appears as `loss`, `loss_step`, `loss_epoch`; `loss` is the epoch's.
        forks = {f"{name}{fork}" for name in metrics for fork in ("_step", "_epoch")}
        return {name: float(value) for name, value in fresh.items() if name not in forks}

    def unseen(self, trainer: Trainer) -> list[str]:
        """The names under which something was logged since the last call of `take`."""
        return [name for name, value in trainer.callback_metrics.items() if value is not self._seen.get(name)]

    def see(self, trainer: Trainer, *, but: Collection[str]) -> None:
        """Take for seen what is there, as a resume brought it back, but for some names."""
        self._seen = {name: value for name, value in trainer.callback_metrics.items() if name not in but}


def reduce_logged(trainer: Trainer) -> None:
    """Let all ranks put together, here at the latest, what they logged in an epoch that ends.

    Lightning does so where it is first asked for a metric: its bar asks on rank 0 alone, which then waits until the
    other ranks ask too. Whoever has the ranks exchange anything else there calls this before.
    """
    _ = trainer.callback_metrics


def by_split(metrics: Mapping[str, float], stage: str) -> dict[str, dict[str, float]]:
    """Metrics sorted into splits by their names.

    What stands before the first `/` is the split: `val/accuracy`. `val_accuracy` is read the same where the first
    word is one of Lightning's stages. Any other name belongs to the stage it was logged in. What Lightning puts behind
    a name to tell several loaders apart, `/dataloader_idx_0`, stays with the metric.

    Args:
        metrics: Values by the name they were logged under.
        stage: The stage they were logged in: `train`, `val` or `test`.

    Example:
        >>> by_split({"val/loss": 0.5, "val_accuracy": 0.9, "lr": 0.1}, "train")
        {'val': {'loss': 0.5, 'accuracy': 0.9}, 'train': {'lr': 0.1}}
    """
    splits: dict[str, dict[str, float]] = {}
    for name, value in metrics.items():
        given, mark, loader = name.partition(_LOADER)
        split, separator, metric = given.partition("/")
        if not separator:
            word, _, rest = given.partition("_")
            split, metric = (word, rest) if word in _STAGES and rest else (stage, given)
        splits.setdefault(split, {})[f"{metric}{mark}{loader}"] = value
    return splits


def batch_length(batch: Any) -> int | None:
    """How many samples a batch holds, by its first tensor; None where it has none."""
    if isinstance(batch, Tensor):
        return batch.shape[0] if batch.ndim else 1
    parts = batch if isinstance(batch, (list, tuple)) else batch.values() if isinstance(batch, Mapping) else ()
    for part in parts:
        if (length := batch_length(part)) is not None:
            return length
    return None
