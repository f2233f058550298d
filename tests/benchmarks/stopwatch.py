"""What one thing costs beside another: CPU time, measured in turn, so that a busy machine slows both alike.

The least of many rounds is kept: what else runs on a machine can only add to it. The cyclic garbage collector is on,
as it is for users, and starts each measurement with nothing to collect; what the benchmark itself holds is frozen
out of its sight.
"""

import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter, process_time
from timeit import Timer
from typing import Any, Final, NamedTuple

_SHORTEST_S: Final = 0.005
"""Calls are repeated until they take this long together; a clock read costs nothing beside it."""
_FEWEST_ROUNDS: Final = 5

Timed = Callable[[], object] | str
"""A call, or an expression: what takes nanoseconds is not timed through a call."""


class Row(NamedTuple):
    """One line of the table."""

    what: str
    subject_s: float
    floor_s: float
    target: float | None = None
    """The most that the ratio should be."""

    @property
    def ratio(self) -> float:
        """How many times the floor the subject costs."""
        return self.subject_s / self.floor_s


def race(
    what: str,
    subject: Timed,
    floor: Timed,
    *,
    seconds: float,
    target: float | None = None,
    names: Mapping[str, Any] | None = None,
    clock: Callable[[], float] = process_time,
) -> Row:
    """The CPU seconds of one evaluation of each.

    Args:
        what: What the row is about.
        subject: What is measured.
        floor: What it is measured against.
        seconds: How long to go on, once each has been measured a few times; 0 measures each once.
        target: The most that the ratio should be.
        names: What expressions refer to.
        clock: Another clock [s]: what waits for a disk takes time, and no CPU.
    """
    timers = [
        Timer(timed, "import gc; gc.enable()", clock, dict(names) if names else None) for timed in (floor, subject)
    ]
    gc.collect()
    gc.freeze()
    try:
        loops = [_loops(timer) if seconds else 1 for timer in timers]
        return Row(what, *least(lambda runner: _once(timers[runner], loops[runner]), seconds), target)
    finally:
        gc.unfreeze()


def race_processes(
    what: str,
    subject: Sequence[str],
    floor: Sequence[str],
    *,
    seconds: float,
    environment: Mapping[str, str],
    target: float | None = None,
) -> Row:
    """The CPU seconds, user and system, of a Python process with each of two argument lists."""
    arguments = (floor, subject)
    for runner in arguments:  # what is compiled to bytecode once is no part of it
        _process(runner, environment)
    return Row(what, *least(lambda runner: _process(arguments[runner], environment), seconds), target)


def least(measure: Callable[[int], float], seconds: float) -> tuple[float, float]:
    """The least of the second runner's measurements, and of the first's; they take turns, also at going first."""
    least = [float("inf"), float("inf")]
    end = perf_counter() + seconds
    rounds = 0
    while rounds < (_FEWEST_ROUNDS if seconds else 1) or perf_counter() < end:
        for runner in (0, 1) if rounds % 2 else (1, 0):
            least[runner] = min(least[runner], measure(runner))
        rounds += 1
    return least[1], least[0]


def _loops(timer: Timer) -> int:
    loops = 1
    while timer.timeit(loops) < _SHORTEST_S:
        loops *= 2
    return loops


def _once(timer: Timer, loops: int) -> float:
    gc.collect()
    return timer.timeit(loops) / loops


def _process(arguments: Sequence[str], environment: Mapping[str, str]) -> float:
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(sys.executable, [sys.executable, *arguments], environment, file_actions=silent)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"python {' '.join(arguments)} ended with status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime
