import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from typedcfg.errors import RecordError, RunOwned
from typedcfg.runner.ownership import Ownership, read_owner

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

    problem = caught.value.problems[0]
    assert problem.what == f"the run {lock.parent.name} is owned by process {holder.pid} on {socket.gethostname()}"
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
