"""Several processes on this machine, or on each of several, under torch's elastic agent.

The agent ends all ranks of its node when one fails. What it cannot do is outlive a SIGKILL, nor end its workers then:
that is what `lifeline` is for. Nor does it notice in time that another node is gone: that is what `group` is for.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from subprocess import Popen

from typedcfg.runner.launchers.base import THREADS_VARIABLE, Work
from typedcfg.runner.launchers.group.attendance import attend_alone, join, network_variables, own
from typedcfg.runner.launchers.group.link import Link
from typedcfg.runner.launchers.group.meeting import Group, Invitation
from typedcfg.runner.launchers.lifeline import tied


@dataclass(frozen=True, slots=True)
class Torchrun:
    """Starts as many workers as are asked for; only from the main thread, since it takes the signals."""

    processes: int
    """One for each device of this node, or for each rank on CPUs."""
    threads: int | None = None
    """Threads that each process computes with; if None as many as were saved, at a start OMP_NUM_THREADS, or else 1."""
    group: Group | None = None
    """Which of several nodes this is."""

    @property
    def is_first(self) -> bool:
        """Whether this is the only node, or the first of several."""
        return self.group is None or self.group.index == 0

    def launch(self, work: Work) -> int:
        """Start the agent and wait for it; what asks to stop goes on to it, and from it to every worker."""
        if self.group is None:
            return attend_alone(self._start(work, "--standalone"))
        return own(self.group, work, self._start_in_group).code

    def join(self, same: Mapping[str, str], work_of: Callable[[str], Work]) -> int:
        """Start this node's agent when the first node invites to it."""
        assert self.group is not None, "a node alone is the first"
        return join(self.group, same, work_of, self._start_in_group)

    def _start_in_group(self, work: Work, invitation: Invitation, link: Link) -> "Popen[bytes]":
        group = self.group
        assert group is not None
        # Ranks are numbered by node, so that the node that owns the run has rank 0, and each has the same data again.
        return self._start(
            work,
            f"--nnodes={group.size}",
            f"--node-rank={group.index}",
            f"--master-addr={link.there if group.index else link.here}",
            f"--master-port={invitation.port}",
            f"--rdzv-id={invitation.token}",
            variables=network_variables(link),
        )

    def _start(self, work: Work, *where: str, variables: Mapping[str, str] | None = None) -> "Popen[bytes]":
        environment = {
            # torchrun would choose the same, with a banner.
            "OMP_NUM_THREADS": "1",
            **(variables or {}),
            **work.environment(),
            **({"OMP_NUM_THREADS": str(self.threads), THREADS_VARIABLE: str(self.threads)} if self.threads else {}),
        }
        agent = ["typedcfg.runner.lightning.agent", *where, f"--nproc-per-node={self.processes}", "--max-restarts=0"]
        lifeline = [sys.executable, "-m", "typedcfg.runner.launchers.lifeline"]
        # A session of its own: Ctrl-C reaches it once, by us, and not a second time by the terminal.
        return Popen([*lifeline, *agent, *work.command], env=tied(environment), start_new_session=True)  # noqa: S603  # no shell
