"""Buckets in which DDP sums gradients: three ranks or more add up in an order that depends on a gradient's place."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any, Final, TypeAlias

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

Buckets: TypeAlias = list[list[int]]
"""Of each bucket, the numbers of its parameters, as DDP counts them."""

_Make: TypeAlias = Callable[[nn.Module], DistributedDataParallel]

_ALIKE: Final = 2
"""How many ranks add up to the same in any order."""
_ASSIGN: Final = "_compute_bucket_assignment_by_size"
"""Whom DDP asks for its first buckets; it has no option for them."""
_REBUILT: Final = "rebuilt_per_bucket_param_indices"
"""Under what name it tells those that it made later."""


class GradientBuckets:
    """Lets a resumed training sum gradients in the buckets in which the training that was saved would have done.

    DDP begins with buckets in the order of the model's definition, and makes others after the first backward pass of a
    process, in the order in which gradients became ready. Left alone, a resumed training has the former in its first
    step, and one that goes on the latter.
    """

    def __init__(self) -> None:
        self._saved: Buckets | None = None
        self._begun: Buckets | None = None
        self._is_told = True

    def begin(self, trainer: Trainer) -> None:
        """Let DDP begin as it does by itself, whatever an earlier fit was to begin with."""
        self._saved, self._begun, self._is_told = None, None, True
        _put_back(trainer)

    def capture(self, trainer: Trainer) -> Buckets | None:
        """Those of the next step; None where DDP begins with them by itself. All ranks ask at once."""
        ddp = _ddp(trainer)
        return None if ddp is None else _rebuilt(ddp) or self._begun

    def doubts(self, trainer: Trainer) -> Iterator[str]:
        """Why what is captured now may not be those of the steps to come."""
        ddp = _ddp(trainer)
        if ddp is None:
            return
        rebuilt, told = _rebuilt(ddp), _told(ddp)
        if not told.get("iteration", True):
            return  # it has not trained
        if "has_rebuilt_buckets" not in told:
            yield "torch does not tell the buckets that DDP sums gradients in, which three ranks' sums depend on"
        elif ddp.static_graph and rebuilt is None and self._begun is None:
            yield "DDP(static_graph=True) makes its buckets after two steps, and was saved after one"

    def restore(self, saved: Buckets | None, trainer: Trainer, *, is_told: bool) -> None:
        """Let DDP begin with those that were saved, when it is made.

        Args:
            saved: What was captured.
            trainer: Who trains, and makes a DDP of the model.
            is_told: Whether anything was captured.
        """
        strategy = trainer.strategy
        if not isinstance(strategy, DDPStrategy) or not _do_matter(trainer):
            return
        self._saved, self._is_told = saved, is_told
        if saved:
            make = partial(self._make, trainer, strategy._setup_model)  # noqa: SLF001  # where DDP is made
            strategy._setup_model = make  # type: ignore[method-assign]  # noqa: SLF001  # as above

    def doubts_of_resume(self, trainer: Trainer) -> Iterator[str]:
        """Why a resumed training does not sum as the other would have; known in part from its second step on."""
        if not self._is_told:
            yield "its checkpoint does not tell the buckets that DDP summed gradients in"
        if self._saved != self._begun:
            yield "DDP does not begin with the buckets that it summed gradients in"
        ddp = _ddp(trainer) if self._begun else None
        if ddp is not None and (_rebuilt(ddp) or self._begun) != self._begun:
            yield "gradients became ready in another order than in the training's first step, which DDP sums them in"

    def _make(self, trainer: Trainer, make: _Make, model: nn.Module) -> DistributedDataParallel:
        _put_back(trainer)
        with self._given():
            return make(model)

    @contextmanager
    def _given(self) -> Iterator[None]:
        """Let DDP, which asks torch for its first buckets, be given those that were saved."""
        saved, own = self._saved or [], getattr(distributed, _ASSIGN)

        def assign(parameters: Sequence[Tensor], *limits: Any) -> tuple[Buckets, list[int]]:
            if sorted(chain(*saved)) != list(range(len(parameters))):
                theirs: tuple[Buckets, list[int]] = own(parameters, *limits)
                return theirs
            self._begun = saved
            # DDP turns them round, for gradients become ready from the last parameter to the first.
            return saved[::-1], [sum(parameters[number].nbytes for number in bucket) for bucket in saved[::-1]]

        setattr(distributed, _ASSIGN, assign)
        try:
            yield
        finally:
            setattr(distributed, _ASSIGN, own)


def _put_back(trainer: Trainer) -> None:
    vars(trainer.strategy).pop("_setup_model", None)


def _do_matter(trainer: Trainer) -> bool:
    return isinstance(trainer.strategy, DDPStrategy) and trainer.world_size > _ALIKE


def _ddp(trainer: Trainer) -> DistributedDataParallel | None:
    model = trainer.strategy.model
    return model if _do_matter(trainer) and isinstance(model, DistributedDataParallel) else None


def _rebuilt(ddp: DistributedDataParallel) -> Buckets | None:
    """The buckets that DDP made after a backward pass; None where it made none."""
    if _REBUILT not in _told(ddp):
        # What the next forward pass begins with. A validation's mode would make tensors that no step may write to.
        with torch.inference_mode(mode=False):
            ddp.reducer._rebuild_buckets()  # noqa: SLF001  # DDP alone has a word for it
        assert ddp.logger is not None, "DDP makes one"
        ddp.logger.set_runtime_stats_and_log()
    told = _told(ddp).get(_REBUILT)
    return [[int(number) for number in bucket.split()] for bucket in told.split(",")] if told else None


def _told(ddp: DistributedDataParallel) -> dict[str, Any]:
    """What DDP tells of itself, as of its last forward pass."""
    told: dict[str, Any] = ddp._get_ddp_logging_data()  # type: ignore[no-untyped-call]  # noqa: SLF001  # torch tells it nowhere else
    return told
