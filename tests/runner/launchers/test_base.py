"""What every launcher promises."""

from collections.abc import Callable

import pytest

from typedcfg.runner.launchers.base import Launcher, Work
from typedcfg.runner.launchers.in_process import InProcess
from typedcfg.runner.launchers.torchrun import Torchrun

pytestmark = [pytest.mark.multiprocess, pytest.mark.parametrize("launcher", [InProcess(), Torchrun(processes=1)])]


def test_the_work_is_done_when_a_launcher_returns(launcher: Launcher, work: Callable[[str], Work]) -> None:
    code = launcher.launch(made := work("0"))

    assert code == 0
    assert (made.attempt / "rank0").exists()


def test_work_that_fails_is_told(launcher: Launcher, work: Callable[[str], Work]) -> None:
    assert launcher.launch(work("7")) != 0
