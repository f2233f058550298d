"""Carry out what a hostile text asks for, and watch: it ends, whatever is wrong is told, and nothing is run."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn, TypeVar

from typedcfg.errors import TypedcfgError

T = TypeVar("T")

MOST_SECONDS = 30
"""The processor time that one text may take; the machine may be as busy as it likes."""

RUN_OR_CHANGED = frozenset(
    [
        *["os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"],
        *["os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"],
        *["ctypes.dlopen", "os.kill", "os.putenv", "pickle.find_class", "shutil.rmtree"],
        *["socket.connect", "socket.getaddrinfo"],
    ]
)
"""Audit events of a process that is started, a file that is changed, and the like."""


class _Watch:
    """What happened while somebody watched."""

    def __init__(self) -> None:
        self.seen: list[str] | None = None
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.seen is None:
            return
        matters = event in RUN_OR_CHANGED or (event == "open" and _writes(arguments[2])) or event == "exec"
        if matters and not _is_importing():
            self.seen.append(f"{event}{arguments}")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """For the length of the block, nothing may be run or changed."""
        self.seen = []
        try:
            yield
        finally:
            seen, self.seen = self.seen, None
        if seen:
            raise AssertionError("\n".join(seen))


def _writes(flags: int | None) -> bool:
    return flags is not None and bool(flags & (os.O_WRONLY | os.O_RDWR))


def _is_importing() -> bool:
    """Whether a module of ours is being loaded, for the first text that needs it: that runs code and may cache it."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None


_WATCH = _Watch()


def attempt(action: Callable[[], T]) -> T | None:
    """What an action returns; nothing where it tells what is wrong. All else is a failure."""
    try:
        with _ends(), _WATCH.watching():
            return action()
    except TypedcfgError as error:
        told = error
    assert told.problems
    assert all(problem.what.strip() for problem in told.problems)
    assert str(told).strip()
    return None


@contextmanager
def _ends() -> Iterator[None]:
    """Fail what uses up its processor time."""
    before = signal.signal(signal.SIGVTALRM, _too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _too_long(_number: int, _frame: FrameType | None) -> NoReturn:
    raise AssertionError(f"not done after {MOST_SECONDS} s of processor time")
