"""The loaders of a training, brought to where they were."""

from collections.abc import Callable, Iterator
from typing import Any, TypedDict

import torch
from lightning.fabric.utilities.data import _set_sampler_epoch, sized_len
from lightning.fabric.utilities.types import _Stateful
from lightning.pytorch import Trainer
from lightning.pytorch.loops.fetchers import _PrefetchDataFetcher
from lightning.pytorch.utilities.combined_loader import CombinedLoader, _shutdown_workers_and_reset_iterator
from torch import nn

from typedcfg.runner.lightning.exact.generators import generators_in
from typedcfg.runner.lightning.loading.loader import ExactLoader, exact, generator_of, why_not_exact
from typedcfg.runner.lightning.loading.order import key
from typedcfg.runner.lightning.loading.replayed import ReplayedLoader
from typedcfg.runner.lightning.loading.sampler import own_generators


class LoaderState(TypedDict):
    """What one rank keeps of one loader."""

    seed: int | None
    """What its order depends on; None where it keeps its own place."""
    length: int | None
    """How many batches an epoch has."""
    state: dict[str, Any] | None
    """What a loader that keeps its own place said of it."""
    has_ended: bool
    """Whether the epoch went through it to its end already, and it began again."""


class SavedPlace(TypedDict):
    """Where one rank's loaders stood within an epoch, beside the number of batches."""

    loaders: list[LoaderState]
    ahead: list[Any]
    """Batches that were fetched and not trained on, where a loader that keeps its own place counts them as gone."""


