"""torch's elastic agent, as `torchrun` is, that leaves it to the workers to say what went wrong.

torchrun would print a traceback of its own for every worker that fails. And it exits with 1 whatever happened, where
this exits as the worker did that failed first.
"""

import logging
import sys

from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import parse_args, run


def main() -> int:
    """Run the agent; the arguments are torchrun's."""
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    try:
        run(parse_args(None))  # type: ignore[no-untyped-call]  # torch does not type these
    except ChildFailedError as error:
        _, first = error.get_first_failure()
        return first.exitcode if first.exitcode > 0 else 128 - first.exitcode
    except SignalException as error:
        return 128 + error.sigval
    return 0


if __name__ == "__main__":
    sys.exit(main())
