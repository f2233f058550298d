"""As for sources: each promise is broken once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from typedcfg.runner.launchers.base import Launcher, Work
from typedcfg.testing import LauncherContract


class Launching:
    """A launcher that does what a function does."""

    def __init__(self, launch: Callable[[Work], int]) -> None:
        self.launch = launch


class Contract(LauncherContract):
    def __init__(self, launch: Callable[[Work], int]) -> None:
        self.launch = launch

    def make_launcher(self) -> Launcher:
        return Launching(self.launch)


def tells_nothing(work: Work) -> int:
    (work.attempt / "told0").write_text(str(work.run))
    return 0


@pytest.mark.parametrize(
    ("test", "launch", "told"),
    [
        ("test_the_work_is_done_when_a_launcher_returns", lambda _: 0, "before its workers"),
        ("test_the_work_is_done_when_a_launcher_returns", lambda work: work.call() + 1, "ends with 1"),
        ("test_work_that_fails_is_told", lambda _: 0, "passes for done"),
        ("test_workers_are_told_all_that_they_need", tells_nothing, "variables"),
    ],
)
def test_a_launcher_that_breaks_its_promise_is_told(
    test: str, launch: Callable[[Work], int], told: str, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match=told):
        getattr(Contract(launch), test)(tmp_path)
