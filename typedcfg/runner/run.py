"""`Runner`: one run of an experiment, trained, resumed, tested and asked about."""

import warnings
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Self
from uuid import UUID

from typedcfg.compiler.config import Config
from typedcfg.errors import Problem, RunError
from typedcfg.records import result_record
from typedcfg.records.checkpoint_record import read_manifest
from typedcfg.records.result_record import Result, ScoreRule, read_results
from typedcfg.records.run_record import Identity, RunRecord
from typedcfg.runner.checkpoint_config import configuration_of
from typedcfg.runner.extent import Extent, progress
from typedcfg.runner.joining import join_run
from typedcfg.runner.launchers.base import JoiningLauncher
from typedcfg.runner.launchers.choose import restarts_of
from typedcfg.runner.ownership import Ownership
from typedcfg.runner.place import place_of
from typedcfg.runner.presentation import format_epoch_result
from typedcfg.runner.process import Process
from typedcfg.runner.recordable import check_recordable
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.runner.scoring import rule_of
from typedcfg.runner.state import RunState
from typedcfg.runner.submission import Submission, submit_run
from typedcfg.runner.template_reference import check_loadable, check_same_class, refer_to
from typedcfg.runner.training import Asked, Training, check_builders, check_machine, identity_of, launcher_of
from typedcfg.sections.experiment import Experiment
from typedcfg.text import one_of


