"""The callback that keeps, and brings back, what a training's randomness and its running counts are."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NotRequired

from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from typedcfg.runner.lightning.callbacks.followed import follow, put_back
from typedcfg.runner.lightning.callbacks.listener import Listener
from typedcfg.runner.lightning.exact.buckets import Buckets, GradientBuckets
from typedcfg.runner.lightning.exact.building import ReproducedSource, ValidationSource
from typedcfg.runner.lightning.exact.doubts import doubts, is_within_epoch
from typedcfg.runner.lightning.exact.ends import end_if_over
from typedcfg.runner.lightning.exact.generators import GeneratorStates, capture_generators, restore_generators
from typedcfg.runner.lightning.exact.loaders import SavedPlace, TrainingLoaders, is_plain
from typedcfg.runner.lightning.exact.metrics import MetricStates, capture_metrics, restore_metrics, show_metrics
from typedcfg.runner.lightning.exact.modules import (
    ModuleStates,
    capture_module,
    restore_module,
    restore_module_generators,
)
from typedcfg.runner.lightning.exact.plateaus import pending_plateaus, step_plateaus
from typedcfg.runner.lightning.exact.restart import begin_next_epoch, end_epoch_as_others
from typedcfg.runner.lightning.exact.searches import doubts_of_searches, find_again, found, search_again
from typedcfg.runner.lightning.exact.tensors import TensorStates, capture_tensors, restore_tensors
from typedcfg.runner.lightning.exact.threads import Threads, doubts_of_threads
from typedcfg.runner.lightning.exact.weights import capture_weights, load_in_double, restore_weights
from typedcfg.runner.lightning.ranks import gathered
from typedcfg.runner.lightning.seeds import seed_all
from typedcfg.runner.lightning.unseen import current_of, reload_interval_of
from typedcfg.text import count

_KEY: Final = "typedcfg_exact"


class _RankState(SavedPlace):
    """What one rank keeps in a checkpoint: plain values and tensors, which load safely."""

    generators: GeneratorStates
    reloaded_in: int | None
    validation_reloaded_in: int | None
    metrics: MetricStates
    plateaus: list[float | None]
    module: ModuleStates
    tensors: TensorStates | None
    found: dict[str, float]
    doubts: list[str]
    buckets: NotRequired[Buckets | None]
    """Those of DDP's next step; not told by checkpoints that were written before it was known."""
    threads: NotRequired[int]
    """With how many it computed; checkpoints that were written before this was known do not tell."""


