"""One run, one owner: a lock that the kernel takes back when its holder dies, however it dies."""

import fcntl
import os
import socket
import weakref
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from typedcfg.disk import disk
from typedcfg.errors import Problem, RecordError, RunOwned
from typedcfg.records.json_text import read_json, to_json
from typedcfg.storage import overwrite


class Owner(BaseModel):
    """The process that owns a run, as the lock file names it.

    The lock decides who owns; this only tells people whom to look for. A process number alone would not: numbers
    are used again, after a restart of the machine above all.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    host: str
    pid: int
    started: int | None = None
    """When the process started [clock ticks since boot]; None where the system does not tell."""
    boot_id: str | None = None
    """Which start of the machine that was."""

    @classmethod
    def this_process(cls) -> Self:
        """The process that asks."""
        return cls(host=socket.gethostname(), pid=os.getpid(), started=_started(os.getpid()), boot_id=_boot_id())

    def is_gone(self) -> bool:
        """Whether the process is known to have ended; of one on another host nothing is known."""
        if self.host != socket.gethostname() or self.started is None:
            return False
        return self.boot_id != _boot_id() or self.started != _started(self.pid)


class Ownership:
    """The right to write into a run's folder, for as long as the block lasts.

    Example:
        >>> import tempfile
        >>> lock = Path(tempfile.mkdtemp()) / "lock"
        >>> with Ownership(lock):
        ...     Ownership(lock).__enter__()
        Traceback (most recent call last):
        ...
        typedcfg.errors.RunOwned: the run ... is owned by process ...
    """

    def __init__(self, lock: Path) -> None:
        """Nothing is locked before the block begins."""
        self.lock = lock
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            RunOwned: Another process holds it; the message names it.
            RecordError: The file system has no locks, or refuses to write.
        """
        try:
            descriptor = disk().open(self.lock)
        except OSError as error:
            raise _unlockable(self.lock, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Written in place: the lock is on this very file, and another one moved over it would not be locked.
            overwrite(descriptor, to_json(Owner.this_process().model_dump(), indent=True))
        except BlockingIOError:
            os.close(descriptor)
            raise _owned(self.lock) from None
        except OSError as error:
            os.close(descriptor)
            raise _unlockable(self.lock, error) from error
        self._descriptor = descriptor
        _held.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the lock back."""
        self._forget()

    def _forget(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


_held: weakref.WeakSet[Ownership] = weakref.WeakSet()


def _forget_in_child() -> None:
    for ownership in list(_held):
        ownership._forget()  # noqa: SLF001  # one module, one secret


# A forked child (a loader's worker) shares the lock and would hold it after its parent died.
os.register_at_fork(after_in_child=_forget_in_child)


def read_owner(lock: Path) -> Owner | None:
    """Who holds, or last held, a lock; None where nobody ever did."""
    try:
        return Owner.model_validate(read_json(lock))
    except (RecordError, ValidationError):
        return None


def _owned(lock: Path) -> RunOwned:
    owner = read_owner(lock)
    who = f"process {owner.pid} on {owner.host}" if owner else "another process"
    stop = f"kill {owner.pid}" if owner and owner.host == socket.gethostname() else "on its host, by its number"
    what = f"the run {lock.parent.name} is owned by {who}"
    return RunOwned(Problem(what, where=str(lock), fix=f"wait until it ends, or stop it: {stop}"))


def _unlockable(lock: Path, error: OSError) -> RecordError:
    fix = "put project_root on a file system that has locks and that you may write to"
    return RecordError(Problem(f"cannot lock the run: {error.strerror}", where=str(lock), fix=fix))


def _started(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the program's name in brackets, and may hold spaces and brackets itself.
    return int(text.rpartition(")")[2].split()[19])


def _boot_id() -> str | None:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
