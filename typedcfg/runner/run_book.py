"""`run.json` as the run goes: begun, gone on with, ended.

Written by who owns the run, and by its workers while that one waits for them.
"""

import getpass
import logging
import os
import platform
import socket
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from typing import Any, Final

from typedcfg.compiler.config import Config
from typedcfg.errors import DamagedRecord, Problem, RecordError, RunOwned
from typedcfg.records.result_record import ResultHeader
from typedcfg.records.run_record import (
    AttemptRecord,
    Failure,
    GitState,
    Identity,
    Machine,
    RunRecord,
    Status,
    StopReason,
    read_run_record,
    write_run_record,
)
from typedcfg.runner.failure import told_hang
from typedcfg.runner.ownership import Fence, read_owner, term_of
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.storage import rename

_PACKAGES: Final = ("typedcfg", "torch", "lightning", "numpy")
"""Packages that bear on the outcome."""

_log: Final = logging.getLogger(__name__)


class RunBook:
    """The record of one run, read anew each time it is asked for, and written with every change."""

    def __init__(self, run: RunDir) -> None:
        """Read nothing yet."""
        self.run = run

    @property
    def record(self) -> RunRecord | None:
        """The record as it stands on the disk; None where the run was never begun.

        Raises:
            RecordError: It cannot be read.
        """
        return read_run_record(self.run.record) if self.run.record.exists() else None

    @property
    def begun(self) -> RunRecord:
        """The record of a run that was begun.

        Raises:
            RecordError: It cannot be read, or is gone.
        """
        record = self.record
        if record is None:
            raise RecordError(_replaced(self.run, f"{self.run.record.name} is gone: it was moved or removed"))
        return record

    @property
    def intact(self) -> RunRecord | None:
        """The record; None too where it is damaged, which is put right by who comes to own the run.

        Raises:
            RecordError: It cannot be read.
        """
        try:
            return self.record
        except DamagedRecord:
            return None

    def set_aside_damage(self) -> None:
        """Give a record that is none another name, and tell of it; only for who owns the run.

        Raises:
            RecordError: It cannot be read or renamed.
        """
        try:
            _ = self.record
        except DamagedRecord as error:
            aside = self.run.new_damaged_record()
            rename(self.run.record, aside)
            _log.warning("%s; it is kept as %s", error.problems[0].what, aside)

    def as_it_stands(self) -> RunRecord | None:
        """The record with what nobody has noted yet: the end of each attempt whose process is gone.

        Raises:
            RecordError: It cannot be read.
        """
        # The owner before the record: what one writes before it goes is seen then.
        owner = read_owner(self.run.lock)
        is_owned = owner is None or not (owner.is_gone() or owner.is_released)
        record = self.record
        if record is None:
            return None
        earlier = 0 if owner is None else owner.term
        return self._ended(record, lambda attempt: not is_owned or (attempt.term or earlier) < earlier)

    def mark_lost(self) -> None:
        """Note that attempts which were running are lost, or hung, and failed; only for who owns the run.

        Nobody else runs it then.
        """
        record = self.record
        if record is not None and any(attempt.status == "running" for attempt in record.attempts):
            self._write(self._ended(record, lambda _: True))

    def _ended(self, record: RunRecord, is_over: Callable[[AttemptRecord], bool]) -> RunRecord:
        """A record in which attempts that are said to be running, and are not, came to the end that nobody saw."""
        attempts = tuple(
            a.model_copy(update=_unseen_end(self.run, a)) if a.status == "running" and is_over(a) else a
            for a in record.attempts
        )
        status = attempts[-1].status if attempts else record.status
        return record.model_copy(update={"attempts": attempts, "status": status})

    def begin(self, record: RunRecord, attempt: AttemptRecord) -> None:
        """Note an attempt that is about to start, in the record of a new run or of one that goes on."""
        attempts = (*record.attempts, attempt)
        self._write(record.model_copy(update={"attempts": attempts, "status": "running"}))

    def change(self, attempt: AttemptDir, **changes: Any) -> None:
        """Change what is recorded of one attempt; the run's status is that of its last one.

        Raises:
            RunOwned: Another process took the run over while this one gave no sign of itself.
            RecordError: The run's folder is gone, or its record, or that does not know the attempt.
        """
        self.check_owner(attempt)
        self.attempt(attempt)
        record = self.begun
        attempts = tuple(a.model_copy(update=changes) if a.folder == attempt.timestamp else a for a in record.attempts)
        self._write(record.model_copy(update={"attempts": attempts, "status": attempts[-1].status}))

    def fail(self, attempt: AttemptDir, failure: Failure) -> None:
        """Note what ended an attempt; the first word stands: what other ranks meet is its consequence."""
        if self.attempt(attempt).failure is None:
            self.change(attempt, failure=failure)

    def stop(self, attempt: AttemptDir, by: StopReason) -> None:
        """Note what asked an attempt to stop; the first word stands: others are told by who heard it."""
        if self.attempt(attempt).stopped_by is None:
            self.change(attempt, stopped_by=by)

    def doubt(self, attempt: AttemptDir, reasons: Iterable[str]) -> None:
        """Note why an attempt may differ from an undisturbed one, beside what is known."""
        known = self.attempt(attempt).not_bitwise_because
        self.change(attempt, is_bitwise=False, not_bitwise_because=tuple(dict.fromkeys((*known, *reasons))))

    def complete(self, attempt: AttemptDir) -> None:
        """Note that the training of an attempt is over; what is left of it is its test, and its end."""
        self.change(attempt, trained=datetime.now(UTC))

    def end(self, attempt: AttemptDir, *, status: Status, exit_code: int) -> None:
        """Note how an attempt ended.

        Where one rank was asked to stop, what others met for that is no failure; where one failed, that others were
        asked to stop for it is no stop.
        """
        consequence = "failure" if status == "preempted" else "stopped_by"
        self.change(attempt, status=status, exit_code=exit_code, ended=datetime.now(UTC), **{consequence: None})

    def check_owner(self, attempt: AttemptDir) -> None:
        """See to it that nobody took the run over since this process, or the one that started it, became its owner.

        Raises:
            RunOwned: Another process did.
            RecordError: The attempt's folder is gone: what were written now would stand in a folder that is no run.
        """
        _check_there(attempt)
        term = term_of(self.run.lock) or self.attempt(attempt).term
        if term is not None:
            Fence(self.run.lock, term).check()

    def attempt(self, attempt: AttemptDir) -> AttemptRecord:
        """What is recorded of one attempt.

        Raises:
            RecordError: The attempt's folder is gone, or the record, or that does not know the attempt.
        """
        _check_there(attempt)
        for recorded in self.begun.attempts:
            if recorded.folder == attempt.timestamp:
                return recorded
        what = f"{self.run.record.name} does not know of attempt {attempt.timestamp}"
        raise RecordError(_replaced(self.run, f"{what}: it was replaced while that was made"))

    def header(self, attempt: AttemptDir) -> ResultHeader:
        """Whose results those of an attempt are: the run's, by the name that it began with.

        Raises:
            RecordError: The record cannot be read, or is gone.
        """
        identity = self.begun.identity
        return ResultHeader(identity.name, identity.id, attempt.timestamp)

    def _write(self, record: RunRecord) -> None:
        write_run_record(self.run.record, record)