class ExactState(Listener):
    """Makes a resumed training go on as if it had never stopped, between two epochs or two steps.

    Loaders of standard make become an `ExactLoader`; what Lightning's checkpoints leave out goes into them: the random
    generators of every rank, loaders' places, running metrics, the step of a `ReduceLROnPlateau` that comes after the
    checkpoint. On as many ranks, with deterministic operations, the resumed training is bitwise the other one.

    Example:
        `Trainer(callbacks=[ExactState(seed=1)])`
    """

    def __init__(
        self,
        *,
        seed: int,
        offset_ranks: bool = True,
        keyed: bool = True,
        threads: int | None = None,
        on_doubt: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        """Start from `seed`.

        Args:
            seed: The run's seed.
            offset_ranks: Whether each rank adds its number, so that dropout differs between ranks.
            keyed: Whether each sample is fetched with random numbers of its own, as `ExactLoader` does.
            threads: With how many each rank computes while it fits; if None with as many as it has, and at a resume
                with as many as were saved. Another number than was saved is not bitwise.
            on_doubt: Is told on every rank why the training is not bitwise an undisturbed one, as soon as it is known.
        """
        self.seed = seed
        self.offset_ranks = offset_ranks
        self.keyed = keyed
        self.on_doubt = on_doubt or (lambda _: None)
        self.not_bitwise_because: tuple[str, ...] = ()
        """Why this training is not bitwise an undisturbed one; empty when it is."""
        self._loaded: list[_RankState] | None = None
        self._source: ReproducedSource | None = None
        self._validation: ValidationSource | None = None
        self._has_begun = False
        self._saved_weights: frozenset[str] = frozenset()
        self._weights: dict[str, Tensor] | None = None
        self._sanity_steps: float | None = None
        self._is_left = False
        self._buckets = GradientBuckets()
        self._threads = Threads(threads)

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Forget what an earlier fit or test had loaded."""
        self._loaded, self._weights = None, None
        self.not_bitwise_because = ()
        search_again(trainer)
        put_back(pl_module, "on_train_start")
        put_back(trainer.fit_loop, "run")
        if stage == "fit":
            self._has_begun = False
            self._buckets.begin(trainer)
            self._threads.begin()
            rank = trainer.global_rank if self.offset_ranks else 0
            self._validation = ValidationSource(trainer, seed=self.seed, rank=rank)
            trainer.fit_loop.epoch_loop.val_loop._data_source = self._validation  # noqa: SLF001  # no other way in
        if stage == "fit" and reload_interval_of(trainer):
            self._source = ReproducedSource(trainer, trainer.fit_loop._data_source, seed=self.seed)  # noqa: SLF001  # as there
            trainer.fit_loop._data_source = self._source  # noqa: SLF001  # as there

    @override
    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Put every rank's state into the checkpoint, which rank 0 alone writes.

        Before a training has begun there is no such state, and None says so: in a validation's checkpoint, or in what
        a search for the learning rate comes back to, which has loaders already where it is not the first.
        """
        has_begun = self._has_begun and self._loaders(trainer).are_there
        checkpoint[_KEY] = gathered(self._capture(trainer, pl_module), trainer.world_size) if has_begun else None

    @override
    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Keep what was saved until training starts; nothing where none had begun."""
        load_in_double(trainer, pl_module, checkpoint)
        loaded = checkpoint.get(_KEY, [])
        if loaded is None:
            return
        self._loaded, self._has_begun = loaded, True
        self._saved_weights = frozenset(checkpoint.get("state_dict", ()))
        if trainer.training:
            # Its hooks may count validations, or set weights: Lightning checks again where an epoch had ended.
            self._sanity_steps, trainer.num_sanity_val_steps = trainer.num_sanity_val_steps, 0
            self._is_left = True
            follow(trainer.fit_loop, "run", partial(self._end, trainer))
        if not loaded:
            return
        if trainer.training and len(loaded) == trainer.world_size:
            # As early as it is known: hooks before the first batch may compute.
            self._threads.go_on(loaded[trainer.global_rank].get("threads"))
        if trainer.training:
            self._buckets.restore(loaded[0].get("buckets"), trainer, is_told="buckets" in loaded[0])
        find_again(loaded[0]["found"], trainer)
        if self._source is not None:
            self._source.built_in = loaded[0]["reloaded_in"]
        if self._validation is not None:
            self._validation.reloaded_in = loaded[0]["validation_reloaded_in"]

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the weights that were loaded, if they were, until hooks are done that may set them."""
        if self._loaded:
            self._weights = capture_weights(trainer, pl_module, self._saved_weights)

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Set all generators to the seed, and begin loading; what a resume brings back comes behind the module's hook.

        Here and not before: building loaders draws random numbers too (a random split), and must draw the same
        ones at a start and at a resume. Not later either: at a resume within an epoch no hook tells of its start.
        """
        if self._sanity_steps is not None:
            trainer.num_sanity_val_steps, self._sanity_steps = self._sanity_steps, None
        self._has_begun, self._is_left = True, False
        begin_next_epoch(trainer)
        seed_all(self.seed, rank=trainer.global_rank if self.offset_ranks else 0)
        loaders = self._loaders(trainer)
        loaders.take_over()
        saved = None
        if self._loaded is not None:
            self._doubt(self._restore(self._loaded, trainer, pl_module))
            saved = self._loaded[trainer.global_rank] if len(self._loaded) == trainer.world_size else None
        if not _is_begun_by_lightning(trainer):
            batches = _batches_trained(trainer)
            is_same = saved is not None and len(saved["loaders"]) == len(list(loaders))
            place = saved if batches and is_same else None
            loaders.begin(_epoch(trainer), batches=batches, saved=place, is_restored=is_same)
        if self._loaded:
            if self._weights is None:  # loaded behind on_fit_start
                self._weights = capture_weights(trainer, pl_module, self._saved_weights)
            follow(pl_module, "on_train_start", partial(self._go_on, self._loaded, trainer, pl_module))

    def _go_on(self, states: list[_RankState], trainer: Trainer, module: LightningModule) -> None:
        """Bring back all that hooks before the first batch may have set, or drawn: last, but for what is to be done."""
        put_back(module, "on_train_start")
        state = self._state_of(states, trainer)
        is_same = len(states) == trainer.world_size
        restore_weights(self._weights or {}, module)
        self._weights = None
        if is_same:
            restore_metrics(state["metrics"], trainer, module)
            restore_tensors([one["tensors"] for one in states], trainer, module)
        self._doubt(restore_module(state["module"], module))
        if is_same:
            restore_generators(state["generators"], trainer.strategy.root_device)
            restore_module_generators(state["module"], module)
        step_plateaus(state["plateaus"], trainer, module)

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Leave this process the threads that it had."""
        self._threads.end()

    @override
    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Leave this process the threads that it had."""
        self._threads.end()

    def _end(self, trainer: Trainer) -> None:
        """Let a training end that Lightning left because it was over."""
        put_back(trainer.fit_loop, "run")
        if self._is_left:
            end_if_over(trainer)

    @override
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tell loaders the epoch, and take over those that were made for it."""
        loaders = self._loaders(trainer)
        if loaders.take_over() and not _is_begun_by_lightning(trainer):
            loaders.begin(_epoch(trainer))
        loaders.set_epoch(_epoch(trainer))

    def _loaders(self, trainer: Trainer) -> TrainingLoaders:
        return TrainingLoaders(trainer, seed=self.seed, offset_ranks=self.offset_ranks, keyed=self.keyed)

    def _doubt(self, reasons: Iterable[str]) -> None:
        new = [reason for reason in dict.fromkeys(reasons) if reason not in self.not_bitwise_because]
        if new:
            self.not_bitwise_because += (*new,)
            self.on_doubt(new)

    def _capture(self, trainer: Trainer, module: LightningModule) -> _RankState:
        loaders, reloaded_in = self._loaders(trainer), trainer.fit_loop._last_train_dl_reload_epoch  # noqa: SLF001
        self._doubt(self._buckets.doubts_of_resume(trainer))  # which were not known when it began
        # What goes on from here is no more exact than what led here.
        reasons = [*self.not_bitwise_because, *doubts(trainer, module), *self._buckets.doubts(trainer)]
        ahead = loaders.ahead()
        if not is_plain(ahead):
            ahead = []
            reasons.append("a batch that was fetched ahead is lost: it holds what a checkpoint may not")
        return {
            "generators": capture_generators(trainer.strategy.root_device),
            "loaders": loaders.states(),
            "ahead": ahead,
            "reloaded_in": int(reloaded_in) if reloaded_in >= 0 else None,
            "validation_reloaded_in": self._validation.reloaded_in if self._validation is not None else None,
            "metrics": capture_metrics(trainer, module, is_within_epoch=is_within_epoch(trainer)),
            "plateaus": pending_plateaus(trainer),
            "module": capture_module(trainer, module),
            "tensors": capture_tensors(trainer, module),
            "found": found(trainer, module),
            "doubts": reasons,
            "buckets": self._buckets.capture(trainer),
            "threads": self._threads.number,
        }

    def _restore(self, states: list[_RankState], trainer: Trainer, module: LightningModule) -> Iterator[str]:
        """Bring the loaders back, and what is shown; yields why the training is not bitwise the one that was saved."""
        if not states:
            yield "its checkpoint holds no random states: it was saved without ExactState"
            return
        state = self._state_of(states, trainer)
        yield from state["doubts"]
        yield from doubts_of_searches(trainer)
        yield from self._buckets.doubts_of_resume(trainer)
        batches, loaders = _batches_trained(trainer), self._loaders(trainer)
        if len(states) != trainer.world_size:
            saved, resumed = count(len(states), "rank"), count(trainer.world_size, "rank")
            yield f"saved by {saved}, resumed by {resumed}"
        else:
            yield from loaders.restore(state["loaders"], is_within_epoch=batches > 0)
            show_metrics(state["metrics"], trainer, module)
            yield from doubts_of_threads(state.get("threads"))
            end_epoch_as_others(trainer)
        yield from loaders.doubts(epoch=_epoch(trainer), batches=batches)
        if state["reloaded_in"] is not None:
            trainer.fit_loop._last_train_dl_reload_epoch = state["reloaded_in"]  # noqa: SLF001  # in no other place
        if batches:
            # Lightning sees no `state_dict` and warns; these loaders need none.
            warnings.filterwarnings("ignore", "You're resuming from a checkpoint that ended", PossibleUserWarning)

    @staticmethod
    def _state_of(states: list[_RankState], trainer: Trainer) -> _RankState:
        # The ranks' metrics agree or the training is broken anyway, so another's serve a new number of ranks.
        return states[min(trainer.global_rank, len(states) - 1)]


def _epoch(trainer: Trainer) -> int:
    """The number of the epoch that runs or comes, which Lightning tells to samplers."""
    return current_of(trainer.fit_loop.epoch_progress).processed


def _is_begun_by_lightning(trainer: Trainer) -> bool:
    """Whether Lightning begins to load the epoch, behind `on_train_epoch_start`: all but what a start begins with."""
    return trainer.current_epoch > 0 and not trainer.fit_loop.is_resuming


def _batches_trained(trainer: Trainer) -> int:
    """How many batches of the epoch were trained on before the checkpoint that is resumed from; 0 between epochs."""
    loop = trainer.fit_loop
    if not loop.restarted_mid_epoch:
        return 0
    progress = loop.epoch_loop.batch_progress
    if progress.is_last_batch and loop.epoch_loop.restarted_on_train_batch_end:
        return 0  # Lightning takes the epoch for finished
    return current_of(progress).processed
