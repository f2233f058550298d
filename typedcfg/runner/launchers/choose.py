"""Which launcher a configuration asks for."""

from typedcfg.errors import Problem, RunError
from typedcfg.runner.launchers.base import Launcher
from typedcfg.runner.launchers.in_process import InProcess
from typedcfg.runner.launchers.torchrun import Torchrun
from typedcfg.sections.launch import InProcessLaunch, Launch, TorchrunLaunch


def choose_launcher(launch: Launch, *, devices: int) -> Launcher:
    """The launcher of a section `launch`.

    Args:
        launch: The section.
        devices: How many devices are trained on, with a process for each.

    Raises:
        RunError: It cannot start as many processes.
    """
    if isinstance(launch, TorchrunLaunch):
        return Torchrun(devices, threads=launch.threads)
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
