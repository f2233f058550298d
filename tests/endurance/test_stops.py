"""A run that is asked to stop, and not left the time; one that a cluster's queue has asked, and starts again."""

import os
import signal
import time
from pathlib import Path
from typing import Final

import pytest
from lives import ALONE, COPIES, PARTS, Calm, Shape, Zygote, steps

from typedcfg.runner.stop_signals import ECHO_S

pytestmark = [pytest.mark.slow, pytest.mark.multiprocess]

KILL, TERM = signal.SIGKILL, signal.SIGTERM
SCONTROL: Final = """#!/bin/sh
echo "$@, saved: $(cd experiments/*/*/checkpoints; ls step-*.json | tail -n 1)" >> asked
"""
IN_A_SCRIPT_OF_A_JOB: Final = {
    "SLURM_JOB_ID": "12",
    "SLURM_JOB_NAME": "train",
    "SLURM_NTASKS": "1",
    "SLURM_PROCID": "0",
    "SLURM_LOCALID": "0",
    "SLURM_NODEID": "0",
    "SLURM_NODELIST": "localhost",
}


@pytest.mark.parametrize(
    ("shape", "whom", "number"),
    [
        (ALONE, "all", TERM),
        (ALONE, "all", KILL),
        (COPIES, "launcher", TERM),
        (PARTS, "all", TERM),
        (PARTS, "all", KILL),
    ],
    ids=str,
)
def test_what_ends_the_save_of_a_stop_leaves_the_last_commit(
    *, shape: Shape, whom: str, number: signal.Signals, zygote: Zygote, calm: Calm, tmp_path: Path
) -> None:
    with zygote.life(tmp_path, *shape.settings, "batch_s=0.3", pause="train:8 stop:4@0") as life:
        life.send(TERM, whom, "train:8")
        time.sleep(ECHO_S[TERM] + 1)  # a wish that comes twice at once is one
        life.send(number, whom, "stop:4@0", is_last=True)
        assert life.end() == (143 if number == TERM else -KILL)

    assert steps(tmp_path) == [3, 4]  # and not 5, which was under way
    assert zygote.finish(tmp_path, *shape.settings) == calm(shape)


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where commands are looked for; one of SLURM's is there."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "scontrol").write_text(SCONTROL)
    (tmp_path / "bin" / "scontrol").chmod(0o755)
    return f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize("shape", [ALONE, COPIES], ids=str)
def test_a_job_is_saved_and_queued_once_more_and_goes_on(
    shape: Shape, path: str, zygote: Zygote, calm: Calm, tmp_path: Path
) -> None:
    with zygote.life(
        tmp_path, *shape.settings, "batch_s=0.3", pause="train:8", PATH=path, **IN_A_SCRIPT_OF_A_JOB
    ) as life:
        life.send(signal.SIGUSR1, "launcher", "train:8")
        assert life.end() == 143

    assert (tmp_path / "asked").read_text() == "requeue 12, saved: step-00000005.ckpt.json\n"
    assert zygote.finish(tmp_path, *shape.settings, PATH=path, **IN_A_SCRIPT_OF_A_JOB) == calm(shape)


def test_who_is_no_job_is_saved_by_the_same_signal(path: str, zygote: Zygote, calm: Calm, tmp_path: Path) -> None:
    with zygote.life(tmp_path, *ALONE.settings, pause="train:8", PATH=path) as life:
        life.send(signal.SIGUSR1, "rank 0", "train:8")
        assert life.end() == 143

    assert (
        "SIGUSR1: the training stops; it can be gone on with from step 5, saved"
        in (tmp_path / "printed.txt").read_text()
    )
    assert not (tmp_path / "asked").exists()
    assert zygote.finish(tmp_path, *ALONE.settings) == calm(ALONE)
