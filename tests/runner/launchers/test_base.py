"""What every launcher of ours promises."""

import pytest

from typedcfg.runner.launchers.base import Launcher
from typedcfg.runner.launchers.in_process import InProcess
from typedcfg.runner.launchers.torchrun import Torchrun
from typedcfg.testing import LauncherContract


class TestInProcess(LauncherContract):
    def make_launcher(self) -> Launcher:
        return InProcess()


@pytest.mark.multiprocess
@pytest.mark.slow
class TestTorchrun(LauncherContract):
    def make_launcher(self) -> Launcher:
        return Torchrun(processes=1)
