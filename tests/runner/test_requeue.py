import logging
from pathlib import Path

import pytest

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
