"""Resume as if nothing had happened: what Lightning's checkpoints leave out of a training's state.

Left out are the random generators of every rank, those that loaders own, and the step that a `ReduceLROnPlateau`
takes after the checkpoint of an epoch's end was written. With them back, a training resumed at the end of an epoch
is bitwise the one that never stopped, on as many ranks, with deterministic operations.
"""

import random
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypedDict

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader
from typing_extensions import override

from typedcfg.runner.lightning.seeds import seed_all
from typedcfg.text import count

_KEY: Final = "typedcfg_exact"


class _RankState(TypedDict):
    """What one rank keeps in a checkpoint: plain values and tensors, which load safely."""

    python: tuple[Any, ...]
    numpy: tuple[Any, ...] | None
    torch: torch.Tensor
    cuda: torch.Tensor | None
    loaders: list[torch.Tensor]
    plateaus: list[float | None]


class ExactState(Callback):
    """Seeds a training, and lets a resumed one continue where its randomness was.

    Example:
        `Trainer(callbacks=[ExactState(seed=1)])`
    """

    def __init__(self, *, seed: int, offset_ranks: bool = True) -> None:
        """Start from `seed`.

        Args:
            seed: The run's seed.
            offset_ranks: Whether each rank adds its number, so that dropout differs between ranks.
        """
        self.seed = seed
        self.offset_ranks = offset_ranks
        self.not_bitwise_because: tuple[str, ...] = ()
        """Why this training is not bitwise an undisturbed one; empty when it is."""
        self._loaded: list[_RankState] | None = None

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Forget what an earlier fit or test had loaded."""
        self._loaded = None
        self.not_bitwise_because = ()

    @override
    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Put every rank's state into the checkpoint, which rank 0 alone writes."""
        checkpoint[_KEY] = _gather(_capture(trainer), trainer.world_size)

    @override
    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Keep what was saved until training starts."""
        self._loaded = checkpoint.get(_KEY, [])

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Set all generators: to the seed at a start, to what they were at a resume.

        Here and not before: building loaders draws random numbers too (a random split), and must draw the same
        ones at a start and at a resume. Not later either: at a resume no hook tells of the epoch's start.
        """
        seed_all(self.seed, rank=trainer.global_rank if self.offset_ranks else 0)
        if self._loaded is not None:
            self._restore(self._loaded, trainer, pl_module)
        _restart_loader(trainer)

    def _restore(self, states: list[_RankState], trainer: Trainer, module: LightningModule) -> None:
        if not states:
            self.not_bitwise_because = ("its checkpoint holds no random states: it was saved without ExactState",)
            return
        if len(states) != trainer.world_size:
            saved, resumed = count(len(states), "rank"), count(trainer.world_size, "rank")
            self.not_bitwise_because = (f"saved by {saved}, resumed by {resumed}",)
        else:
            state = states[trainer.global_rank]
            _restore_generators(state, trainer)
            generators = list(_loader_generators(trainer))
            if len(generators) != len(state["loaders"]):
                self.not_bitwise_because = ("its loaders have other generators than those that were saved",)
            for generator, saved_state in zip(generators, state["loaders"], strict=False):
                generator.set_state(saved_state)
        # The ranks' metrics agree or the training is broken anyway, so rank 0's serve a new number of ranks.
        plateaus = states[min(trainer.global_rank, len(states) - 1)]["plateaus"]
        for config, value in zip(trainer.lr_scheduler_configs, plateaus, strict=False):
            if value is not None:
                module.lr_scheduler_step(config.scheduler, value)


def _capture(trainer: Trainer) -> _RankState:
    device = trainer.strategy.root_device
    return {
        "python": random.getstate(),
        "numpy": _numpy_state(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        "loaders": [generator.get_state() for generator in _loader_generators(trainer)],
        "plateaus": _pending_plateaus(trainer),
    }


def _restore_generators(state: _RankState, trainer: Trainer) -> None:
    random.setstate(state["python"])
    torch.set_rng_state(state["torch"])
    if state["cuda"] is not None and trainer.strategy.root_device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda"], trainer.strategy.root_device)
    if state["numpy"] is not None:
        import numpy as np

        name, keys, *rest = state["numpy"]
        np.random.set_state((name, np.array(keys, dtype=np.uint32), *rest))  # noqa: NPY002  # the global one is meant


def _numpy_state() -> tuple[Any, ...] | None:
    if "numpy" not in sys.modules:
        return None
    name, keys, *rest = sys.modules["numpy"].random.get_state()
    return (name, keys.tolist(), *rest)  # a list: arrays do not load with weights_only=True


def _pending_plateaus(trainer: Trainer) -> list[float | None]:
    """The metric that each plateau scheduler steps on after this checkpoint; None where none does.

    Lightning steps them after the hooks of an epoch's end, and so after its checkpoint, and not at a resume.
    """
    progress = trainer.fit_loop.epoch_progress.current
    is_epoch_end = progress.processed > progress.completed  # type: ignore[attr-defined]  # declared as its base class
    pending: list[float | None] = []
    for config in trainer.lr_scheduler_configs:
        is_due = config.interval == "epoch" and (trainer.current_epoch + 1) % config.frequency == 0
        metric = trainer.callback_metrics.get(config.monitor or "") if config.reduce_on_plateau else None
        pending.append(float(metric) if is_epoch_end and is_due and metric is not None else None)
    return pending


def _gather(state: _RankState, world_size: int) -> list[_RankState]:
    if world_size == 1:
        return [state]
    states: list[Any] = [None] * world_size
    torch.distributed.all_gather_object(states, state)
    return states


def _restart_loader(trainer: Trainer) -> None:
    """Begin the first epoch's loading anew: Lightning began it before the generators were set.

    At the start of every later epoch it begins after the hooks, and draws from generators that are in order. A
    loader that keeps its own place is let be: it would lose it.
    """
    loaders = list(_leaves(trainer.train_dataloader))
    if all(isinstance(loader, DataLoader) and not hasattr(loader, "load_state_dict") for loader in loaders):
        # Lightning has no public way to begin an epoch's loading again.
        fetcher = trainer.fit_loop._data_fetcher  # noqa: SLF001
        assert fetcher is not None
        iter(fetcher)


def _loader_generators(trainer: Trainer) -> Iterator[torch.Generator]:
    """The generators that the training loaders own, each once."""
    seen: set[int] = set()
    for loader in _leaves(trainer.train_dataloader):
        owners = (loader, getattr(loader, "sampler", None))
        for generator in (getattr(owner, "generator", None) for owner in owners):
            if isinstance(generator, torch.Generator) and id(generator) not in seen:
                seen.add(id(generator))
                yield generator


def _leaves(loaders: object) -> Iterator[object]:
    """The loaders in a collection of them: Lightning takes lists and dicts, at any depth."""
    if isinstance(loaders, Mapping):
        loaders = list(loaders.values())
    if isinstance(loaders, (list, tuple)):
        for entry in loaders:
            yield from _leaves(entry)
    elif loaders is not None:
        yield loaders
