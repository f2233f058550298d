"""Ask a run of two ranks to stop, whichever process hears it: it ends saved, and goes on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from typedcfg.records.run_record import AttemptRecord, read_run_record

pytestmark = [pytest.mark.slow, pytest.mark.multiprocess]

APPS = Path(__file__).parents[1] / "apps"
PATIENCE_S = 120
GRACE_S = 30
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts a run of an experiment that takes its time, in a session of its own."""
    for name in ("tiny.py", "long.py"):
        shutil.copy(APPS / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    started: list[subprocess.Popen[bytes]] = []

    def run(*settings: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "typedcfg", "run", "long.py:Long", "trainer.devices=2", *settings]
        started.append(subprocess.Popen(command, start_new_session=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


def ranks_at(stage: str, step: int) -> list[int]:
    """The ranks' process numbers, once both are so far."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        files = [Path(f"{stage}.{rank}") for rank in range(2)]
        told = [file.read_text().split() for file in files if file.exists()]
        if len(told) == len(files) and all(int(at) >= step for _, at in told):
            return [int(number) for number, _ in told]
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def attempt() -> AttemptRecord:
    [path] = Path("experiments").glob("*/run.json")
    return read_run_record(path).attempts[-1]


def saved() -> list[str]:
    return sorted(path.name for path in Path("experiments").glob("*/*/checkpoints/step-*.ckpt"))


@pytest.mark.parametrize("who", ["rank 0", "rank 1", "launcher", "all"])
def test_it_is_enough_that_one_process_hears_it(who: str, start: Start) -> None:
    launcher = start()
    ranks = ranks_at("train", 1)
    hearing = {"rank 0": ranks[:1], "rank 1": ranks[1:], "launcher": [launcher.pid], "all": [launcher.pid, *ranks]}[who]

    for number in hearing:
        os.kill(number, signal.SIGTERM)

    assert launcher.wait(GRACE_S) == 143
    assert (attempt().status, attempt().exit_code, attempt().failure) == ("preempted", 143, None)
    assert saved()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGUSR1, 143), (signal.SIGHUP, 143)])
def test_other_signals_do_as_well(number: signal.Signals, code: int, start: Start) -> None:
    launcher = start()
    ranks_at("train", 1)

    launcher.send_signal(number)

    assert launcher.wait(GRACE_S) == code
    assert attempt().status == "preempted"
    assert saved()


@pytest.mark.parametrize("stage", ["build", "validate"])
def test_it_ends_where_it_cannot_be_saved_too(stage: str, start: Start) -> None:
    launcher = start()

    os.kill(ranks_at(stage, 0)[1], signal.SIGTERM)

    assert launcher.wait(GRACE_S) == 143
    assert (attempt().status, attempt().failure) == ("preempted", None)


def test_it_ends_when_its_time_is_up(start: Start) -> None:
    launcher = start("run.max_time=4", "trainer.max_epochs=1000")

    assert launcher.wait(PATIENCE_S) == 143
    assert (attempt().status, attempt().stopped_by) == ("preempted", "max_time")


def test_a_rank_that_stands_still_ends_the_run_and_is_told(start: Start) -> None:
    launcher = start("run.hang_timeout=5", "hang_at=2")

    assert launcher.wait(PATIENCE_S) == 1
    failure = attempt().failure
    assert failure is not None
    assert failure.what.startswith("hung: no step and no batch for 0:00:05")
    assert failure.what.endswith("run.log, run.rank1.log")
