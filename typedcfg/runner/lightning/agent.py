"""torch's elastic agent, as `torchrun` is, that leaves it to the workers to say what went wrong.

torchrun would print a traceback of its own for every worker that fails. And it exits with 1 whatever happened, where
this exits as the worker did that failed first. What asks it to stop it passes on, as torchrun does, but waits until the
workers have saved, and takes one wish that it hears twice for one.
"""

import logging
import signal
import sys
from typing import Final

from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import parse_args, run

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
        _, first = error.get_first_failure()
        return code_of_end(first.exitcode)
    except SignalException as error:
        return code_of_end(-error.sigval)
    return 0


def _pass_on(number: signal.Signals) -> None:
    """Have torch's agent pass on what asks to stop; a second time it ends at once, and the kernel ends its workers."""
    if _signals.note(number):
        raise SignalException(f"asked to stop by {number.name}", sigval=number)


if __name__ == "__main__":
    sys.exit(main())
