import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from typedcfg.disk import Disk, using
from typedcfg.errors import RecordError, RunOwned
from typedcfg.records.result_record import read_results
from typedcfg.runner.ownership import Fence, Ownership, read_owner, term_of

HOLDER = """
import os, sys, time
from pathlib import Path
from typedcfg.runner.ownership import Ownership

with Ownership(Path(sys.argv[1])):
    # Of two processes the child speaks: by then it exists, and has let go of what it was born with.
    if sys.argv[2:] != ["fork"] or os.fork() == 0:
        print("held", os.getpid(), flush=True)
    time.sleep(60)
"""

ELSEWHERE = """
# A process on another machine, whose locks nobody here sees; its clock is days ahead, or behind.
import fcntl, socket, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock
from typedcfg.errors import RunOwned
from typedcfg.records.result_record import BY_LOSS, Result, ResultFiles, ResultHeader, ResultLog
from typedcfg.runner import ownership
from typedcfg.runner.ownership import Fence, Ownership

lock, host, locks, days = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])

class Clock(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.now(UTC) + timedelta(days=days)

def flock(*_):
    if locks == "none":
        raise OSError(95, "Operation not supported")

files = ResultFiles(*(lock.parent / name for name in ("results.jsonl", "results.json", "latest.json", "best.json")))
with (
    mock.patch.object(fcntl, "flock", flock),
    mock.patch.object(socket, "gethostname", lambda: host),
    mock.patch.object(ownership, "_boot_id", lambda: host),
    mock.patch.object(ownership, "datetime", Clock),
):
    try:
        with Ownership(lock, lease_s=1.2) as own:
            print("won", flush=True)
            guard = Fence(lock, own.term).check
            with ResultLog(files, ResultHeader(host), BY_LOSS, guard=guard) as log:
                for line in sys.stdin:
                    log.append(Result(epoch=int(line), step=1, splits={"val": {"loss": 1.0}}))
                    print("recorded", flush=True)
    except RunOwned as error:
        print(error.problems[0].what, flush=True)
        sys.exit(3)
"""


class Elsewhere:
    """A process on another machine that would own a run."""

    def __init__(self, lock: Path, host: str, *, locks: str = "own", days: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", ELSEWHERE, lock, host, locks, str(days)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def record(self, epoch: int) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{epoch}\n")
        self.process.stdin.flush()
        return self.says()

    def waits(self) -> int:
        """End it in peace, or wait for its end."""
        self.process.communicate()
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


class StartElsewhere(Protocol):
    """Starts a process on another machine."""

    def __call__(self, host: str, *, locks: str = "own", days: int = 0) -> Elsewhere: ...


@pytest.fixture
def elsewhere(lock: Path) -> Iterator[StartElsewhere]:
    started = []

    def start(host: str, *, locks: str = "own", days: int = 0) -> Elsewhere:
        started.append(Elsewhere(lock, host, locks=locks, days=days))
        return started[-1]

    yield start
    for one in started:
        if one.process.returncode is None:
            one.kill()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    folder = tmp_path / "digits-base-0123456789abcdef"
    folder.mkdir()
    return folder / "lock"


