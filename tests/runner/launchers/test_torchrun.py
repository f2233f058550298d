import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from typedcfg.runner.launchers.base import Work

pytestmark = [pytest.mark.slow, pytest.mark.multiprocess]

PATIENCE_S = 60


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def launched(
    work: Callable[[str], Work], launch_command: Callable[[Work], list[str]]
) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """A launcher of two ranks that wait, and the ranks' numbers."""
    made = work("wait")
    with subprocess.Popen(launch_command(made), stderr=subprocess.DEVNULL) as launcher:
        files = [made.attempt / "rank0", made.attempt / "rank1"]
        until(lambda: all(file.exists() for file in files))
        ranks = [int(file.read_text()) for file in files]
        assert all(map(is_alive, ranks))
        yield launcher, ranks
        launcher.kill()
    until(lambda: not any(map(is_alive, ranks)))


def test_one_killed_rank_ends_the_others(launched: tuple[subprocess.Popen[bytes], list[int]]) -> None:
    launcher, ranks = launched

    os.kill(ranks[1], signal.SIGKILL)

    assert launcher.wait(PATIENCE_S) != 0
    assert not any(map(is_alive, ranks))


def test_a_killed_launcher_leaves_no_orphans(launched: tuple[subprocess.Popen[bytes], list[int]]) -> None:
    launcher, ranks = launched

    launcher.kill()

    until(lambda: not any(map(is_alive, ranks)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_every_rank(
    launched: tuple[subprocess.Popen[bytes], list[int]], number: signal.Signals
) -> None:
    launcher, ranks = launched

    launcher.send_signal(number)

    assert launcher.wait(PATIENCE_S) != 0
    assert not any(map(is_alive, ranks))
