"""How an attempt ended, where it is its processes that say so."""

import signal

from typedcfg.errors import RunFailed
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


def check_end(book: RunBook, attempt: AttemptDir, exit_code: int) -> None:
    """See to it that the processes of an attempt came to the end of its training; only for who owns the run.

    That they ended with 0 says little: an `os._exit(0)` in a model, or in what it calls, ends a process so.

    Raises:
        RunFailed: They did not.
        Preempted: They were asked to stop.
        KeyboardInterrupt: They were, by Ctrl-C.
    """
    if exit_code or book.attempt(attempt).trained is None:
        raise bad_end(book, attempt, exit_code)


def bad_end(book: RunBook, attempt: AttemptDir, exit_code: int) -> BaseException:
    """What to raise where worker processes came to a bad end."""
    if exit_code == PREEMPTED:
        return Preempted(book.attempt(attempt).stopped_by)
    if exit_code == INTERRUPTED:
        return KeyboardInterrupt()
    record = book.attempt(attempt)
    untold = Failure(what=_untold(exit_code), where="", rank=0, traceback="")
    failure = record.failure or told_hang(attempt.logs()) or untold
    book.fail(attempt, failure)
    return RunFailed(problem_of(failure, attempt.log(failure.rank)))


def note_bad_end(book: RunBook, attempt: AttemptDir, *, rank: int, exit_code: int) -> None:
    """Record how a rank ended, the first of all to end, where it did not say so itself.

    Of a SIGKILL it cannot say anything, and what others met for it is its consequence. A crash that a signal tells of,
    SIGSEGV for one, may be the consequence of what another rank recorded.
    """
    if exit_code == SIGNALLED + signal.SIGKILL or book.attempt(attempt).failure is None:
        what = f"rank {rank} {_how_it_ended(exit_code)}"
        book.change(attempt, failure=Failure(what=what, where="", rank=rank, traceback=""))


def _untold(exit_code: int) -> str:
    """What is told where no rank said how it came to its end."""
    if exit_code:
        return f"the process that started the ranks {_how_it_ended(exit_code)}"
    return "a process ended with 0 before the training was over"


def _how_it_ended(exit_code: int) -> str:
    try:
        return f"was killed by {signal.Signals(exit_code - SIGNALLED).name}"
    except ValueError:  # no signal has that number
        return f"ended with {exit_code}"