class TrainingLoaders:
    """The training loaders of one rank: made exact where they can be, and set to any place.

    Those of standard make become an `ExactLoader`. One with `state_dict` keeps its place itself. Any other becomes a
    `ReplayedLoader`.
    """

    def __init__(self, trainer: Trainer, *, seed: int, offset_ranks: bool, keyed: bool) -> None:
        """Look after the loaders of `trainer`.

        Args:
            trainer: One that has its loaders, but for `are_there`.
            seed: What orders and random numbers depend on.
            offset_ranks: Whether ranks that share nothing draw different numbers.
            keyed: Whether each sample's random numbers are its own.
        """
        self.trainer = trainer
        self.seed = seed
        self.offset_ranks = offset_ranks
        self.keyed = keyed

    @property
    def are_there(self) -> bool:
        """Whether the trainer has training loaders yet."""
        return self.trainer.fit_loop._combined_loader is not None  # noqa: SLF001  # Lightning has no public way to it

    @property
    def combined(self) -> CombinedLoader:
        """The loaders, as Lightning goes through them."""
        combined = self.trainer.fit_loop._combined_loader  # noqa: SLF001  # as above
        assert combined is not None
        return combined

    @property
    def _mode(self) -> str:
        """How Lightning goes through several: `max_size_cycle` begins those again that end first."""
        return str(self.combined._mode)  # noqa: SLF001  # told nowhere else

    def __iter__(self) -> Iterator[Any]:
        """Each loader."""
        return iter(self.combined.flattened)

    def take_over(self) -> bool:
        """Make exact what can be made so; whether that changed a loader."""
        before = list(self)
        after = [self._taken_over(loader, number) for number, loader in enumerate(before)]
        changed = [old for old, new in zip(before, after, strict=True) if old is not new]
        if changed:
            self.combined.flattened = after
        for loader in changed:
            _shutdown_workers_and_reset_iterator(loader)  # Lightning began their work already
        return bool(changed)

    def _taken_over(self, loader: Any, number: int) -> Any:
        if isinstance(loader, ExactLoader):
            if not loader.has_own_seed:
                loader.seed = self._seed_of(loader, number, world_size=loader.world_size)
            return loader
        if isinstance(loader, (ReplayedLoader, _Stateful, Iterator)):
            return loader
        if why_not_exact(loader) is None:
            made = exact(loader, keyed=self.keyed)
            made.seed = self._seed_of(loader, number, world_size=made.world_size)
            made.has_own_seed = True
            return made
        return ReplayedLoader(loader, seed=self._seed_of(loader, number))

    def _seed_of(self, loader: Any, number: int, *, world_size: int = 1) -> int:
        """Another one for each loader, lest two go through their samples side by side; alike on ranks that share."""
        generator = generator_of(loader)
        base = self.seed if generator is None else generator.initial_seed()
        is_shared = world_size > 1
        return key(base, number, self.trainer.global_rank + 1 if self.offset_ranks and not is_shared else 0)

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch; samplers too, for Lightning tells them only after batches were fetched."""
        for loader in self:
            _set_sampler_epoch(loader, epoch)
            if isinstance(loader, (ExactLoader, ReplayedLoader)):
                loader.set_epoch(epoch)

    def begin(
        self, epoch: int, *, batches: int = 0, saved: SavedPlace | None = None, is_restored: bool = False
    ) -> None:
        """Begin loading anew, at some batch of an epoch.

        Args:
            epoch: Its number.
            batches: How many of its batches were trained on [batches].
            saved: What else was saved there.
            is_restored: Whether loaders that keep their own place have just been told it.
        """
        is_ours = any(isinstance(loader, (ExactLoader, ReplayedLoader)) for loader in self)
        if not (batches or is_ours or is_restored):
            return  # loaders that keep their own place would lose it
        self.set_epoch(epoch)
        ahead = saved["ahead"] if saved else []
        states = saved["loaders"] if saved else [None for _ in self]
        ended = [self._seek(loader, batches + len(ahead), state) for loader, state in zip(self, states, strict=True)]
        fetcher = self.trainer.fit_loop._data_fetcher  # noqa: SLF001  # loading begins again by it alone
        if ahead and isinstance(fetcher, _PrefetchDataFetcher):
            usual, fetcher.prefetch_batches = fetcher.prefetch_batches, 0
            iter(fetcher)
            fetcher.prefetch_batches, fetcher.batches = usual, ahead
        else:
            assert fetcher is not None
            iter(fetcher)
        if (consumed := self._ended()) is not None:
            consumed[:] = [was or now for was, now in zip(ended, consumed, strict=True)]

    def _seek(self, loader: Any, batches: int, state: LoaderState | None) -> bool:
        """Go to a batch; whether the loader had ended and begun again until then."""
        has_ended = state is not None and state["has_ended"]
        if not isinstance(loader, (ExactLoader, ReplayedLoader)):
            return has_ended
        length = sized_len(loader)
        begins_again = self._mode == "max_size_cycle"
        if begins_again and length:
            lap, start = divmod(batches, length)
            loader.seek(start, lap=lap)
            return lap > 0
        if isinstance(loader, ReplayedLoader):
            loader.seek(batches, begins_again=begins_again)
        else:
            loader.seek(batches)
        return has_ended

    def _ended(self) -> list[bool] | None:
        """Which loaders ended in this epoch, where those that do begin again; to be changed."""
        return getattr(self.combined._iterator, "_consumed", None)  # noqa: SLF001  # in no other place

    def states(self) -> list[LoaderState]:
        """What must be known to come back here, beside the number of batches."""
        ended = self._ended() or [False for _ in self]
        return [
            {
                "seed": loader.seed if isinstance(loader, (ExactLoader, ReplayedLoader)) else None,
                "length": sized_len(loader),
                "state": loader.state_dict() if isinstance(loader, _Stateful) else None,
                "has_ended": has_ended,
            }
            for loader, has_ended in zip(self, ended, strict=True)
        ]

    def ahead(self) -> list[Any]:
        """Batches that were fetched and not yet trained on, where a loader that keeps its place counts them as gone."""
        fetcher = self.trainer.fit_loop._data_fetcher  # noqa: SLF001  # as above
        if not isinstance(fetcher, _PrefetchDataFetcher) or not any(isinstance(loader, _Stateful) for loader in self):
            return []
        return list(fetcher.batches)

    def restore(self, states: list[LoaderState], *, is_within_epoch: bool) -> Iterator[str]:
        """Make the loaders those that were saved; yields why they cannot be."""
        loaders = list(self)
        if [state["length"] for state in states] != [sized_len(loader) for loader in loaders]:
            yield "its loaders have other numbers of batches than those that were saved"
            return
        for loader, state in zip(loaders, states, strict=True):
            if isinstance(loader, (ExactLoader, ReplayedLoader)) and state["seed"] is not None:
                loader.seed = state["seed"]
            elif isinstance(loader, _Stateful) and (place := state["state"]) is not None:
                loader.load_state_dict(place)
                # Between epochs it stands at the end of one, and may have to be gone through to begin the next; or it
                # has one more batch: then that was not to be taken yet.
                if not is_within_epoch and next(iter(loader), None) is not None:  # type: ignore[call-overload]  # it loads
                    loader.load_state_dict(place)

    def doubts(self, *, epoch: int, batches: int) -> Iterator[str]:
        """Why what is loaded after a resume may be other than what would have been.

        Args:
            epoch: The number of the epoch that goes on.
            batches: How many of its batches were trained on [batches].
        """
        are_several = len(self.combined.flattened) > 1
        is_once, begin_again = are_several and self._mode == "max_size", are_several and self._mode == "max_size_cycle"
        for loader in self:
            if isinstance(loader, ExactLoader) and begin_again and sized_len(loader) is None:
                yield f"{type(loader.sampler).__name__} has no length: how often it began again is not known"
            for owner in owners_of_generators(loader, seeded=own_generators):
                yield f"{type(owner).__name__} draws from a generator of its own, which no checkpoint keeps"
            for sampler in _samplers_of(self.trainer.lightning_module, loader) if batches else ():
                yield f"{type(sampler).__name__} holds a part of the model, which was less trained when the epoch began"
            name = type(getattr(loader, "loader", loader)).__name__
            if isinstance(loader, Iterator):
                yield f"{name} is an iterator: it cannot begin again"
            elif begin_again and batches and isinstance(loader, _Stateful) and sized_len(loader) is None:
                yield f"{name} keeps its own place and has no length: whether it had to begin again is not known"
            elif is_once and isinstance(loader, _Stateful) and _may_have_ended(loader, batches):
                yield f"{name} keeps its own place, and had come to its end in this epoch: it begins again"
            elif isinstance(loader, ReplayedLoader) and epoch and getattr(loader, "persistent_workers", False):
                data = type(loader.dataset).__name__
                yield f"{data} was loaded by persistent workers, whose random numbers go on from epoch to epoch"
            elif isinstance(loader, ExactLoader) and loader.num_workers and not loader.keyed:
                yield "keyed=False: its workers' random numbers depend on what they loaded before"


def _samplers_of(module: nn.Module, loader: Any) -> Iterator[object]:
    """The samplers whose order may follow what is trained: they hold a part of it."""
    parts = {id(part) for part in (*module.modules(), *module.parameters(), *module.buffers())}
    batch_sampler = getattr(loader, "batch_sampler", None)
    samplers = (getattr(loader, "sampler", None), batch_sampler, getattr(batch_sampler, "sampler", None))
    for sampler in {id(sampler): sampler for sampler in samplers}.values():
        if any(id(value) in parts for value in getattr(sampler, "__dict__", {}).values()):
            yield sampler


def _may_have_ended(loader: Any, batches: int) -> bool:
    length = sized_len(loader)
    return batches > 0 and (length is None or length <= batches)


def is_plain(value: object) -> bool:
    """Whether a batch loads safely from a checkpoint: tensors, numbers and texts, and collections of them."""
    if type(value) is dict:
        return all(map(is_plain, (*value, *value.values())))
    if type(value) in (list, tuple):
        return all(map(is_plain, value))  # type: ignore[call-overload]  # mypy does not see what the line above says
    return type(value) in (torch.Tensor, str, bytes, int, float, bool, type(None))


def owners_of_generators(
    loader: Any, *, seeded: Callable[[object], list[torch.Generator]] = lambda _: []
) -> Iterator[object]:
    """What keeps random state that nobody else knows of: samplers, data sets, and those within others.

    Args:
        loader: Any.
        seeded: Those of a sampler's generators that are set for each epoch.
    """
    for sampler in (getattr(loader, "sampler", None), getattr(loader, "batch_sampler", None)):
        known = seeded(sampler)
        if any(all(generator is not one for one in known) for generator in generators_in(sampler).values()):
            yield sampler
    dataset = getattr(loader, "dataset", None)
    while dataset is not None:
        if generators_in(dataset):
            yield dataset
        dataset = getattr(dataset, "dataset", None)
