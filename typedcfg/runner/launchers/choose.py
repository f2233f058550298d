"""Which launcher a configuration asks for."""

import os

from typedcfg.errors import Problem, RunError
from typedcfg.runner.launchers.base import Launcher
from typedcfg.runner.launchers.group.address import Endpoint
from typedcfg.runner.launchers.group.meeting import Group
from typedcfg.runner.launchers.in_process import InProcess
from typedcfg.runner.launchers.slurm import Slurm, is_task
from typedcfg.runner.launchers.torchrun import Torchrun
from typedcfg.sections.launch import InProcessLaunch, Launch, SlurmLaunch, TorchrunLaunch


def choose_launcher(launch: Launch, *, devices: int, nodes: int = 1) -> Launcher:
    """The launcher of a section `launch`.

    Args:
        launch: The section.
        devices: How many devices of each node are trained on, with a process for each.
        nodes: How many nodes are trained on.

    Raises:
        RunError: It cannot start as many processes.
    """
    if isinstance(launch, SlurmLaunch):
        return Slurm.of_task(launch, os.environ, devices=devices, nodes=nodes)
    if isinstance(launch, TorchrunLaunch):
        return Torchrun(devices, threads=launch.threads, group=_group_of(launch, nodes))
    if nodes > 1:
        raise RunError(
            Problem(
                f"launch={launch.kind} trains on this machine alone, and trainer.num_nodes is {nodes}",
                fix="set launch=torchrun and launch.rdzv_endpoint, or launch=slurm",
            )
        )
    if devices == 1:
        return InProcess()
    if isinstance(launch, InProcessLaunch):
        raise RunError(
            Problem(
                f"launch=in_process trains in this process alone, and trainer.devices is {devices}",
                expected="a process for each device",
                fix="set launch=auto or launch=torchrun, or trainer.devices=1",
            )
        )
    return Torchrun(devices)


def restarts_of(launch: Launch) -> int:
    """How often a training that failed is begun once more; under SLURM it is the queue that does so."""
    return launch.max_restarts if isinstance(launch, TorchrunLaunch) else 0


def is_queued(launch: Launch) -> bool:
    """Whether a cluster is to train, and this process is not of its job yet."""
    return isinstance(launch, SlurmLaunch) and not is_task(os.environ)


def is_joining(launch: Launch) -> bool:
    """Whether another process of the group owns the run, and tells what came of it."""
    if isinstance(launch, SlurmLaunch):
        return is_task(os.environ) and os.environ["SLURM_PROCID"] != "0"
    return isinstance(launch, TorchrunLaunch) and launch.node_rank > 0


def _group_of(launch: TorchrunLaunch, nodes: int) -> Group | None:
    if launch.node_rank >= nodes:
        what = f"launch.node_rank is {launch.node_rank}, and trainer.num_nodes is {nodes}"
        raise RunError(Problem(what, expected="node ranks from 0 to one less than the number of nodes"))
    if nodes == 1:
        return None
    if launch.rdzv_endpoint is None:
        what = f"trainer.num_nodes is {nodes}, and nothing says where the nodes meet"
        raise RunError(Problem(what, fix="set launch.rdzv_endpoint=HOST:PORT, of node 0, alike on all nodes"))
    return Group(
        launch.node_rank,
        nodes,
        Endpoint.parse(launch.rdzv_endpoint),
        join_timeout_s=launch.join_timeout.total_seconds(),
        link_timeout_s=launch.link_timeout.total_seconds(),
    )
