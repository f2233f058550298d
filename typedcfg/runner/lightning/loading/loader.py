"""Loaders whose batches do not depend on what was loaded before."""

from collections.abc import Iterable, Iterator, Sized
from typing import Any, TypeVar

import torch
from lightning.fabric.utilities.distributed import DistributedSamplerWrapper
from torch.utils.data import (
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    MapDataPipe,
    RandomSampler,
    Sampler,
    SequentialSampler,
)
from typing_extensions import override

from typedcfg.runner.lightning.loading.keyed import KeyedBatches, WorkerStart
from typedcfg.runner.lightning.loading.order import key
from typedcfg.runner.lightning.loading.sampler import (
    DrawnOrder,
    ExactBatchSampler,
    ExactSampler,
    Order,
    Request,
    SharedOrder,
    own_generators,
)

_T = TypeVar("_T")


class ExactLoader(DataLoader[_T]):
    """A `DataLoader` that can begin anywhere: in the midst of an epoch, and load what it would have loaded.

    The order of an epoch depends on seed and epoch; each rank takes its share of it. Each sample is fetched with
    python's, numpy's and torch's generators seeded by what the order depends on and the sample's place in it, so
    that random augmentation is the same with any number of workers, kept or not, however far ahead they fetch.

    Example:
        >>> loader = ExactLoader(range(8), batch_size=2, shuffle=True, seed=1)
        >>> loader.set_epoch(3)
        >>> [batch.tolist() for batch in loader]
        [[3, 0], [2, 7], [5, 1], [4, 6]]
        >>> loader.seek(2)
        >>> [batch.tolist() for batch in loader]
        [[5, 1], [4, 6]]
    """

    def __init__(  # noqa: PLR0913  # as a DataLoader
        self,
        dataset: Dataset[_T],
        batch_size: int | None = 1,
        shuffle: bool = False,  # noqa: FBT001, FBT002  # as a DataLoader's
        *,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        drop_last: bool = False,
        seed: int | None = None,
        keyed: bool = True,
        generator: torch.Generator | None = None,
        **options: Any,
    ) -> None:
        """Load from `dataset`.

        Args:
            dataset: Gives a sample for an index: no `IterableDataset`, which goes its own way.
            batch_size: Samples per batch and rank [samples]; None loads samples one by one, as they are.
            shuffle: Whether the order is random.
            sampler: Gives the order instead. Its random numbers are those of (seed, epoch); sharing samples between
                ranks is its own business.
            batch_sampler: Gives whole batches instead.
            drop_last: Leave out a last batch that is short.
            seed: What orders and random numbers depend on; by default `generator`'s, or what `ExactState` gives, or 0.
            keyed: Whether each sample's random numbers are its own.
            generator: Nothing is drawn from it; only where it began counts.
            options: Whatever else a `DataLoader` takes: `num_workers`, `collate_fn`, `persistent_workers`, ...

        Raises:
            ValueError: What is asked for cannot be exact, or contradicts itself.
        """
        if isinstance(dataset, IterableDataset):
            raise ValueError(  # noqa: TRY004  # what torch itself raises for what a loader cannot take
                "an IterableDataset goes its own way: ExactLoader needs one that gives a sample for an index"
            )
        if not options.get("in_order", True):
            raise ValueError("in_order=False lets the quicker worker decide the order of batches")
        if seed is None and generator is not None:
            seed = generator.initial_seed()
        if batch_sampler is None:
            order = ExactSampler(_sized(dataset), shuffle=shuffle) if sampler is None else _order_of(sampler)
            # Not the order where it asks another sampler: whoever looks for that one shall find it.
            shown = order if isinstance(order, ExactSampler) else sampler
            contradiction = shuffle and sampler is not None  # which torch words
            super().__init__(dataset, batch_size, contradiction, shown, drop_last=drop_last, **options)
        else:
            order = DrawnOrder(batch_sampler, yields_batches=True)
            super().__init__(dataset, batch_size, shuffle, sampler, batch_sampler, drop_last=drop_last, **options)
        self.keyed = keyed
        self.has_own_seed = seed is not None
        """Whether it was given a seed; `ExactState` gives one to a loader that was not."""
        self._batches = ExactBatchSampler(order, batch_size or 1, drop_last=drop_last)
        self.seed = seed or 0

    @property
    def seed(self) -> int:
        """What orders and random numbers depend on."""
        return self._batches.order.seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self._batches.order.seed = seed

    @property
    def world_size(self) -> int:
        """Between how many ranks the samples are shared."""
        return self._batches.order.world_size

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch; nothing changes if it is the present one."""
        self._batches.set_epoch(epoch)

    def seek(self, batches: int, *, lap: int = 0) -> None:
        """Begin, the next time, as if `batches` of the epoch were taken already.

        Args:
            batches: How many to leave out [batches].
            lap: How often the epoch's samples were gone through entirely before.
        """
        self._batches.seek(batches, lap=lap)

    @override
    def _get_iterator(self) -> Any:
        # The loader that does the work is another one, so that this one's attributes are what its user gave it.
        return iter(
            DataLoader(
                KeyedBatches(self.dataset, self.collate_fn, is_batched=self._auto_collation, keyed=self.keyed),
                batch_size=None,
                sampler=_Requests(self._batches),
                collate_fn=_as_it_is,
                num_workers=self.num_workers,
                pin_memory=self.pin_memory,
                timeout=self.timeout,
                worker_init_fn=WorkerStart(self.worker_init_fn) if self.num_workers else None,
                multiprocessing_context=self.multiprocessing_context,
                # Workers begin with a number from here: with one from the global generator, loading would disturb it.
                generator=torch.Generator().manual_seed(key(self.seed, self._batches.order.epoch)),
                prefetch_factor=self.prefetch_factor,
                persistent_workers=self.persistent_workers,
            )
        )


class _Requests(Sampler[Request]):
    """What the workers are asked for. It knows not of the loader, or workers would outlive it until they time out."""

    def __init__(self, batches: ExactBatchSampler) -> None:
        self._batches = batches

    @override
    def __iter__(self) -> Iterator[Request]:
        return self._batches.requests()

    def __len__(self) -> int:
        return len(self._batches)


def exact(loader: DataLoader[_T], *, seed: int | None = None, keyed: bool = True) -> ExactLoader[_T]:
    """An `ExactLoader` that loads what `loader` does: the same samples, in as many batches, by the same rules.

    Args:
        loader: A loader of torch's own class, with any sampler. The shares that a `DistributedSampler` gives to ranks
            stay what they are.
        seed: What orders and random numbers depend on; by default where the loader's generator began, or 0.
        keyed: Whether each sample's random numbers are its own.

    Raises:
        ValueError: It is no such loader; `why_not_exact` says why.
    """
    if isinstance(loader, ExactLoader):
        return loader
    if reason := why_not_exact(loader):
        raise ValueError(reason)
    has_own_batches = loader.batch_sampler is not None and loader.batch_size is None
    return ExactLoader(
        loader.dataset,
        1 if has_own_batches else loader.batch_size,
        sampler=None if has_own_batches else loader.sampler,
        batch_sampler=loader.batch_sampler if has_own_batches else None,
        drop_last=loader.drop_last,
        seed=seed,
        keyed=keyed,
        generator=generator_of(loader),
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        pin_memory=loader.pin_memory,
        timeout=loader.timeout,
        worker_init_fn=loader.worker_init_fn,
        multiprocessing_context=loader.multiprocessing_context,
        prefetch_factor=loader.prefetch_factor,
        persistent_workers=loader.persistent_workers,
    )


def why_not_exact(loader: object) -> str | None:
    """Why `exact` cannot take a loader; None where it can."""
    if isinstance(loader, ExactLoader):
        return None
    if type(loader) is not DataLoader:
        return f"{type(loader).__name__} is no plain DataLoader"
    if isinstance(loader.dataset, IterableDataset):
        return f"{type(loader.dataset).__name__} is an IterableDataset, which goes its own way"
    if isinstance(loader.dataset, MapDataPipe):
        return f"{type(loader.dataset).__name__} is a DataPipe, which goes its own way"
    if not loader.in_order:
        return "in_order=False lets the quicker worker decide the order of batches"
    return None


def generator_of(loader: Any) -> torch.Generator | None:
    """The generator that a loader's order is drawn from instead of the global one."""
    parts = (loader, getattr(loader, "sampler", None), getattr(loader, "batch_sampler", None))
    return next((generator for part in parts for generator in own_generators(part)), None)


