import os

import pytest

from typedcfg.runner.process import Process


def test_a_process_without_a_launcher_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)

    process = Process.this_one()

    assert process == Process(rank=0, local_rank=0, world_size=1, pid=os.getpid())
    assert (process.is_main, process.is_local_main) == (True, True)


def test_the_first_of_the_second_machine_is_not_the_first_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "2", "LOCAL_RANK": "0", "WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(name, value)

    process = Process.this_one()

    assert (process.is_main, process.is_local_main) == (False, True)


def test_who_was_forked_off_a_process_is_another_one() -> None:
    assert not Process.this_one().is_forked
    assert Process(pid=os.getppid()).is_forked
