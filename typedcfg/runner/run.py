"""`Runner`: one run of an experiment, trained, resumed, tested and asked about."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from typedcfg.compiler.config import Config
from typedcfg.errors import Problem, RunError
from typedcfg.records import result_record
from typedcfg.records.result_record import Result, ScoreRule, read_results
from typedcfg.records.run_record import Identity, RunRecord
from typedcfg.runner.ownership import Ownership
from typedcfg.runner.place import place_of
from typedcfg.runner.recordable import check_recordable
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.runner.scoring import rule_of
from typedcfg.runner.template_reference import check_same_class
from typedcfg.runner.training import Asked, Training, check_builders, identity_of, launcher_of
from typedcfg.sections.experiment import Experiment


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

    # --- doing ------------------------------------------------------------------------------------------------------

    def fit(self, *, again: bool = False, fresh: bool = False, test: bool = False) -> None:
        """Train until the run is done; one that is done already is left as it is.

        With one device the training is done in this process, with several in processes of their own. Ctrl-C,
        SIGTERM and SIGHUP end it as preempted: it can be gone on with from the last whole epoch.

        Args:
            again: Train once more if it is done.
            fresh: Begin from nothing if it is unfinished, rather than from its last checkpoint.
            test: Test the best weights at the end, if data and model have a test.

        Raises:
            RunOwned: Another process works on this run.
            TemplateError: The experiment does not define what builds its model or its data.
            RunError: The launcher cannot do what is asked of it, or the run is that of another class.
            ResumeRefused: The run in the folder has a configuration that means something else.
            RunFailed: A process of the training came to a bad end.
            Preempted: SIGTERM or SIGHUP ended the training.
            Exception: Whatever the training raised in this process.
        """
        run = self._find()
        if run and not again and Training(run, self.config, self._asked).is_over():
            return  # nothing is touched, not even the lock
        check_builders(self.config.params)
        check_recordable(self.config)
        launcher = launcher_of(self.config.params, self._asked)
        run = run or self._make()
        with Ownership(run.lock):
            training = Training(run, self.config, self._asked)
            training.bring_to_an_end(launcher, again=again, fresh=fresh, test=test)

    def test(self) -> None:
        """Test the best weights, on one device, and add what is measured to the results of their epoch.

        Raises:
            RunOwned: Another process works on this run.
            RunError: Nothing was trained yet, or data or model have no test.
        """
        run, attempt = RunDir(self.dir), AttemptDir(self.attempt)
        with Ownership(run.lock):
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

    @property
    def progress(self) -> float:
        """How much of the training is behind it, from 0 to 1: of its epochs or its steps, whichever end it first."""
        latest, trainer = self.latest_result, self.config.params.trainer
        if latest is None:
            return 0.0
        epochs = latest.epoch / trainer.max_epochs if trainer.max_epochs else 0.0
        steps = latest.step / trainer.max_steps if trainer.max_steps else 0.0
        return min(1.0, max(epochs, steps))

    def _make(self) -> RunDir:
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


def _not_compiled(given: object) -> Problem:
    template = given if isinstance(given, type) else type(given)
    name, expected = template.__qualname__, "the compiled configuration of an Experiment"
    if issubclass(template, Experiment):
        fix = f"pass a configuration of it: Runner({name}.compile())"
        return Problem(f"{name} was not compiled, and cannot be run", expected=expected, fix=fix)
    fix = "derive the class from typedcfg.Experiment, and pass what its compile() returns"
    return Problem(f"{name} cannot be run", expected=expected, fix=fix)
