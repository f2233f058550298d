"""A task of a SLURM job: one of the ranks, that `srun` started each on its own.

Each starts its worker as a process of its own, which it can end when another rank is lost.
"""

import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from subprocess import Popen
from typing import Final

from typedcfg.errors import Problem, RecordError, RunError
from typedcfg.runner.ending import note_bad_end
from typedcfg.runner.failure import INTERRUPTED, PREEMPTED
from typedcfg.runner.launchers.base import Work
from typedcfg.runner.launchers.group.address import Endpoint
from typedcfg.runner.launchers.group.attendance import Ending, attend_alone, join, network_variables, own
from typedcfg.runner.launchers.group.link import Link
from typedcfg.runner.launchers.group.meeting import Group, Invitation
from typedcfg.runner.launchers.lifeline import tied
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.sections.launch import SlurmLaunch

_OF_A_TASK: Final = ("SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", "SLURM_NODELIST")
"""What only `srun` sets all of: the script of a job has no step."""
_FIRST_HOST: Final = re.compile(r"([^,\[]+)(?:\[(\w+)[^\]]*\]([^,]*))?")
_PORTS: Final = range(15_000, 25_000)
"""Below those that systems give away by themselves."""


@dataclass(frozen=True, slots=True)
class Slurm:
    """One rank of a job; only from the main thread, since it takes the signals."""

    group: Group
    local_rank: int
    """Which of its node's ranks it is."""
    devices: int
    """How many ranks each node has."""

    @classmethod
    def of_task(cls, launch: SlurmLaunch, environment: Mapping[str, str], *, devices: int, nodes: int) -> "Slurm":
        """The launcher of the task that this process is.

        Raises:
            RunError: It is none, or there are more or fewer tasks than ranks.
        """
        if not is_task(environment):
            what = "launch=slurm trains within a job, as tasks of `srun`, and this is none"
            raise RunError(Problem(what, fix="submit it with `typedcfg run APP launch=slurm`, or set launch=auto"))
        tasks, job = int(environment["SLURM_NTASKS"]), int(environment["SLURM_JOB_ID"])
        if tasks != devices * nodes:
            raise RunError(
                Problem(
                    f"the job has {tasks} tasks, and trainer.devices={devices} on trainer.num_nodes={nodes} makes "
                    f"{devices * nodes} ranks",
                    expected="a task for each rank",
                    fix=f"srun --nodes={nodes} --ntasks-per-node={devices}",
                )
            )
        step = int(environment["SLURM_STEP_ID"])
        group = Group(
            int(environment["SLURM_PROCID"]),
            tasks,
            Endpoint(first_host(environment["SLURM_NODELIST"]), _PORTS[(job + step) % len(_PORTS)]),
            join_timeout_s=launch.join_timeout.total_seconds(),
            link_timeout_s=launch.link_timeout.total_seconds(),
            noun="task",
        )
        return cls(group, int(environment["SLURM_LOCALID"]), devices)

    @property
    def is_first(self) -> bool:
        """Whether this is rank 0."""
        return self.group.index == 0

    def launch(self, work: Work) -> int:
        """Start this rank's worker, with those of the others; which of them ended badly is recorded."""
        if self.group.size == 1:
            ending = Ending(attend_alone(self._start(work, {})), member=0)
        else:
            ending = own(self.group, work, self._start_in_group)
        if ending.code not in {0, PREEMPTED, INTERRUPTED}:
            with suppress(RecordError, RunError):  # that one ended so is told all the same, by that code
                book, attempt = RunBook(RunDir.at(work.run)), AttemptDir(work.attempt)
                note_bad_end(book, attempt, rank=ending.member, exit_code=ending.code)
        return ending.code

    def join(self, same: Mapping[str, str], work_of: Callable[[str], Work]) -> int:
        """Start this rank's worker when rank 0 invites to it."""
        return join(self.group, same, work_of, self._start_in_group)

    def _start_in_group(self, work: Work, invitation: Invitation, link: Link) -> "Popen[bytes]":
        index = self.group.index
        ranks = {
            "RANK": index,
            "WORLD_SIZE": self.group.size,
            "LOCAL_RANK": self.local_rank,
            "LOCAL_WORLD_SIZE": self.devices,
            "GROUP_RANK": index // self.devices,
            "MASTER_ADDR": link.there if index else link.here,
            "MASTER_PORT": invitation.port,
            "TORCHELASTIC_RUN_ID": invitation.token,
        }
        return self._start(work, {**network_variables(link), **{name: str(value) for name, value in ranks.items()}})

    def _start(self, work: Work, variables: Mapping[str, str]) -> "Popen[bytes]":
        environment = tied({**work.environment(), **variables})
        return Popen([sys.executable, *work.command], env=environment, start_new_session=True)  # noqa: S603  # no shell


def is_task(environment: Mapping[str, str]) -> bool:
    """Whether a process was started by `srun`."""
    return all(name in environment for name in _OF_A_TASK)


def first_host(nodes: str) -> str:
    """The first host of a list as SLURM writes it.

    Example:
        >>> first_host("gpu[03-05,09],login1")
        'gpu03'
    """
    found = _FIRST_HOST.match(nodes)
    assert found is not None, "a job has a node"
    prefix, number, suffix = found.groups(default="")
    return f"{prefix}{number}{suffix}"
