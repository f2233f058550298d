"""A run that can be asked about: which one it is, and where."""

import warnings
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args
from uuid import UUID

from typing_extensions import override

from typedcfg.compiler.config import Config
from typedcfg.errors import Problem, RunError, TypedcfgError
from typedcfg.records.result_record import ScoreRule
from typedcfg.records.run_record import Identity, RunRecord
from typedcfg.runner.asked import Asked
from typedcfg.runner.place import place_of
from typedcfg.runner.run_book import RunBook, identity_of
from typedcfg.runner.run_dir import RunDir
from typedcfg.runner.scoring import rule_of
from typedcfg.runner.template_reference import check_same_class
from typedcfg.sections.experiment import Experiment
from typedcfg.text import one_of

_Action: TypeAlias = Literal["warn", "raise", "ignore"]


class NamedRun:
    """The part of a `Runner` that knows its configuration, its names and its folder."""

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

    @override
    def __repr__(self) -> str:
        """Which run it is, how it stands and where: `<Runner digits-wide 0123456789abcdef: done, in runs/...>`."""
        try:
            run, record, identity = self._find(), self.record, self.identity
        except TypedcfgError as error:  # a debugger that shows it must not fail
            what, _, _ = str(error).partition("\n")
            return f"<{type(self).__name__} {self.config.params.run.run_name}: {what}>"
        status = record.status if record else "not begun"
        where = f"in {run.path}" if run else "without a folder yet"
        return f"<{type(self).__name__} {identity.name} {identity.id}: {status}, {where}>"

    @property
    def record(self) -> RunRecord | None:
        """What `run.json` says, and what nobody has noted there yet; None where the run was never begun."""
        run = self._find()
        return RunBook(run).as_it_stands() if run else None

    @property
    def is_done(self) -> bool:
        """Whether the training came to its end."""
        run = self._find()
        record = RunBook(run).intact if run else None
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

    def check_dir(self, action: _Action = "warn") -> bool:
        """Whether nothing was attempted in the run's folder yet.

        Args:
            action: What to do besides if something was: warn, raise, or only say so.

        Raises:
            RunError: Something was, and `action` is `raise`.
            ValueError: There is no such action.
        """
        if action not in get_args(_Action):
            raise ValueError(f"action is one of {one_of(get_args(_Action))}, and not {action!r}")
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
            found = RunDir.find(root, name=identity.name, id=identity.id, run_uuid=identity.run_uuid)
            if found and (record := RunBook(found).intact):
                _check_own(record, found)
                check_same_class(type(self.config.params), record.template, record.identity, folder=found.path)
            self._folder = found
        return self._folder


def _check_own(record: RunRecord, run: RunDir) -> None:
    """See to it that the record in a run's folder is its own.

    Raises:
        RunError: Somebody put that of another run there.
    """
    if record.identity.run_uuid == run.run_uuid:
        return
    raise RunError(
        Problem(
            f"{run.record.name} is that of another run, {record.identity.name} {record.identity.id}",
            where=str(run.record),
            expected=f"the record of the run that the folder is marked as: {run.run_uuid}",
            fix="put its own back; or move this one away: `typedcfg run`, as the run was begun, goes on without",
        )
    )


def _not_compiled(given: object) -> Problem:
    template = given if isinstance(given, type) else type(given)
    name, expected = template.__qualname__, "the compiled configuration of an Experiment"
    if issubclass(template, Experiment):
        fix = f"pass a configuration of it: Runner({name}.compile())"
        return Problem(f"{name} was not compiled, and cannot be run", expected=expected, fix=fix)
    fix = "derive the class from typedcfg.Experiment, and pass what its compile() returns"
    return Problem(f"{name} cannot be run", expected=expected, fix=fix)
