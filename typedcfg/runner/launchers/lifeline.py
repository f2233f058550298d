"""No orphans: a process that ends when the one that started it does, were it by a SIGKILL.

Run as `python -m typedcfg.runner.launchers.lifeline MODULE ...` it ties a module's process to its parent, and tells
the processes started below whom to be tied to; those call `die_with_parent` themselves.
"""

import ctypes
import os
import runpy
import signal
import sys
from collections.abc import Mapping
from typing import Final

PARENT_VARIABLE: Final = "TYPEDCFG_PARENT"
"""The number of the process that started this one."""
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent ends; only Linux can.

    A process that nobody told of its parent, one started by hand or by a cluster's launcher, is left as it is.
    Elsewhere than on Linux the agent's own clean-up is all there is.
    """
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is None or sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot tie this process to its parent")
    if os.getppid() != int(parent):  # it ended before the kernel was asked
        os.kill(os.getpid(), signal.SIGKILL)


def tied(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that is to end with this one."""
    return {**environment, PARENT_VARIABLE: str(os.getpid())}


def main() -> None:
    """Become the module named first on the command line."""
    die_with_parent()
    os.environ[PARENT_VARIABLE] = str(os.getpid())
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
