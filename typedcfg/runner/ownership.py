"""One run, one owner: a lock that the kernel takes back when its holder dies, however it dies.

Some file systems do not pass a lock on to other machines, and some have none. So there are two things more:

A *term*. Owners are numbered, and whoever becomes the owner first makes the file `.lock.7`, which can be made once.
Of several that try at the same time one has the seventh term. An owner that slept while another one took over finds a
later term in the lock before it commits anything, and stops: that is what `Fence` is for.

A *lease*. The owner writes another number into its term's file every few seconds. Of an owner on another machine
nothing else can be seen: it counts as dead once that number has stood still for the lease and half of it more, by the
clock of who watches. Clocks of two machines are never compared, and may differ by days.
"""

import errno
import fcntl
import logging
import os
import re
import socket
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Annotated, Final, NamedTuple, Self

from annotated_types import Gt, Le
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from typedcfg.disk import disk
from typedcfg.errors import Problem, RecordError, RunOwned
from typedcfg.in_place import overwrite
from typedcfg.records.json_text import read_json, to_json
from typedcfg.refusal import remedy

LEASE_S: Final = 60.0
"""How long an owner may give no sign of itself [s]; it gives one six times as often."""
_LAST_TERM: Final = 10**15
"""More than any run has owners, and few enough for every record; what claims a later one is none of ours."""
_LONGEST_LEASE_S: Final = 3600.0
"""More than any owner may give no sign [s]; what claims a longer lease is none of ours."""
_MARGIN: Final = 1.5
"""How many leases without a sign mean death: the number may be seen late, and clocks do not run equally fast."""
_SIGNS_IN_LEASE: Final = 6
_LOOKS: Final = 5
_LOOK_S: Final = 0.02
"""How often, and after what time [s], a lock is looked at again in which nothing stands yet."""
_NO_LOCKS: Final = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL})
"""What file systems say that have no locks."""
_DEAD: Final = frozenset("ZX")
"""The states of a process that has ended, as Linux tells them."""
_log: Final = logging.getLogger(__name__)


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
    since: AwareDatetime | None = None
    """When it became the owner, by its own clock: for people."""
    term: int = 0
    """The number of its ownership; a later owner has a greater one."""
    lease_s: Annotated[float, Gt(0), Le(_LONGEST_LEASE_S)] = LEASE_S
    """How long it may give no sign of itself [s]."""
    is_released: bool = False
    """Whether it gave the run back."""

    @classmethod
    def this_process(cls, *, term: int = 0, lease_s: float = LEASE_S) -> Self:
        """The process that asks."""
        return cls(
            host=socket.gethostname(),
            pid=os.getpid(),
            started=_started(os.getpid()),
            boot_id=_boot_id(),
            since=datetime.now(UTC),
            term=term,
            lease_s=lease_s,
        )

    def is_gone(self) -> bool:
        """Whether the process is known to have ended; of one on another host nothing is known."""
        if self.host != socket.gethostname() or self.started is None:
            return False
        return self.boot_id != _boot_id() or self.started != _started(self.pid)

    def is_here(self) -> bool:
        """Whether it is of this machine, as it runs now: containers have other names, and the same kernel."""
        return self.boot_id is not None and self.boot_id == _boot_id()