@contextmanager
def told_if_refused(error: BaseException) -> Iterator[None]:
    """For the length of the block, tell of what cannot be recorded of an error, which counts for more.

    Where it is the error itself, people are told of that.
    """
    try:
        yield
    except (RecordError, RunOwned) as refused:
        if str(refused) != str(error):
            _log.warning("how the attempt ended is not recorded: %s", refused)


def _check_there(attempt: AttemptDir) -> None:
    if not attempt.path.is_dir():
        what = "the run's folder is gone: it was moved or removed while the training ran"
        fix = "leave it where it is while it trains; moved back, it goes on from what was saved last"
        raise RecordError(Problem(what, where=str(attempt.path), fix=fix))


def _replaced(run: RunDir, what: str) -> Problem:
    fix = (
        "put it back, and leave it to the process that trains; without it `typedcfg run`, as the run was begun, goes on"
    )
    return Problem(what, where=str(run.record), fix=fix)


def _unseen_end(run: RunDir, attempt: AttemptRecord) -> dict[str, Any]:
    """What is to be recorded of an attempt that nobody saw end: its logs may tell of a hang, else it is lost."""
    hang = told_hang(AttemptDir(run.path / attempt.folder).logs())
    if hang is None:
        return {"status": "lost"}
    return {"status": "failed", "exit_code": 1, "failure": attempt.failure or hang}


def identity_of(config: Config[Any]) -> Identity:
    """All names of the run that a configuration stands for, with the code as it is now."""
    run, fingerprint = config.identity, config.fingerprint
    return Identity(
        run_uuid=run.run_uuid,
        run_id=run.run_id,
        id=run.id,
        uuid=run.uuid,
        name=run.name,
        experiment_id=run.experiment_id,
        experiment_uuid=run.experiment_uuid,
        code_uuid=run.code_uuid,
        fingerprint=str(fingerprint),
        canonical_version=fingerprint.version,
    )


def attempt_record(  # noqa: PLR0913  # what is known before it starts
    attempt: AttemptDir,
    *,
    git: GitState | None,
    term: int | None,
    world_size: int,
    migrated: Collection[str],
    resumed_from: str | None,
    not_bitwise_because: Collection[str],
) -> AttemptRecord:
    """The record of an attempt that this process is about to start."""
    return AttemptRecord(
        folder=attempt.timestamp,
        started=datetime.now(UTC),
        machine=_this_machine(),
        git=git,
        versions=versions(),
        pid=os.getpid(),
        term=term,
        world_size=world_size,
        migrated=tuple(migrated),
        resumed_from=resumed_from,
        is_bitwise=not not_bitwise_because,
        not_bitwise_because=tuple(not_bitwise_because),
    )


def _this_machine() -> Machine:
    return Machine(
        hostname=socket.gethostname(), platform=platform.platform(), cpu_count=os.cpu_count() or 1, user=_user()
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return str(os.getuid())


def versions() -> dict[str, str]:
    """The versions of python and of the packages that bear on the outcome."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
