"""`run.json`: what a run is, where it ran, and how each attempt at it went."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal, TypeAlias
from uuid import UUID

from annotated_types import Ge
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError

from typedcfg.errors import DamagedRecord, Problem, RecordError
from typedcfg.records.json_text import read_json, to_json
from typedcfg.storage import write_atomically
from typedcfg.text import listed

SCHEMA_VERSION: Final = 1
"""The version of `run.json` that is written, and the newest that is read."""

Status: TypeAlias = Literal["running", "done", "failed", "preempted", "lost"]
"""`lost`: its process ended without a word, by a kill or a power cut."""

StopReason: TypeAlias = Literal["SIGTERM", "SIGHUP", "SIGUSR1", "SIGINT", "max_time"]
"""What may ask an attempt to stop: a signal, SIGINT for Ctrl-C, or `run.max_time` that is over."""

_WAY_OUT: Final = (
    "restore it from a copy; or train on: `typedcfg run`, as the run was begun, sets it aside\n"
    "and goes on from the newest checkpoint"
)
"""What to do about a record that is none."""


class _Record(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)


class Identity(_Record):
    """What names a run; `identity/` says how each is computed."""

    run_uuid: UUID
    run_id: str
    id: str
    uuid: UUID
    name: str
    experiment_id: str
    experiment_uuid: UUID
    code_uuid: UUID
    fingerprint: str
    canonical_version: int
    """Of the algorithm behind `fingerprint`."""


class TemplateReference(_Record):
    """Where the class that the run was configured with stands."""

    qualname: str
    module: str
    """As it was imported; `__main__` for a script."""
    path: str | None
    """The file, relative to the repository; None outside one."""
    absolute_path: str
    version: Annotated[int, Ge(1)] = 1
    """Of its schema, when the last attempt was started."""

    @property
    def app(self) -> str:
        """The APP by which the class is loaded again: by its package, or by its file."""
        place = self.module if "." in self.module else self.absolute_path
        return f"{place}:{self.qualname}"


class Machine(_Record):
    """The machine that an attempt was started on."""

    hostname: str
    platform: str
    cpu_count: Annotated[int, Ge(1)]
    user: str


class GitState(_Record):
    """The code that an attempt ran."""

    commit: str
    branch: str | None
    """None when HEAD is detached."""
    is_dirty: bool
    """Whether the tree differed from the commit; `git.patch` holds by what."""


class Failure(_Record):
    """The error that ended an attempt."""

    what: str
    """Its type and its message."""
    where: str
    """Where in the user's code it came up: `train.py:12, in training_step`; empty where `what` says so."""
    rank: Annotated[int, Ge(0)]
    """Which process of the attempt met it first."""
    traceback: str


class Score(_Record):
    """By what a run's results are compared."""

    metric: str
    mode: Literal["min", "max"]
    split: str | None


class AttemptRecord(_Record):
    """One try at a run: a start or a resume."""

    folder: Annotated[str, StringConstraints(pattern=r"^[0-9]{8}T[0-9]{6}\.[0-9]{6}Z$")]
    """The attempt's folder, named by the UTC time at which it began."""
    started: AwareDatetime
    ended: AwareDatetime | None = None
    machine: Machine
    git: GitState | None = None
    """None outside a repository."""
    versions: dict[str, str] = {}
    """Of python, and of the packages that bear on the outcome."""
    pid: int
    term: Annotated[int, Ge(1)] | None = None
    """The number of the ownership under which it was made; None where an older typedcfg made it."""
    world_size: Annotated[int, Ge(1)]
    status: Status = "running"
    exit_code: int | None = None
    trained: AwareDatetime | None = None
    """When one of its processes said that the training is over; None where none did."""
    failure: Failure | None = None
    """The error, where one ended it."""
    stopped_by: StopReason | None = None
    """What asked it to stop, where that is known."""
    stopped_early_because: str = ""
    """Who told the training that it is over, before the end that was planned for it."""
    migrated: tuple[str, ...] = ()
    """The migrations that `run.yaml` went through for it, where an older schema had written that."""
    resumed_from: str | None = None
    """The checkpoint, relative to the run's folder."""
    is_bitwise: bool = True
    """Whether its outcome is what an undisturbed run would have reached, to the last bit."""
    not_bitwise_because: tuple[str, ...] = ()
    not_finite_since: Annotated[int, Ge(0)] | None = None
    """The step after which its loss or a weight was NaN or infinite, where it went on all the same."""
    unsaved_because: str = ""
    """Why its last state could not be saved, where it went on all the same."""


class RunRecord(_Record):
    """All of `run.json`."""

    schema_version: Literal[1] = SCHEMA_VERSION
    identity: Identity
    template: TemplateReference
    argv: tuple[str, ...]
    """As given, secrets redacted."""
    app: str | None
    """The APP as given; None for a script that called `main` itself, and for a `Runner` in code."""
    secrets: tuple[str, ...] = ()
    """Keys of the secrets that it was given, which are nowhere recorded."""
    score: Score
    status: Status
    attempts: tuple[AttemptRecord, ...] = ()


def read_run_record(path: Path) -> RunRecord:
    """The record that a `run.json` holds.

    Raises:
        RecordError: It cannot be read, or was written by a newer typedcfg.
        DamagedRecord: It is no run's record.
    """
    try:
        content = read_json(path)
    except DamagedRecord as error:
        raise DamagedRecord(*(replace(problem, fix=_WAY_OUT) for problem in error.problems)) from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise RecordError(
            Problem(
                f"{path.name} was written by a newer typedcfg: it has schema version {version}",
                where=str(path),
                expected=f"schema version {SCHEMA_VERSION} or older",
                fix="update typedcfg",
            )
        )
    try:
        return RunRecord.model_validate(content)
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, found['loc'])) or 'all of it'}: {found['msg']}"
            for found in error.errors(include_url=False, include_input=False)
        ]
        what = f"{path.name} is no record of a run: {listed(wrong)}"
        raise DamagedRecord(Problem(what, where=str(path), fix=_WAY_OUT)) from None


def write_run_record(path: Path, record: RunRecord) -> None:
    """Write a run's record, all or nothing.

    Raises:
        RecordError: It cannot be written; the one that stood there still does.
    """
    write_atomically(path, to_json(record.model_dump(mode="json"), indent=True))