class Fence(NamedTuple):
    """What an owner looks at before it commits anything: another one may have taken over while it slept."""

    lock: Path
    term: int

    def check(self) -> None:
        """Go on only as the owner.

        Raises:
            RunOwned: Another process took the run over; the message names it.
        """
        owner = read_owner(self.lock)
        if owner is not None and owner.term > self.term:
            what = f"the run {self.lock.parent.name} was taken over by {_who(owner)}, while this process gave no sign"
            raise RunOwned(
                Problem(what, where=str(self.lock), fix="leave it to that one; nothing more is recorded here")
            )


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

    def __init__(self, lock: Path, *, lease_s: float = LEASE_S) -> None:
        """Nothing is locked before the block begins.

        Args:
            lock: The lock of the run.
            lease_s: How long this owner may give no sign of itself where locks do not reach other machines [s].
        """
        self.lock = lock
        self.lease_s = lease_s
        self.term: int | None = None
        """The number of this ownership, for as long as it lasts."""
        self._descriptor: int | None = None
        self._end = Event()

    def __enter__(self) -> Self:
        """Take the lock; of an owner on another machine that gives no sign of itself, wait until it counts as dead.

        Raises:
            RunOwned: Another process holds it; the message names it.
            RecordError: The file system refuses to write.
        """
        try:
            descriptor = disk().open(self.lock)
        except OSError as error:
            raise _unlockable(self.lock, error) from error
        try:
            self.term = self._take(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise _unlockable(self.lock, error) from error
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        _held.add(self)
        self._end.clear()
        Thread(target=self._give_signs, args=(self.term,), name="typedcfg lease", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the lock back."""
        if self._descriptor is not None and self.term is not None:
            # What cannot be written here is no loss: whoever comes next sees that this process is gone.
            with suppress(OSError, RunOwned):
                Fence(self.lock, self.term).check()
                owner = Owner.this_process(term=self.term, lease_s=self.lease_s)
                self._write(self._descriptor, owner.model_copy(update={"is_released": True}))
        self._forget()

    def _take(self, descriptor: int) -> int:
        is_locked = _flock(descriptor, self.lock)
        seen = _look(self.lock)
        if not _is_free(seen.owner, is_locked=is_locked):
            _watch(self.lock, seen)
        term = seen.last_term + 1
        if not _claim(self.lock, term) or _look(self.lock, own_term=term).owner != seen.owner:
            raise _owned(self.lock)
        # Written in place: the lock is on this very file, and another one moved over it would not be locked.
        self._write(descriptor, Owner.this_process(term=term, lease_s=self.lease_s))
        now = _look(self.lock)
        if now.last_term > term:
            raise _owned(self.lock)
        for other in now.signs:
            if other < term:
                with suppress(FileNotFoundError):
                    disk().unlink(_sign(self.lock, other))
        return term

    def _write(self, descriptor: int, owner: Owner) -> None:
        overwrite(descriptor, to_json(owner.model_dump(mode="json"), indent=True))

    def _give_signs(self, term: int) -> None:
        number, sign = 0, _sign(self.lock, term)
        while not self._end.wait(self.lease_s / _SIGNS_IN_LEASE):
            number += 1
            # Opened each time: what is closed is sent to the server. One that fails is made up for by the next.
            with suppress(OSError):
                try:
                    descriptor = disk().reopen(sign)
                except FileNotFoundError:
                    return  # a later owner removed it
                try:
                    disk().write(descriptor, b"%020d" % number, 0)
                finally:
                    os.close(descriptor)

    def _forget(self) -> None:
        self._end.set()
        self.term = None
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class _Seen(NamedTuple):
    """How a lock looks."""

    owner: Owner | None
    signs: Mapping[int, bytes]
    """What stands in the file of each term that there is."""

    @property
    def last_term(self) -> int:
        return max([self.owner.term if self.owner else 0, *self.signs])


def _look(lock: Path, *, own_term: int | None = None) -> _Seen:
    """How a lock looks now; whoever began a term is waited for, but for the one who asks."""
    signs = {}
    for path in lock.parent.iterdir():
        match = re.fullmatch(rf"\.{re.escape(lock.name)}\.([0-9]+)", path.name)
        if match and int(match[1]) < _LAST_TERM:
            with suppress(FileNotFoundError):
                signs[int(match[1])] = path.read_bytes()
    owner = read_owner(lock)
    for _ in range(_LOOKS):
        if owner is not None or not signs.keys() - {own_term}:
            break
        disk().wait(_LOOK_S)  # one is about to write itself down perhaps
        owner = read_owner(lock)
    return _Seen(owner, signs)


def _flock(descriptor: int, lock: Path) -> bool:
    """Lock the file, and say whether it is locked; it is not where the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _owned(lock) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True


def _is_free(owner: Owner | None, *, is_locked: bool) -> bool:
    """Whether it is known at once that nobody owns the run."""
    if owner is None or owner.is_released or owner.is_gone():
        return True
    return is_locked and owner.is_here()  # one machine's processes see each other's locks on every file system


def _watch(lock: Path, seen: _Seen) -> None:
    """Wait until an owner counts as dead.

    Raises:
        RunOwned: It gave a sign of itself.
    """
    owner = seen.owner
    assert owner is not None, "without an owner it is free"
    if owner.is_here() and owner.host == socket.gethostname():
        raise _owned(lock)  # and it is not gone
    patience_s = owner.lease_s * _MARGIN
    _log.warning("the run was last owned by %s: waits %.0f s for a sign of it", _who(owner), patience_s)
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        time.sleep(min(1.0, owner.lease_s / _SIGNS_IN_LEASE))
        if _look(lock) != seen:
            raise _owned(lock)


def _claim(lock: Path, term: int) -> bool:
    """Begin a term, and say whether nobody else did."""
    try:
        os.close(disk().create(_sign(lock, term)))
    except FileExistsError:
        return False
    return True


def _sign(lock: Path, term: int) -> Path:
    """The file that a term is begun with, and whose owner gives signs in."""
    return lock.with_name(f".{lock.name}.{term}")


_held: weakref.WeakSet[Ownership] = weakref.WeakSet()


def _forget_in_child() -> None:
    for ownership in list(_held):
        ownership._forget()  # noqa: SLF001  # one module, one secret


# A forked child (a loader's worker) shares the lock and would hold it after its parent died.
os.register_at_fork(after_in_child=_forget_in_child)


def term_of(lock: Path) -> int | None:
    """The term in which this process owns a run; None where it does not."""
    return next((held.term for held in _held if held.lock == lock and held.term is not None), None)


def read_owner(lock: Path) -> Owner | None:
    """Who holds, or last held, a lock; None where nobody ever did."""
    try:
        owner = Owner.model_validate(read_json(lock))
    except (RecordError, ValidationError):
        return None
    return owner if owner.term < _LAST_TERM else None


def _owned(lock: Path) -> RunOwned:
    owner = read_owner(lock)
    stop = f"kill {owner.pid}" if owner and owner.host == socket.gethostname() else "on its host, by its number"
    what = f"the run {lock.parent.name} is owned by {_who(owner)}"
    return RunOwned(Problem(what, where=str(lock), fix=f"wait until it ends, or stop it: {stop}"))


def _who(owner: Owner | None) -> str:
    if owner is None:
        return "another process"
    since = f" since {owner.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if owner.since else ""
    return f"process {owner.pid} on {owner.host}{since}"


def _unlockable(lock: Path, error: OSError) -> RecordError:
    path = Path(error.filename or lock)  # it may be the sign of a term
    return RecordError(Problem(f"cannot lock the run: {error.strerror}", where=str(path), fix=remedy(path, error)))


def _started(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the program's name in brackets, and may hold spaces and brackets itself.
    state, *numbers = text.rpartition(")")[2].split()
    # One that was killed keeps its number until its parent asks how it ended, which some never do.
    return None if state in _DEAD else int(numbers[18])


def _boot_id() -> str | None:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
