"""A run that can be asked how far it is, and how far it goes."""

from pathlib import Path
from typing import Any, Literal

from typedcfg.compiler.config import Config
from typedcfg.records.checkpoint_record import read_manifest
from typedcfg.runner.asked import Asked
from typedcfg.runner.extent import Extent, progress
from typedcfg.runner.measured_run import MeasuredRun
from typedcfg.runner.process import Process
from typedcfg.runner.run_dir import RunDir
from typedcfg.runner.state import RunState


class CountedRun(MeasuredRun):
    """The part of a `Runner` that knows epochs, steps and samples: behind it, at its begin, at its end."""

    def __init__(self, config: Config[Any], *, folder: RunDir | None = None, asked: Asked | None = None) -> None:
        """As a `NamedRun`; nothing is done yet."""
        super().__init__(config, folder=folder, asked=asked)
        self._mode: Literal["train", "test"] | None = None
        self._extents: dict[str, Extent] = {}

    @property
    def mode(self) -> Literal["train", "test"] | None:
        """What this object is doing: `fit()` trains, `test()` tests, and nothing in between."""
        return self._mode

    @property
    def split(self) -> Literal["train", "test"]:
        """The split in hand: what is tested on while it is tested, else what is trained on."""
        return self._mode or "train"

    @property
    def state(self) -> RunState:
        """Epochs, steps and samples that are behind it, by its last result."""
        latest = self.latest_result
        return RunState(latest.epoch, latest.step, latest.samples) if latest else RunState()

    @property
    def begin(self) -> RunState:
        """What was behind it when the newest attempt began: nothing, unless it was resumed."""
        record, run = self.record, self._find()
        resumed_from = record.attempts[-1].resumed_from if record and record.attempts else None
        if run is None or resumed_from is None:
            return RunState()
        if Path(resumed_from).is_absolute():  # another run's, which may be gone: the first line tells how far it was
            first = next(iter(self.results.values()), None)
            return RunState(first.epoch, first.step, first.samples) if first else RunState()
        manifest = read_manifest(run.path / resumed_from)
        return RunState(manifest.epoch, manifest.step, manifest.samples)

    @property
    def epochs(self) -> int:
        """Epochs finished."""
        return self.state.epochs

    @property
    def epochs_begin(self) -> int:
        """Epochs that were finished when the newest attempt began."""
        return self.begin.epochs

    @property
    def epochs_end(self) -> int | None:
        """Epochs that end the training; None where steps or samples do."""
        return self.config.params.trainer.max_epochs

    @property
    def steps(self) -> int:
        """Optimizer steps taken."""
        return self.state.steps

    @property
    def steps_begin(self) -> int:
        """Steps that were taken when the newest attempt began."""
        return self.begin.steps

    @property
    def steps_end(self) -> int | None:
        """Steps that end the training; None where epochs or samples do."""
        return self.config.params.trainer.max_steps

    @property
    def samples(self) -> int | None:
        """Training samples seen; None where batches do not tell."""
        return self.state.samples

    @property
    def samples_begin(self) -> int | None:
        """Samples that were seen when the newest attempt began."""
        return self.begin.samples

    @property
    def samples_end(self) -> int | None:
        """Samples that end the training; None where epochs or steps do."""
        return self.config.params.trainer.max_samples

    @property
    def progress(self) -> float:
        """How much of the training is behind it, from 0 to 1, of the epochs, steps or samples that end it."""
        return progress(self.state, self.config.params.trainer)

    @property
    def extent(self) -> Extent:
        """How long the training is; the data is built for the answer, once.

        Raises:
            RunError: The data has no training split.
            TemplateError: The experiment does not define what builds its data.
        """
        return self._extent_with("train")

    def _extent_with(self, split: str) -> Extent:
        if split not in self._extents:
            from typedcfg.runner.lightning.loader_shape import loader_shape

            experiment = self.config.params
            self._extents[split] = Extent(experiment.trainer, loader_shape(experiment, split))
        return self._extents[split]

    @property
    def batch_size(self) -> int:
        """Samples in a batch of the split in hand, on one rank; see `extent`."""
        return self._extent_with(self.split).batch_size

    @property
    def batch_size_equivalent(self) -> int:
        """Samples in one optimizer step of the training: of all its batches, on all ranks; see `extent`."""
        return self.extent.batch_size_equivalent

    @property
    def accum_steps(self) -> int:
        """Batches whose gradients make one step."""
        return self.config.params.trainer.accumulate_grad_batches

    @property
    def total_epochs(self) -> int | None:
        """Epochs from the begin of the newest attempt to the end; None where steps or samples end the training."""
        return None if self.epochs_end is None else self.epochs_end - self.epochs_begin

    @property
    def total_steps(self) -> int:
        """Batches of each rank from the begin of the newest attempt to the end; see `extent`."""
        return self.extent.total_steps - self.extent.batches_of(self.steps_begin)

    @property
    def trainable_steps(self) -> int:
        """Optimizer steps from the begin of the newest attempt to the end; see `extent`."""
        return self.extent.trainable_steps - self.steps_begin

    # --- which process this is ----------------------------------------------------------------------------------------

    @property
    def world_size(self) -> int:
        """How many processes train together, this one among them; 1 where the training is not started yet."""
        return Process.this_one().world_size

    @property
    def rank(self) -> int:
        """Which of them this is."""
        return Process.this_one().rank

    @property
    def local_rank(self) -> int:
        """Which of those on its machine this is."""
        return Process.this_one().local_rank

    @property
    def distributed(self) -> bool:
        """Whether there are several."""
        return self.world_size > 1

    @property
    def is_main_process(self) -> bool:
        """Whether this is the first of all."""
        return Process.this_one().is_main

    @property
    def is_local_main_process(self) -> bool:
        """Whether this is the first on its machine."""
        return Process.this_one().is_local_main
