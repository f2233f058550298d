"""Which samples are in which batch of which epoch, from any batch on."""

from collections.abc import Iterable, Iterator, Sized
from itertools import islice
from typing import Any, Final, NamedTuple, Protocol

import torch
from torch import distributed
from torch.utils.data import DistributedSampler, Sampler
from typing_extensions import override

from typedcfg.runner.lightning.loading.order import epoch_order, key, share, share_length
from typedcfg.runner.lightning.seeds import RandomStream

_AT_ONCE: Final = 100
"""Batches whose indices are made plain numbers together; one by one takes longer, and all of them much memory."""


class Order(Protocol):
    """Something that lists an epoch's samples, batch by batch."""

    epoch: int
    """The present epoch's number; Lightning tells it to samplers."""
    yields_batches: bool
    """Whether it is a list of batches rather than of samples."""

    @property
    def seed(self) -> int:
        """What the order depends on, beside the epoch."""
        ...

    @seed.setter
    def seed(self, seed: int) -> None: ...

    @property
    def rank(self) -> int:
        """Whose share this is."""
        ...

    @property
    def world_size(self) -> int:
        """Between how many ranks the samples are shared."""
        ...

    def __len__(self) -> int:
        """How many samples, or batches, an epoch has on this rank."""
        ...

    def batches(self, epoch: int, lap: int, size: int) -> Iterator[list[Any]]:
        """The samples of one epoch on this rank, at most `size` at a time; the last batch may be short."""
        ...


class ExactSampler(DistributedSampler[int]):
    """Goes through a data set in an order that depends on seed and epoch, each rank through its share.

    It is a `DistributedSampler` so that Lightning, which would share out the samples by itself, leaves it alone.
    """

    yields_batches = False

    def __init__(  # noqa: PLR0913  # as a DistributedSampler
        self,
        dataset: Sized,
        *,
        shuffle: bool,
        seed: int = 0,
        rank: int | None = None,
        world_size: int | None = None,
        drop_uneven: bool = False,
    ) -> None:
        """Go through `dataset`.

        Args:
            dataset: What the indices are for; only its length matters.
            shuffle: Whether the order is random.
            seed: What it depends on, beside the epoch.
            rank: Whose share it is; by default this process's, asked for when it is needed.
            world_size: Between how many ranks the samples are shared; by default all there are.
            drop_uneven: Leave out the samples that do not go round.
        """
        # Not the base's: it wants to know of ranks before there are any.
        self.dataset = dataset  # type: ignore[assignment]  # any sequence has what is needed here
        self.shuffle = shuffle
        self.seed = seed
        self.epoch = 0
        self.drop_last = drop_uneven
        self._rank = rank
        self._world_size = world_size

    @property
    def rank(self) -> int:  # type: ignore[override]  # a plain attribute there
        """Whose share this is."""
        return (distributed.get_rank() if _is_distributed() else 0) if self._rank is None else self._rank

    @property
    def world_size(self) -> int:
        """Between how many ranks the samples are shared."""
        present = distributed.get_world_size() if _is_distributed() else 1
        return present if self._world_size is None else self._world_size

    @property
    def _size(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]  # it is sized, though torch's own class promises less

    @override
    def __len__(self) -> int:
        return share_length(self._size, self.world_size, drop_uneven=self.drop_last)

    @override
    def __iter__(self) -> Iterator[int]:
        return iter(self.order(self.epoch, 0).tolist())

    def order(self, epoch: int, lap: int) -> torch.Tensor:
        """This rank's indices, in the order of an epoch."""
        whole = epoch_order(self._size, seed=self.seed, epoch=epoch, shuffle=self.shuffle, lap=lap)
        return share(whole, rank=self.rank, world_size=self.world_size, drop_uneven=self.drop_last)

    def batches(self, epoch: int, lap: int, size: int) -> Iterator[list[int]]:
        """The samples of one epoch on this rank, at most `size` at a time."""
        for part in torch.split(self.order(epoch, lap), size * _AT_ONCE):
            indices = part.tolist()
            yield from (indices[start : start + size] for start in range(0, len(indices), size))


class DrawnOrder:
    """The order that any other sampler gives, while the random numbers it draws are those of (seed, epoch).

    The sampler is asked no earlier than it would be without us, so one that learns from the training still does.
    """

    rank = 0
    world_size = 1

    def __init__(self, sampler: Iterable[Any], *, seed: int = 0, yields_batches: bool = False) -> None:
        """Ask `sampler`, which may yield whole batches."""
        self.sampler = sampler
        self.epoch = 0
        self.seed = seed
        self.yields_batches = yields_batches

    def __len__(self) -> int:
        """How many samples, or batches, the sampler yields.

        Raises:
            TypeError: The sampler does not say.
        """
        return len(self.sampler)  # type: ignore[arg-type]  # raises what a loader is expected to raise

    def batches(self, epoch: int, lap: int, size: int) -> Iterator[list[Any]]:
        """What the sampler yields in one epoch, at most `size` at a time."""
        stream = RandomStream(key(self.seed, epoch, lap), own_generators(self.sampler))
        with stream.drawn_from():
            for part in _parts(self.sampler):
                if callable(set_epoch := getattr(part, "set_epoch", None)):
                    set_epoch(epoch)
            indices = iter(self.sampler)
        while True:
            with stream.drawn_from():
                batch = next(indices, None) if self.yields_batches else list(islice(indices, size)) or None
            if batch is None:
                return
            yield list(batch)


