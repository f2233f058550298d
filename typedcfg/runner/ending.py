"""How an attempt ended, where it is its processes that say so."""

import signal

from typedcfg.errors import Problem, RunFailed
from typedcfg.records.run_record import Failure, Status
from typedcfg.runner.failure import INTERRUPTED, PREEMPTED, Preempted, problem_of, told_hang
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import AttemptDir
from typedcfg.runner.stop_signals import SIGNALLED


def status_of(exit_code: int) -> Status:
    """What is recorded of an attempt whose process ended with a code."""
    if exit_code in {INTERRUPTED, PREEMPTED}:
        return "preempted"
    return "failed" if exit_code else "done"


def bad_end(book: RunBook, attempt: AttemptDir, exit_code: int) -> BaseException:
    """What to raise where worker processes came to a bad end."""
    if exit_code == PREEMPTED:
        return Preempted(book.attempt(attempt).stopped_by)
    if exit_code == INTERRUPTED:
        return KeyboardInterrupt()
    record = book.attempt(attempt)
    failure = record.failure or told_hang(attempt.logs())
    if failure is not None:
        book.fail(attempt, failure)
        return RunFailed(problem_of(failure, attempt.log(failure.rank)))
    return RunFailed(Problem(f"a process of the run {_how_it_ended(exit_code)}", where=str(attempt.path)))


def note_kill(book: RunBook, attempt: AttemptDir, *, rank: int, exit_code: int) -> None:
    """Record that a signal ended a rank, the first of all to end.

    Of a SIGKILL a rank cannot say anything itself, and what others met for it is its consequence. A crash that a signal
    tells of, SIGSEGV for one, may be the consequence of what another rank recorded.
    """
    if exit_code == SIGNALLED + signal.SIGKILL or book.attempt(attempt).failure is None:
        what = f"rank {rank} {_how_it_ended(exit_code)}"
        book.change(attempt, failure=Failure(what=what, where="", rank=rank, traceback=""))


def _how_it_ended(exit_code: int) -> str:
    try:
        return f"was killed by {signal.Signals(exit_code - SIGNALLED).name}"
    except ValueError:  # no signal has that number
        return f"ended with {exit_code}"
