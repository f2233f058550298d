"""Several processes on this machine, under torch's elastic agent.

The agent ends all ranks when one fails. What it cannot do is outlive a SIGKILL, nor end its workers then: that is
what `lifeline` is for.
"""

import os
import subprocess
import sys
from dataclasses import dataclass

from typedcfg.runner.launchers.base import Work
from typedcfg.runner.launchers.lifeline import PARENT_VARIABLE
from typedcfg.runner.stop_signals import code_of_end, taken


@dataclass(frozen=True, slots=True)
class Torchrun:
    """Starts as many workers as are asked for; only from the main thread, since it takes the signals."""

    processes: int
    """One for each device, or for each rank on CPUs."""
    threads: int | None = None
    """Threads that each process computes with; None leaves it to OMP_NUM_THREADS, or else to torchrun: 1."""

    def launch(self, work: Work) -> int:
        """Start the agent and wait for it; what asks to stop goes on to it, and from it to every worker."""
        environment = {
            # torchrun would choose the same, with a banner.
            "OMP_NUM_THREADS": "1",
            **work.environment(),
            **({"OMP_NUM_THREADS": str(self.threads)} if self.threads else {}),
            PARENT_VARIABLE: str(os.getpid()),
        }
        # A session of its own: Ctrl-C reaches it once, by us, and not a second time by the terminal.
        with (
            subprocess.Popen(self.command_line(work), env=environment, start_new_session=True) as agent,  # noqa: S603  # no shell
            taken(agent.send_signal),
        ):
            code = agent.wait()
        return code_of_end(code)

    def command_line(self, work: Work) -> list[str]:
        """The agent's command line."""
        lifeline = [sys.executable, "-m", "typedcfg.runner.launchers.lifeline"]
        agent = [
            "typedcfg.runner.lightning.agent",
            "--standalone",
            f"--nproc-per-node={self.processes}",
            "--max-restarts=0",
        ]
        return [*lifeline, *agent, *work.command]