class SharedOrder:
    """What one rank takes of an order that all ranks draw alike, as Lightning shares out any sampler."""

    yields_batches = False

    def __init__(self, whole: DrawnOrder, sharing: DistributedSampler[Any]) -> None:
        """Share out `whole` in the way of `sharing`, which Lightning made."""
        self.whole = whole
        self.sharing = sharing
        self.epoch = 0
        self.rank: int = sharing.rank
        self.world_size: int = sharing.num_replicas

    @property
    def seed(self) -> int:
        """What the order depends on, beside the epoch."""
        return self.whole.seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self.whole.seed = seed

    def __len__(self) -> int:
        """How many samples are this rank's."""
        return len(self.sharing)

    def batches(self, epoch: int, lap: int, size: int) -> Iterator[list[Any]]:
        """The samples of one epoch on this rank, at most `size` at a time."""
        sharing = self.sharing
        drawn = [index for batch in self.whole.batches(epoch, lap, size) for index in batch]
        places = epoch_order(len(drawn), seed=self.seed, epoch=epoch, shuffle=sharing.shuffle, lap=lap)
        mine = share(places, rank=self.rank, world_size=self.world_size, drop_uneven=sharing.drop_last)
        return ([drawn[place] for place in mine[start : start + size]] for start in range(0, len(mine), size))


class Request(NamedTuple):
    """One batch that is to be fetched."""

    indices: list[Any]
    key: int
    """What its random numbers depend on; the sample in place n draws from `key(key, n)`, wherever it is fetched."""
    first: int
    """The first sample's place in the epoch's order."""
    stride: int
    """How many places lie between two of its samples: other ranks take those."""


class _Position(NamedTuple):
    epoch: int
    lap: int
    batches: int


class ExactBatchSampler(Sampler[list[Any]]):
    """Yields an epoch's batches from any batch on.

    Example:
        >>> batches = ExactBatchSampler(ExactSampler(range(6), shuffle=True), batch_size=2)
        >>> batches.set_epoch(3)
        >>> whole = list(batches)
        >>> batches.seek(1)
        >>> list(batches) == whole[1:]
        True
    """

    def __init__(self, order: Order, batch_size: int, *, drop_last: bool = False) -> None:
        """Make batches of `order`.

        Args:
            order: What is gone through.
            batch_size: Samples per batch and rank [samples].
            drop_last: Leave out a last batch that is short.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1 sample: got {batch_size}")
        self.order = order
        self.batch_size = batch_size
        self.drop_last = drop_last
        self._position = _Position(epoch=0, lap=0, batches=0)

    def __len__(self) -> int:
        """How many batches an epoch has."""
        if self.order.yields_batches:
            return len(self.order)
        whole, rest = divmod(len(self.order), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch; nothing changes if it is the present one."""
        self.order.epoch = epoch

    def seek(self, batches: int, *, lap: int = 0) -> None:
        """Begin, the next time, as if `batches` of the epoch were taken already.

        Args:
            batches: How many to leave out [batches].
            lap: How often the epoch's samples were gone through entirely before.
        """
        self._position = _Position(self.order.epoch, lap, batches)

    @override
    def __iter__(self) -> Iterator[list[Any]]:
        return (request.indices for request in self.requests())

    def requests(self) -> Iterator[Request]:
        """The batches from the present position on, each with what its random numbers depend on.

        Whoever asks again within an epoch gets another lap: its samples in another order.
        """
        # Not before the first batch is asked for: torch begins twice where there are workers, Lightning more often.
        epoch = self.order.epoch
        lap, start = (self._position.lap, self._position.batches) if self._position.epoch == epoch else (0, 0)
        self.seek(0, lap=lap + 1)
        order, draws_from = self.order, key(self.order.seed, epoch, lap)
        rank, world_size = order.rank, order.world_size
        place = 0
        for number, indices in enumerate(order.batches(epoch, lap, self.batch_size)):
            is_left_out = self.drop_last and not order.yields_batches and len(indices) < self.batch_size
            if number >= start and not is_left_out:
                yield Request(indices, draws_from, place * world_size + rank, world_size)
            place += len(indices)


def own_generators(sampler: object) -> list[torch.Generator]:
    """The generators that a sampler, or the one within a batch sampler, draws from instead of the global one."""
    owned = [getattr(part, "generator", None) for part in _parts(sampler)]
    return [generator for generator in owned if isinstance(generator, torch.Generator)]


def _parts(sampler: object) -> Iterator[object]:
    yield sampler
    if (inner := getattr(sampler, "sampler", None)) is not None:
        yield inner


def _is_distributed() -> bool:
    return distributed.is_available() and distributed.is_initialized()
