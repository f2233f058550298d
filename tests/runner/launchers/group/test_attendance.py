"""Two members of a group, in two threads, whose own processes are as short as can be."""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import Popen

import pytest

from typedcfg.errors import RunFailed
from typedcfg.runner.launchers.base import Work
from typedcfg.runner.launchers.group import attendance
from typedcfg.runner.launchers.group.address import Endpoint, free_port
from typedcfg.runner.launchers.group.attendance import Start, attend_alone, join, own
from typedcfg.runner.launchers.group.meeting import Group

WORK = Work(Path("run"), Path("run/attempt"), call=lambda: 0, command=())
Ends = Callable[[str, str], tuple[int, int]]


def starts(code: str) -> Start:
    """Starts a process that runs a line of Python."""
    return lambda *_: Popen([sys.executable, "-c", code])


@pytest.fixture
def ends() -> Ends:
    """The exit codes of two members, whose processes run a line of Python each."""
    endpoint = Endpoint("127.0.0.1", free_port("127.0.0.1"))

    def run_both(first: str, second: str) -> tuple[int, int]:
        groups = [Group(index, 2, endpoint, join_timeout_s=10, link_timeout_s=5) for index in (0, 1)]
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(join, groups[1], {}, lambda _: WORK, starts(second))
            ending = own(groups[0], WORK, starts(first))
            assert ending.member == (1 if ending.code and not first.startswith("exit") else 0)
            return ending.code, other.result()

    return run_both


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [("", "", 0), ("", "exit(7)", 7), ("exit(7)", "", 7), ("import time; time.sleep(0.5)", "exit(143)", 143)],
)
def test_all_end_as_the_first_that_ends_badly(ends: Ends, first: str, second: str, code: int) -> None:
    assert ends(first, second) == (code, code)


@pytest.mark.parametrize("is_first_stuck", [True, False])
def test_a_process_that_is_stuck_is_ended_once_another_failed(
    ends: Ends, monkeypatch: pytest.MonkeyPatch, *, is_first_stuck: bool
) -> None:
    monkeypatch.setattr(attendance, "_GRACE_S", 0.2)
    stuck, fails = "import time; time.sleep(60)", "exit(7)"

    began = time.monotonic()
    codes = ends(*((stuck, fails) if is_first_stuck else (fails, stuck)))

    assert codes == (7, 7)
    assert time.monotonic() - began < 30


def test_a_member_that_cannot_start_ends_the_others() -> None:
    endpoint = Endpoint("127.0.0.1", free_port("127.0.0.1"))
    groups = [Group(index, 2, endpoint, join_timeout_s=10, link_timeout_s=5) for index in (0, 1)]

    def refuses(_: str) -> Work:
        raise FileNotFoundError("no such folder here")

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(join, groups[1], {}, refuses, starts(""))

        with pytest.raises(RunFailed, match="node 1 ended"):
            own(groups[0], WORK, starts("import time; time.sleep(60)"))
        with pytest.raises(FileNotFoundError):
            other.result()


def test_who_asks_is_told_at_once_that_it_was_heard(capfd: pytest.CaptureFixture[str]) -> None:
    asks = f"import os, signal, time; os.kill({os.getpid()}, signal.SIGTERM); time.sleep(60)"

    assert attend_alone(Popen([sys.executable, "-c", asks])) == 143

    assert capfd.readouterr().err == "SIGTERM: stopping where it can be gone on from; once more stops at once\n"
