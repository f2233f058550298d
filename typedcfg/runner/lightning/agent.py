"""torch's elastic agent, as `torchrun` is, that leaves it to the workers to say what went wrong.

torchrun would print a traceback of its own for every worker that fails. And it exits with 1 whatever happened, where
this exits as the worker did that failed first. What asks it to stop it passes on, as torchrun does, but waits until the
workers have saved, and takes one wish that it hears twice for one.
"""

import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure
from torch.distributed.run import parse_args, run

from typedcfg.errors import RecordError, RunError
from typedcfg.runner.ending import note_bad_end
from typedcfg.runner.failure import INTERRUPTED, PREEMPTED
from typedcfg.runner.launchers.base import ATTEMPT_VARIABLE, RUN_VARIABLE
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.runner.stop_signals import StopSignals, code_of_end, stay_stopped, taken

_GRACE_S: Final = 3600
"""How long workers may take to save after a signal; whoever sent it kills sooner, if it must be."""
_NONE_OF_TORCHS: Final = "SIGQUIT"
"""The signals that are left to torch, which wants at least one."""
_signals: Final = StopSignals()


def main() -> int:
    """Run the agent, and return the code to exit with at once; the arguments are torchrun's."""
    code = _run()
    stay_stopped()  # how the workers ended is told by this code alone
    return code


def _run() -> int:
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    options = [f"--shutdown-timeout={_GRACE_S}", f"--signals-to-handle={_NONE_OF_TORCHS}"]
    try:
        with taken(_pass_on):
            run(parse_args([*options, *sys.argv[1:]]))  # type: ignore[no-untyped-call]  # torch does not type these
    except ChildFailedError as error:
        rank, first = _first(error)
        code = code_of_end(first.exitcode)
        if code not in {PREEMPTED, INTERRUPTED}:
            _note_end(rank, code)
        return code
    except SignalException as error:
        return code_of_end(-error.sigval)
    return 0


def _first(error: ChildFailedError) -> tuple[int, ProcessFailure]:
    """The rank that was the first to end; their times are whole seconds, and one that is killed is soon missed."""
    return min(error.failures.items(), key=lambda item: (item[1].timestamp, item[1].exitcode != -signal.SIGKILL))


def _note_end(rank: int, exit_code: int) -> None:
    """Record which rank it was: the exit code of this process has no room for it."""
    with suppress(RecordError, RunError):  # that one ended so is told all the same, by that code
        run, attempt = RunDir.at(Path(os.environ[RUN_VARIABLE])), AttemptDir(Path(os.environ[ATTEMPT_VARIABLE]))
        note_bad_end(RunBook(run), attempt, rank=rank, exit_code=exit_code)


def _pass_on(number: signal.Signals) -> None:
    """Have torch's agent pass on what asks to stop; a second time it ends at once, and the kernel ends its workers."""
    if _signals.note(number):
        raise SignalException(f"asked to stop by {number.name}", sigval=number)


if __name__ == "__main__":
    sys.exit(main())
