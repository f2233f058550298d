"""Means of what steps return, over an epoch and over all ranks, without waiting for a device in each step."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import torch
from torch import Tensor

from typedcfg.errors import Problem, RunError

_AT_ONCE: Final = 50
"""Batches whose values are looked at together."""

Totals = dict[str, tuple[float, int]]
"""The sum of all values, each times its weight, and the sum of the weights; by name."""


class Means:
    """Means that grow batch by batch.

    Values stay where they are, and are looked at 50 batches at a time. They are added one by one, in their order, so
    that it makes no difference when they were looked at, for a checkpoint for one.

    Example:
        >>> means = Means()
        >>> means.add({"accuracy": torch.tensor(0.5)}, 3)
        >>> means.add({"accuracy": torch.tensor(1.0)}, 1)
        >>> mean_of([means.totals()])
        {'accuracy': 0.625}
    """

    def __init__(self, totals: Totals | None = None) -> None:
        """Begin with nothing, or go on from totals."""
        self._totals = dict(totals or {})
        self._kept: dict[str, list[tuple[Tensor | float, int]]] = {}
        self._batches = 0

    def add(self, values: Mapping[str, Tensor | float], weight: int) -> None:
        """Add one batch's values.

        Args:
            values: A number by its name, or a tensor that holds one.
            weight: How much they count, beside other batches' [samples].

        Raises:
            RunError: A value is no number.
        """
        for name, value in values.items():
            is_number = value.numel() == 1 if isinstance(value, Tensor) else isinstance(value, (int, float))
            if not is_number:
                raise RunError(_no_number(name, value))
            self._kept.setdefault(name, []).append((value, weight))
        self._batches += 1
        if self._batches % _AT_ONCE == 0:
            self._look()

    def totals(self) -> Totals:
        """What was added so far, as plain numbers."""
        self._look()
        return dict(self._totals)

    def _look(self) -> None:
        for name, kept in self._kept.items():
            tensors = [value for value, _ in kept if isinstance(value, Tensor)]
            numbers = iter(stacked(tensors).tolist() if tensors else [])
            total, weights = self._totals.get(name, (0.0, 0))
            for value, weight in kept:
                total += (next(numbers) if isinstance(value, Tensor) else value) * weight
                weights += weight
            self._totals[name] = total, weights
        self._kept = {}


def joined(of_ranks: Sequence[Totals]) -> Totals:
    """The totals of what all ranks added, in their order."""
    sums: Totals = {}
    for name, (part, weight) in (item for totals in of_ranks for item in totals.items()):
        total, weights = sums.get(name, (0.0, 0))
        sums[name] = total + part, weights + weight
    return sums


def mean_of(of_ranks: Sequence[Totals]) -> dict[str, float]:
    """The means of what all ranks added; of what has no weight there is none."""
    return {name: total / weights for name, (total, weights) in joined(of_ranks).items() if weights}


def stacked(values: Iterable[Tensor]) -> Tensor:
    """Tensors of one number each as one row."""
    # To reshape what has the shape already takes longer than all else that is done with it.
    return torch.stack([value.reshape(()) if value.ndim else value for value in values])


def loss_of(outputs: object) -> Tensor | None:
    """The loss among what Lightning says that a step returned, which it has detached; None where there is none."""
    # A dict first, which it is nearly always: to ask for an abstract class takes longer than all else here.
    loss = outputs.get("loss") if isinstance(outputs, (dict, Mapping)) else outputs
    return loss if isinstance(loss, Tensor) else None


def returned_metrics(outputs: object) -> Mapping[str, Tensor | float]:
    """What a step returned under `metrics`, beside its loss, detached; nothing where it did not.

    Raises:
        RunError: It is no mapping.
    """
    if not isinstance(outputs, dict) or "metrics" not in outputs:
        return {}
    found = outputs["metrics"]
    if not isinstance(found, Mapping):
        what = f"a step returned metrics that are a {type(found).__name__}"
        raise RunError(Problem(what, expected="a dict of numbers by name", fix="rename the key if it is another thing"))
    return {name: value.detach() if isinstance(value, Tensor) else value for name, value in found.items()}


def _no_number(name: str, value: object) -> Problem:
    shown = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
    return Problem(f"the metric {name} that a step returned is {shown}", expected="a number", fix="return its mean")
