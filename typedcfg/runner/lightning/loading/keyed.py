"""Fetch each sample with random numbers of its own, wherever and whenever it is fetched."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Final

import torch
from torch.utils.data import (
    ConcatDataset,
    Dataset,
    Subset,
    TensorDataset,
    default_collate,
    default_convert,
    get_worker_info,
)
from torch.utils.data._utils import worker
from typing_extensions import override

from typedcfg.runner.lightning.loading.order import key
from typedcfg.runner.lightning.loading.sampler import Request
from typedcfg.runner.lightning.seeds import host_states_kept, seed_host

_COLLATING: Final = 1
"""Tells the key of a batch from that of its first sample."""
_COLLATE_ALONE: Final = (default_collate, default_convert)
"""What makes a batch and draws nothing."""


class KeyedBatches(Dataset[Any]):
    """The batches of a data set, each sample fetched after python's, numpy's and torch's generators got its key.

    What a sample's augmentation draws so depends on its place in the epoch alone: not on the worker that fetches it,
    on what was fetched before, or on how far ahead.
    """

    def __init__(
        self, dataset: Any, collate: Callable[[Any], Any], *, is_batched: bool = True, keyed: bool = True
    ) -> None:
        """Fetch from `dataset`.

        Args:
            dataset: Gives a sample for an index, or many for many where it has `__getitems__`.
            collate: Makes a batch of samples.
            is_batched: Whether samples are batched at all, rather than loaded one by one.
            keyed: Whether generators are seeded; without, samples draw from them as they stand. What is known to draw
                nothing, a `TensorDataset` for one, needs no seeds and gets none.
        """
        self.dataset = dataset
        self.collate = collate
        self.is_batched = is_batched
        # Seeding for samples that draw nothing would cost more than they do.
        self.keyed = keyed and not (collate in _COLLATE_ALONE and _draws_nothing(dataset))

    @override
    def __getitem__(self, request: Request) -> Any:
        if not self.keyed:
            return self.collate(self._fetch(request))
        # A worker process does nothing else that could draw; this one does.
        with host_states_kept() if get_worker_info() is None else nullcontext():
            samples = self._fetch(request)
            self._seed(request.key, request.first, _COLLATING)
            return self.collate(samples)

    def _fetch(self, request: Request) -> Any:
        if not self.is_batched:
            self._seed(request.key, request.first)
            return self.dataset[request.indices[0]]
        if getattr(self.dataset, "__getitems__", None):
            self._seed(request.key, request.first)
            return self.dataset.__getitems__(request.indices)
        if not self.keyed:
            return [self.dataset[index] for index in request.indices]
        samples = []
        for number, index in enumerate(request.indices):
            self._seed(request.key, request.first + number * request.stride)
            samples.append(self.dataset[index])
        return samples

    def _seed(self, *numbers: int) -> None:
        if self.keyed:
            seed_host(key(*numbers))


def _draws_nothing(dataset: object) -> bool:
    """Whether a data set gives what it holds, as torch's own do; one of any other class may draw random numbers."""
    if type(dataset) is Subset:
        return _draws_nothing(dataset.dataset)
    if type(dataset) is ConcatDataset:
        return all(map(_draws_nothing, dataset.datasets))
    return type(dataset) in (TensorDataset, torch.Tensor, list, tuple, range)


class WorkerStart:
    """Begins a worker as a loader of the user's own data set would: `get_worker_info().dataset` is that one."""

    def __init__(self, begin: Callable[[int], None] | None) -> None:
        """Call `begin`, the user's `worker_init_fn`, where there is one."""
        self.begin = begin

    def __call__(self, worker_id: int) -> None:
        """Begin this process, whose number is `worker_id`."""
        info = get_worker_info()
        assert info is not None
        batches = info.dataset
        assert isinstance(batches, KeyedBatches)
        worker._worker_info = worker.WorkerInfo(  # noqa: SLF001  # torch has no public way to say what its data set is
            id=info.id, num_workers=info.num_workers, seed=info.seed, dataset=batches.dataset
        )
        if self.begin is not None:
            self.begin(worker_id)
