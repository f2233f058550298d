"""What is kept and told of the error that ended a training."""

import re
import sys
import sysconfig
import threading
import traceback
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from typedcfg.errors import Problem, TypedcfgError
from typedcfg.records.run_record import Failure, StopReason
from typedcfg.runner.secrets import redact

INTERRUPTED: Final = 130
"""Exit code of a run that was stopped by Ctrl-C."""
PREEMPTED: Final = 143
"""Exit code of a run that was stopped by SIGTERM, SIGHUP or SIGUSR1, or because its time was up."""

_TIMED_OUT: Final = re.compile(r"^Timeout \(\d+:\d\d:\d\d(\.\d+)?\)!\nThread 0x", re.MULTILINE)
"""What `faulthandler` begins with when it ends a process."""
_THREAD: Final = "\nThread 0x"
_FRAME: Final = re.compile(r'^  File "(.*)", line (\d+) in (.*)$', re.MULTILINE)
"""How it writes where a thread stands, the innermost call first."""
_DUMP_BYTES: Final = 4 * 2**20
"""More than it writes: at most 100 threads, and of each 100 calls."""

_OURS: Final = str(Path(__file__).resolve().parents[1])
_LIBRARIES: Final = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))


class Preempted(SystemExit):
    """A training was told to stop, and can be gone on with; who does not catch it exits with the code that says so."""

    def __init__(self, by: StopReason | None = None) -> None:
        """Carry that code, and what told it to, where that is known."""
        super().__init__(PREEMPTED)
        self.by = by


def failure_of(error: BaseException, *, rank: int, secret_texts: Collection[str]) -> Failure:
    """What is recorded of an error."""
    message = str(error)
    name = type(error).__qualname__
    what = message if isinstance(error, TypedcfgError) else f"{name}: {message}" if message else name
    lines = traceback.format_exception(error)
    return Failure(
        what=redact(what, secret_texts),
        where="" if isinstance(error, TypedcfgError) else place_of(error),  # ours say themselves where
        rank=rank,
        traceback=redact("".join(lines), secret_texts),
    )


def hang_of(what: str, *, rank: int, logs: Collection[Path]) -> Failure:
    """What is recorded of a rank that came to a standstill; to be asked of it while it stands still.

    Args:
        what: What it did not do, and for how long.
        rank: Which it is.
        logs: Those of all ranks, which say where their threads stand.
    """
    main = sys._current_frames().get(threading.main_thread().ident or 0)  # noqa: SLF001  # the documented way to ask
    frames = traceback.extract_stack(main)
    return Failure(
        what=f"{what}; where each thread stands is in {', '.join(log.name for log in logs)}",
        where=_place(frames),
        rank=rank,
        traceback="".join(traceback.format_list(frames)),
    )


def told_hang(logs: Mapping[int, Path]) -> Failure | None:
    """The hang that `faulthandler` told of in one of these logs, by rank: nobody was left to record it."""
    for rank, log in logs.items():
        text = _end_of(log)
        told = [text[match.start() :] for match in _TIMED_OUT.finditer(text)]
        if told:
            names = ", ".join(log.name for log in logs.values())
            what = f"hung, stuck in a call that keeps Python's lock; where each thread stands is in {names}"
            # The main thread was the first, and stands last.
            main = told[-1].rpartition(_THREAD)[2]
            return Failure(what=what, where=_place(_frames(main)), rank=rank, traceback=told[-1])
    return None


def _end_of(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _DUMP_BYTES))
            return file.read().decode(errors="replace")
    except OSError:  # what cannot be read tells of nothing
        return ""


def _frames(thread: str) -> list[traceback.FrameSummary]:
    """What `faulthandler` wrote of a thread, as `traceback` orders it: the innermost last."""
    found = [traceback.FrameSummary(file, int(line), name) for file, line, name in _FRAME.findall(thread)]
    return found[::-1]


def problem_of(failure: Failure, log: Path) -> Problem:
    """What people are told of it: one short message, the rest is in the log."""
    if not failure.traceback:  # its process was killed, and could tell nothing
        return Problem(failure.what, where=f"the log is {log}" if log.exists() else "")
    place = ", ".join(filter(None, [failure.where, f"rank {failure.rank}" if failure.rank else ""]))
    traced = f"the traceback is in {log}" if log.exists() else ""
    return Problem(failure.what, where="\n".join(filter(None, [place, traced])))


def is_failure(error: BaseException) -> bool:
    """Whether something went wrong, rather than that somebody asked to stop."""
    return exit_code_of(error) not in {INTERRUPTED, PREEMPTED}


def stop_reason_of(error: BaseException) -> StopReason | None:
    """What asked to stop, where this error ends a process because something did."""
    if isinstance(error, KeyboardInterrupt):
        return "SIGINT"
    return error.by if isinstance(error, Preempted) else None


def exit_code_of(error: BaseException) -> int:
    """The code that is told of a training which this error ended; never 0."""
    match error:
        case KeyboardInterrupt():
            return INTERRUPTED
        case GeneratorExit():  # whoever goes through a generator wants no more of it
            return PREEMPTED
        case SystemExit():
            return code_of_exit(error) or 1
        case TypedcfgError():
            return error.exit_code or 1
    return 1


def code_of_exit(error: SystemExit) -> int:
    """The code that a process exits with by `sys.exit`.

    Example:
        >>> [code_of_exit(SystemExit(told)) for told in (None, 3, "no data")]
        [0, 3, 1]
    """
    if error.code is None:
        return 0
    return error.code & 0xFF if isinstance(error.code, int) else 1


def place_of(error: BaseException) -> str:
    """The innermost place in the user's own code; where there is none, the innermost of all."""
    return _place(traceback.extract_tb(error.__traceback__))


def _place(frames: Sequence[traceback.FrameSummary]) -> str:
    own = [frame for frame in frames if not _is_foreign(frame.filename)]
    if not (own or frames):
        return ""
    frame = (own or frames)[-1]
    return f"{frame.filename}:{frame.lineno}, in {frame.name}"


def _is_foreign(file: str) -> bool:
    path = str(Path(file).resolve())
    return file.startswith("<") or path.startswith((_OURS, *_LIBRARIES))