def _order_of(sampler: Sampler[Any] | Iterable[Any]) -> Order:
    """The order that a sampler gives: of our making for those of torch whose meaning is known."""
    if isinstance(sampler, ExactSampler):
        return sampler
    if type(sampler) is DistributedSampler:
        return ExactSampler(
            _sized(sampler.dataset),
            shuffle=sampler.shuffle,
            rank=sampler.rank,
            world_size=sampler.num_replicas,
            drop_uneven=sampler.drop_last,
        )
    if type(sampler) is DistributedSamplerWrapper:
        wrapped: Any = sampler.dataset
        return SharedOrder(DrawnOrder(wrapped._sampler), sampler)  # noqa: SLF001  # Lightning tells no other way
    if type(sampler) is SequentialSampler:
        return ExactSampler(sampler.data_source, shuffle=False, rank=0, world_size=1)
    if type(sampler) is RandomSampler and not sampler.replacement and sampler.num_samples == len(sampler.data_source):
        return ExactSampler(sampler.data_source, shuffle=True, rank=0, world_size=1)
    return DrawnOrder(sampler)


def _sized(dataset: object) -> Sized:
    if not isinstance(dataset, Sized):
        raise TypeError(f"{type(dataset).__name__} has no length: give a sampler that says which samples there are")
    return dataset


def _as_it_is(batch: _T) -> _T:
    return batch
