"""What asks a training to stop does not end the processes that load its data: until it is saved it needs them.

Clusters signal every process of a job, and torch's agent every process of a rank's group. A process that loads would
die of that, and the training, in the midst of a step, of the loss.
"""

import atexit
import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from torch.utils.data._utils import signal_handling

from typedcfg.runner.stop_signals import STOP_SIGNALS

_PLACE: Final = "_set_worker_signal_handlers"
"""What torch calls first in each process that loads, and where that takes SIGTERM; no public place comes behind it."""
_GRACE_S: Final = 1.0
"""How long a process that is left over at the exit may take to end by itself."""


@contextmanager
def workers_outlast_stops() -> Iterator[None]:
    """For the length of the block, processes that are forked to load pass over what asks to stop, by any loader.

    They end as they always do: when their loader is done, or their parent gone.
    """
    usual = getattr(signal_handling, _PLACE)

    def take_signals() -> None:
        usual()
        for number in STOP_SIGNALS:
            signal.signal(number, _pass_over)

    setattr(signal_handling, _PLACE, take_signals)
    # Once, and ahead of multiprocessing's own: what is registered last comes first.
    atexit.unregister(_end_those_left)
    atexit.register(_end_those_left)
    try:
        yield
    finally:
        setattr(signal_handling, _PLACE, usual)


def _pass_over(*_: object) -> None:
    # Ignored signals would stay so in programs that a data set starts; one that is handled does not.
    pass


def _end_those_left() -> None:
    """End the daemons that are left: multiprocessing asks by SIGTERM, and then waits forever."""
    left = [process for process in multiprocessing.active_children() if process.daemon]
    if left:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # torch would raise for each that is killed
    for process in left:
        process.terminate()
    deadline = time.monotonic() + _GRACE_S
    for process in left:
        process.join(max(0.0, deadline - time.monotonic()))
        process.kill()