class Runner:
    """One run of an experiment: its folder, its training, its results.

    A run is its configuration and its code: of the same ones there is one, in one folder. What was done is not done
    again, and what was interrupted goes on where it stopped. Making a Runner imports no torch and touches no disk.

    Example:
        `Runner(Digits.compile("wide.yaml")).fit()`
    """

    def __init__(self, config: Config[Any], *, folder: RunDir | None = None, asked: Asked | None = None) -> None:
        """Be the run of a configuration.

        Args:
            config: The compiled configuration of an Experiment.
            folder: The folder of the run, where that was begun by earlier code; else it is found by the run's
                identity, and made when the training starts.
            asked: How the run was asked for, where that was on a command line.

        Raises:
            RunError: The configuration is not that of an Experiment.
        """
        section: object = getattr(config, "params", None)
        if not isinstance(section, Experiment):
            raise RunError(_not_compiled(section or config))
        self.config: Config[Experiment] = config
        self.rule: ScoreRule = rule_of(section.run.score)
        """By what results are compared."""
        self._folder = folder
        self._asked = asked or Asked()
        self._mode: Literal["train", "test"] | None = None
        self._extents: dict[str, Extent] = {}

    @classmethod
    def from_checkpoint(
        cls,
        checkpoint: str | Path,
        template: type[Experiment],
        *,
        overrides: Sequence[str] | Mapping[str, object] = (),
    ) -> "Runner":
        """The run that wrote a checkpoint, with the configuration that it was trained with.

        Of a checkpoint in a run's folder it is that run; of one that was copied elsewhere, the run that has its
        configuration and the code of today.

        Args:
            checkpoint: A whole checkpoint.
            template: The class that it was configured with; nothing is imported on a file's word.
            overrides: What is to differ: settings that are not in the identity, and secrets.

        Raises:
            RecordError: The checkpoint is not whole, or holds no configuration and lies in no run.
            ConfigError: The configuration does not compile.
            ResumeRefused: An override bears on the outcome, or the class has changed since; what differs is named.

        Example:
            `Runner.from_checkpoint("best.ckpt", Digits, overrides=["launch=torchrun"]).test()`
        """
        config, run = configuration_of(Path(checkpoint), template, overrides)
        return cls(config, folder=run)

    # --- doing ------------------------------------------------------------------------------------------------------

    def fit(self, *, again: bool = False, fresh: bool = False, test: bool = False) -> None:
        """Train until the run is done; one that is done already is left as it is.

        With one device the training is done in this process, with several in processes of their own. Ctrl-C,
        SIGTERM, SIGHUP and SIGUSR1 end it as preempted, and so does `run.max_time`: saved, to be gone on with.
        Where several nodes or tasks of SLURM call this each, the first owns the run, and the others join it.

        Args:
            again: Train once more if it is done.
            fresh: Begin from nothing if it is unfinished, rather than from its last checkpoint.
            test: Test the best weights at the end, if data and model have a test.

        Raises:
            RunOwned: Another process works on this run.
            TemplateError: The experiment does not define what builds its model or its data.
            RunError: The launcher or the machine cannot do what is asked of it, or the run is that of another class.
            ResumeRefused: The run in the folder has a configuration that means something else.
            RunFailed: A process of the training came to a bad end.
            Preempted: SIGTERM, SIGHUP, SIGUSR1 or `run.max_time` ended the training.
            Exception: Whatever the training raised in this process.
        """
        run = self._find()
        if run and not again and Training(run, self.config, self._asked).is_over():
            return  # nothing is touched, not even the lock
        check_builders(self.config.params)
        check_recordable(self.config)
        check_machine(self.config)
        launcher = launcher_of(self.config.params, self._asked)
        restarts = restarts_of(self.config.params.launch)
        if isinstance(launcher, JoiningLauncher) and not launcher.is_first:
            join_run(self._find, self.config, launcher, script=self._asked.script, restarts=restarts)
            return
        run = run or self.make()
        with Ownership(run.lock), self._doing("train"):
            training = Training(run, self.config, self._asked)
            training.bring_to_an_end(launcher, again=again, fresh=fresh, test=test, restarts=restarts)

    def submit(self, *, again: bool = False, fresh: bool = False) -> Submission:
        """Have SLURM train the run, as the section `launch` says; `fit` does that in the job.

        Args:
            again: Train once more if it is done.
            fresh: Begin from nothing if it is unfinished, rather than from its last checkpoint.

        Raises:
            RunOwned: Another process works on this run.
            RunError: A secret cannot reach the job, or SLURM refuses it.
        """
        check_builders(self.config.params)
        check_recordable(self.config)
        reference = refer_to(type(self.config.params))
        if not self._asked.script:
            check_loadable(reference)
        app = self._asked.script or ("-m", "typedcfg")
        named = () if self._asked.script else (self._asked.app or reference.app,)
        flags = [flag for flag, is_given in {"--again": again, "--fresh": fresh}.items() if is_given]
        return submit_run(self.make(), self.config, (*app, "run", *named), flags=tuple(flags))

    def test(self) -> None:
        """Test the best weights, on one device, and add what is measured to the results of their epoch.

        Raises:
            RunOwned: Another process works on this run.
            RunError: Nothing was trained yet, or data or model have no test.
        """
        run, attempt = RunDir(self.dir), AttemptDir(self.attempt)
        with Ownership(run.lock), self._doing("test"):
            Training(run, self.config, self._asked).test(attempt, is_asked_for=True)

    # --- who it is --------------------------------------------------------------------------------------------------

    @property
    def record(self) -> RunRecord | None:
        """What `run.json` says; None where the run was never begun."""
        run = self._find()
        return RunBook(run).record if run else None

    @property
    def is_done(self) -> bool:
        """Whether the training came to its end."""
        record = self.record
        return record is not None and record.status == "done"

    @property
    def identity(self) -> Identity:
        """All names of the run, as they were when it began."""
        record = self.record
        return record.identity if record else identity_of(self.config)

    @property
    def name(self) -> str:
        """For people: `digits-wide`."""
        return self.identity.name

    @property
    def id(self) -> str:
        """16 characters that the folder is named by: 8 of the code, 8 of the run."""
        return self.identity.id

    @property
    def uuid(self) -> UUID:
        """The UUID of the run under its `id`."""
        return self.identity.uuid

    @property
    def run_id(self) -> str:
        """The 32 hexadecimal digits of `run_uuid`."""
        return self.identity.run_id

    @property
    def run_uuid(self) -> UUID:
        """The UUID of code and configuration."""
        return self.identity.run_uuid

    @property
    def experiment_id(self) -> str:
        """The commit of the code, or sixteen `x`."""
        return self.identity.experiment_id

    @property
    def experiment_uuid(self) -> UUID:
        """The UUID of the commit."""
        return self.identity.experiment_uuid

    @property
    def dir(self) -> Path:
        """The run's folder.

        Raises:
            RunError: There is none before the first `fit()`.
        """
        run = self._find()
        if run is None:
            raise RunError(Problem(f"the run {self.name} has no folder yet", fix="fit() makes it"))
        return run.path

    @property
    def attempt(self) -> Path:
        """The folder of the newest attempt.

        Raises:
            RunError: There is none before the first `fit()`.
        """
        attempts = RunDir(self.dir).attempts()
        if not attempts:
            raise RunError(Problem(f"the run {self.name} was never attempted", fix="fit() attempts it"))
        return attempts[-1].path

    def check_dir(self, action: Literal["warn", "raise", "ignore"] = "warn") -> bool:
        """Whether nothing was attempted in the run's folder yet.

        Args:
            action: What to do besides if something was: warn, raise, or only say so.

        Raises:
            RunError: Something was, and `action` is `raise`.
        """
        run = self._find()
        if run is None or not run.attempts():
            return True
        problem = Problem(
            f"the run {self.name} was attempted already", where=str(run.path), fix="fit() goes on with it"
        )
        if action == "raise":
            raise RunError(problem)
        if action == "warn":
            warnings.warn(str(problem), RuntimeWarning, stacklevel=2)
        return False

    # --- how it went ------------------------------------------------------------------------------------------------

    @property
    def results(self) -> Mapping[int, Result]:
        """What each epoch measured, by the number of epochs finished; empty before there is any."""
        run = self._find()
        attempts = run.attempts() if run else ()
        return read_results(attempts[-1].result_files.journal) if attempts else {}

    @property
    def scores(self) -> Mapping[int, float]:
        """The score of each epoch that has one."""
        return result_record.scores(self.results, self.rule)

    @property
    def best_index(self) -> int | None:
        """The epoch with the best score."""
        return result_record.best_index(self.results, self.rule)

    @property
    def best_result(self) -> Result | None:
        """The result of the epoch with the best score."""
        return result_record.best_result(self.results, self.rule)

    @property
    def best_score(self) -> float | None:
        """The best score."""
        return result_record.best_score(self.results, self.rule)

    @property
    def latest_result(self) -> Result | None:
        """The result of the last epoch."""
        return result_record.latest_result(self.results)

    @property
    def latest_score(self) -> float | None:
        """The score of the last epoch."""
        return result_record.latest_score(self.results, self.rule)

    @property
    def is_best(self) -> bool:
        """Whether the last epoch is the best one."""
        return result_record.is_best(self.results, self.rule)

    def get_result(self, level: Literal["epoch", "run"] = "epoch") -> Mapping[str, Any]:
        """Metrics by split, of the last epoch or of the run, which is its best; of one split alone, the metrics.

        Example:
            `runner.get_result("run")["val"]["loss"]`
        """
        result = self.latest_result if level == "epoch" else self.best_result
        splits = result.splits if result else {}
        return next(iter(splits.values())) if len(splits) == 1 else splits

    def print_result(self) -> None:
        """Print the last epoch's line, and nothing where there is none."""
        if result := self.latest_result:
            print(format_epoch_result(result, self.epochs_end, is_best=self.is_best))  # noqa: T201  # what is asked for

    # --- how far it is ----------------------------------------------------------------------------------------------

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
            RunError: The data has no such split.
            TemplateError: The experiment does not define what builds its data.
        """
        if self.split not in self._extents:
            from typedcfg.runner.lightning.loader_shape import loader_shape

            experiment = self.config.params
            self._extents[self.split] = Extent(experiment.trainer, loader_shape(experiment, self.split))
        return self._extents[self.split]

    @property
    def batch_size(self) -> int:
        """Samples in a batch of the split in hand, on one rank; see `extent`."""
        return self.extent.batch_size

    @property
    def batch_size_equivalent(self) -> int:
        """Samples in one optimizer step: of all its batches, on all ranks; see `extent`."""
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
        """Batches of each rank in all; see `extent`."""
        return self.extent.total_steps

    @property
    def trainable_steps(self) -> int:
        """Optimizer steps in all; see `extent`."""
        return self.extent.trainable_steps

    # --- which process this is --------------------------------------------------------------------------------------

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

    # --- as a file, and back ----------------------------------------------------------------------------------------

    def dict(self) -> MutableMapping[str, Any]:
        """The configuration as plain values, which are the caller's to change."""
        return self.config.plain()

    def json(self, path: str | Path) -> None:
        """Save the configuration as JSON; `from_json` gives the same run back.

        Raises:
            UnsupportedValue: JSON cannot hold a value so that it comes back.
        """
        self.config.save(_ending_in(path, ".json"))

    def yaml(self, path: str | Path) -> None:
        """Save the configuration as YAML; `from_yaml` gives the same run back.

        Raises:
            UnsupportedValue: YAML cannot hold a value so that it comes back.
        """
        self.config.save(_ending_in(path, ".yaml", ".yml"))

    @classmethod
    def from_json(cls, template: type[Experiment], path: str | Path) -> Self:
        """The run of a configuration that was saved as JSON.

        Raises:
            ConfigError: The file does not hold a configuration of the template.
        """
        return cls(template.load(_ending_in(path, ".json")))

    @classmethod
    def from_yaml(cls, template: type[Experiment], path: str | Path) -> Self:
        """The run of a configuration that was saved as YAML, a run's `run.yaml` too.

        Raises:
            ConfigError: The file does not hold a configuration of the template.
        """
        return cls(template.load(_ending_in(path, ".yaml", ".yml")))

    @contextmanager
    def _doing(self, mode: Literal["train", "test"]) -> Iterator[None]:
        self._mode = mode
        try:
            yield
        finally:
            self._mode = None

    def make(self) -> RunDir:
        """The run's folder, made if there is none yet; `fit()` and `init_env` do this themselves.

        Raises:
            RunError: There is no place for it, or it is the run of another class.
        """
        if run := self._find():
            return run
        identity, root = self.config.identity, self.config.params.run.project_root
        place = place_of(self.config)
        self._folder = RunDir.open(root, name=identity.name, id=identity.id, run_uuid=identity.run_uuid, place=place)
        return self._folder

    def _find(self) -> RunDir | None:
        if self._folder is None:
            identity, root = self.config.identity, self.config.params.run.project_root
            found = RunDir.find(root, id=identity.id, run_uuid=identity.run_uuid)
            if found and (record := RunBook(found).record):
                check_same_class(type(self.config.params), record.template, record.identity)
            self._folder = found
        return self._folder


def _ending_in(path: str | Path, *suffixes: str) -> Path:
    if Path(path).suffix not in suffixes:
        raise RunError(
            Problem(f"{path} has no name of that format", expected=f"a name that ends in {one_of(suffixes)}")
        )
    return Path(path)


def _not_compiled(given: object) -> Problem:
    template = given if isinstance(given, type) else type(given)
    name, expected = template.__qualname__, "the compiled configuration of an Experiment"
    if issubclass(template, Experiment):
        fix = f"pass a configuration of it: Runner({name}.compile())"
        return Problem(f"{name} was not compiled, and cannot be run", expected=expected, fix=fix)
    fix = "derive the class from typedcfg.Experiment, and pass what its compile() returns"
    return Problem(f"{name} cannot be run", expected=expected, fix=fix)
