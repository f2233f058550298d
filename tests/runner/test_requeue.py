import logging
import signal
from pathlib import Path

import pytest

from typedcfg import Experiment, Runner
from typedcfg.runner import requeue as module
from typedcfg.runner.failure import Preempted
from typedcfg.runner.launchers.lifeline import PARENT_VARIABLE
from typedcfg.runner.requeue import requeue

SCONTROL = """#!/bin/sh
echo "$@" >> asked
[ "$2" != 13 ] || { echo "no such job" >&2; exit 1; }
"""


@pytest.fixture(autouse=True)
def _scontrol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scontrol").write_text(SCONTROL)
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for name in ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"):
        monkeypatch.delenv(name, raising=False)
    module._queue.cache_clear()


def test_a_job_is_queued_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "12")

    requeue()

    assert Path("asked").read_text() == "requeue 12\n"


def test_a_job_of_an_array_is_named_as_slurm_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SLURM_JOB_ID": "15", "SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "3"}.items():
        monkeypatch.setenv(name, value)

    requeue()

    assert Path("asked").read_text() == "requeue 12_3\n"


def test_outside_of_slurm_nobody_is_asked() -> None:
    requeue()

    assert not Path("asked").exists()


def test_a_refusal_is_told_and_ends_nothing(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "13")

    with caplog.at_level(logging.WARNING):
        requeue()

    assert "does not queue job 13 once more" in caplog.text
    assert "no such job" in caplog.text


def test_a_job_is_queued_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "12")

    requeue()
    requeue()

    assert Path("asked").read_text() == "requeue 12\n"


def test_a_worker_leaves_it_to_the_owner_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setenv(PARENT_VARIABLE, "1")

    requeue()

    assert not Path("asked").exists()


@pytest.mark.parametrize("place", ["build_model", "build_data"])
def test_a_run_that_is_stopped_outside_the_batches_is_queued_once_more(
    place: str, tiny: type[Experiment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setattr(tiny, place, lambda _: signal.raise_signal(signal.SIGUSR1))
    runner = Runner(tiny.compile())

    with pytest.raises(Preempted):
        runner.fit()

    assert Path("asked").read_text() == "requeue 12\n"
    assert runner.record is not None
    assert runner.record.attempts[-1].stopped_by == "SIGUSR1"