@pytest.fixture
def holder(lock: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", HOLDER, lock], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("held")
        yield process
        process.kill()


def test_a_run_that_is_owned_is_refused_and_its_owner_named(lock: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(RunOwned) as caught, Ownership(lock):
        pass

    problem, owner = caught.value.problems[0], read_owner(lock)
    assert owner is not None
    assert owner.since is not None
    who = f"process {holder.pid} on {socket.gethostname()} since {owner.since:%Y-%m-%d %H:%M:%S} UTC"
    assert problem.what == f"the run {lock.parent.name} is owned by {who}"
    assert problem.fix == f"wait until it ends, or stop it: kill {holder.pid}"
    assert caught.value.exit_code == 3


def test_an_owner_that_is_killed_leaves_the_run_free(lock: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()

    with Ownership(lock):
        owner = read_owner(lock)

    assert owner is not None
    assert owner.pid == os.getpid()


def test_a_forked_child_does_not_keep_the_lock_of_its_dead_parent(lock: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, lock, "fork"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline().split()[1])
        process.kill()
        process.wait()

        with Ownership(lock):
            os.kill(child, signal.SIGKILL)


def test_an_owner_gives_the_run_back(lock: Path) -> None:
    with Ownership(lock):
        pass

    with Ownership(lock):
        pass


class Patient(Disk):
    """Notes how long it is waited for something, instead of waiting."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)


def test_the_first_owner_waits_for_nobody(lock: Path) -> None:
    with using(disk := Patient()), Ownership(lock):
        assert disk.waited == []


def test_who_began_a_term_and_is_not_named_yet_is_waited_for(lock: Path) -> None:
    lock.with_name(".lock.1").touch()

    with using(disk := Patient()), Ownership(lock) as ownership:
        assert sum(disk.waited) > 0.05
        assert ownership.term == 2


def test_a_term_that_no_owner_can_have_reached_is_none(lock: Path) -> None:
    lock.write_text(f'{{"host": "turing", "pid": 1, "term": {2**63 - 1}}}')
    lock.with_name(f".lock.{'9' * 23}").touch()

    with Ownership(lock) as ownership:
        assert ownership.term == 1


@pytest.mark.parametrize("lease", ["1e308", "-1", "0", '"NaN"', '"inf"'])
def test_a_lease_that_no_owner_can_have_asked_for_is_none(lock: Path, lease: str) -> None:
    lock.write_text(f'{{"host": "turing", "pid": 1, "term": 1, "lease_s": {lease}}}')

    assert read_owner(lock) is None
    with Ownership(lock) as ownership:
        assert ownership.term == 1


def test_a_sign_that_is_a_folder_is_an_error_with_its_path(lock: Path) -> None:
    sign = lock.with_name(".lock.1")
    sign.mkdir()

    with pytest.raises(RecordError, match="cannot lock the run: Is a directory") as caught, Ownership(lock):
        pass

    [problem] = caught.value.problems
    assert (problem.where, problem.fix) == (str(sign), "move the folder of that name away")


def test_a_folder_that_cannot_be_written_to_is_an_error_with_its_path(tmp_path: Path) -> None:
    lock = tmp_path / "gone" / "lock"

    with pytest.raises(RecordError, match="cannot lock the run: No such file") as caught, Ownership(lock):
        pass

    assert caught.value.problems[0].where == str(lock)


def test_who_owns_is_known_by_more_than_a_number(lock: Path) -> None:
    with Ownership(lock):
        owner = read_owner(lock)

    assert owner is not None
    assert owner.started is not None
    assert owner.boot_id is not None


def test_an_owner_whose_parent_never_asked_how_it_ended_is_gone(lock: Path, holder: subprocess.Popen[str]) -> None:
    owner = read_owner(lock)
    assert owner is not None
    assert not owner.is_gone()

    holder.kill()
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # it is dead, and was not asked

    assert owner.is_gone()


def test_each_owner_has_a_later_term_than_the_one_before(lock: Path) -> None:
    with Ownership(lock) as first:
        before = first.term
        assert term_of(lock) == before

    with Ownership(lock) as second:
        assert before is not None
        assert second.term == before + 1

    assert term_of(lock) is None
    assert [path.name for path in lock.parent.glob(".lock.*")] == [".lock.2"]


def test_an_owner_is_fenced_off_from_the_moment_another_one_took_over(lock: Path) -> None:
    with Ownership(lock) as first:
        assert first.term is not None
        fence = Fence(lock, first.term)
        fence.check()

    with Ownership(lock), pytest.raises(RunOwned, match=f"was taken over by process {os.getpid()}"):
        fence.check()


def test_an_owner_that_gave_the_run_back_is_not_waited_for(lock: Path, elsewhere: StartElsewhere) -> None:
    owner = elsewhere("turing")
    assert owner.says() == "won"
    assert owner.waits() == 0

    with Ownership(lock) as ownership:
        assert ownership.term == 2


@pytest.mark.parametrize("locks", ["own", "none"])
@pytest.mark.parametrize("days", [-1, 1])
def test_an_owner_elsewhere_that_gives_signs_is_left_alone_whatever_its_clock(
    lock: Path, elsewhere: StartElsewhere, locks: str, days: int
) -> None:
    owner = elsewhere("turing", locks=locks, days=days)
    assert owner.says() == "won"

    other = elsewhere("hopper", locks=locks)

    assert other.says().startswith(f"the run {lock.parent.name} is owned by process {owner.process.pid} on turing")
    assert other.waits() == 3
    owner.kill()


@pytest.mark.slow
@pytest.mark.parametrize("days", [-1, 1])
def test_an_owner_elsewhere_that_died_is_followed_once_its_lease_is_over(elsewhere: StartElsewhere, days: int) -> None:
    owner = elsewhere("turing", days=days)
    assert owner.says() == "won"
    owner.kill()

    begin = time.monotonic()
    other = elsewhere("hopper")

    assert other.says() == "won"
    assert time.monotonic() - begin > 1.8


class Forgetting(Disk):
    """Forgets a file handle, once."""

    forgotten = False

    def reopen(self, path: Path) -> int:
        if not self.forgotten:
            self.forgotten = True
            raise OSError(errno.ESTALE, "Stale file handle")
        return super().reopen(path)


def test_an_owner_whose_sign_the_server_forgot_gives_the_next(lock: Path) -> None:
    sign = lock.with_name(".lock.1")

    with using(disk := Forgetting()), Ownership(lock, lease_s=0.12):
        _until(lambda: sign.read_bytes() >= b"%020d" % 3)

    assert disk.forgotten


def test_an_owner_whose_term_is_over_makes_no_file_of_it_anew(lock: Path) -> None:
    sign = lock.with_name(".lock.1")
    with Ownership(lock, lease_s=0.12):
        _until(lambda: sign.read_bytes() != b"")

        sign.unlink()

        _until(lambda: "typedcfg lease" not in [thread.name for thread in threading.enumerate()])
    assert not sign.exists()


def _until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("locks", ["own", "none"])
def test_of_eight_that_would_follow_a_dead_owner_one_does(elsewhere: StartElsewhere, locks: str) -> None:
    owner = elsewhere("turing", locks=locks)
    assert owner.says() == "won"
    owner.kill()

    others = [elsewhere(f"host{number}", locks=locks) for number in range(8)]
    said = [other.says() for other in others]

    assert said.count("won") == 1, said
    assert sum("is owned by process" in what for what in said) == 7


@pytest.mark.slow
def test_an_owner_that_slept_while_it_was_followed_records_nothing_more(lock: Path, elsewhere: StartElsewhere) -> None:
    owner = elsewhere("turing")
    assert owner.says() == "won"
    assert owner.record(1) == "recorded"
    owner.process.send_signal(signal.SIGSTOP)
    other = elsewhere("hopper")
    assert other.says() == "won"

    owner.process.send_signal(signal.SIGCONT)

    assert "was taken over by process" in owner.record(2)
    assert owner.waits() == 3
    assert other.record(3) == "recorded"
    assert list(read_results(lock.parent / "results.jsonl")) == [1, 3]
