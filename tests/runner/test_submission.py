"""A run handed in to a SLURM of two shell scripts, which really starts the ranks."""

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from typedcfg.cli import main
from typedcfg.records.run_record import read_run_record
from typedcfg.runner.submission import job_script
from typedcfg.sections.launch import SlurmLaunch
from typedcfg.sections.trainer import Trainer

SBATCH = """#!/bin/sh
for word; do
  case $word in --output=*) log=${word#--output=};; --chdir=*) cd "${word#--chdir=}";; esac
  script=$word
done
SLURM_JOB_ID=77 bash "$script" >"$(echo "$log" | sed 's/%j/77/')" 2>&1
echo "77;cluster"
"""
SRUN = """#!/bin/sh
shift
export SLURM_STEP_ID=0 SLURM_NTASKS=2 SLURM_NODELIST=localhost
SLURM_PROCID=1 SLURM_LOCALID=1 "$@" & SLURM_PROCID=0 SLURM_LOCALID=0 "$@"
code=$?; wait; exit $code
"""


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts commands of SLURM's on the path."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def put(**scripts: str) -> None:
        for name, text in scripts.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)

    return put


def test_a_script_asks_for_what_the_section_says(snapshot: SnapshotAssertion) -> None:
    launch = SlurmLaunch(
        partition="gpu",
        account="vision",
        time=timedelta(days=1, hours=2, minutes=3, seconds=4),
        cpus_per_task=8,
        mem="64G",
        gres="gpu:4",
        lead_time=timedelta(minutes=7),
        lines=("#SBATCH --qos=high", "module load cuda"),
    )
    command = ("python", "-m", "typedcfg", "run", "it's $HOME/train.py:Digits", "runs/slurm.yaml")

    assert job_script(launch, Trainer(devices=4, num_nodes=2), name="wide", command=command) == snapshot


def test_a_flag_is_for_the_first_start_alone(snapshot: SnapshotAssertion) -> None:
    script = job_script(
        SlurmLaunch(requeue=False), Trainer(), name="wide", command=("python", "train.py"), flags=("--again",)
    )

    assert script == snapshot


def test_a_folder_that_was_renamed_breaks_no_line_of_its_script() -> None:
    script = job_script(SlurmLaunch(), Trainer(), name="my run\nrm -rf x", command=("python", "train.py"))

    assert script.splitlines()[1] == "#SBATCH --job-name=my_run_rm_-rf_x"
    assert "\nrm" not in script


def test_a_script_can_be_seen_before_it_is_handed_in(tiny_app: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.call(["run", tiny_app, "launch=slurm", "launch.submit=false"]) == 0

    [script] = Path("experiments").glob("*/slurm.sh")
    told = capsys.readouterr().out
    assert told.startswith(script.read_text())
    assert "# sbatch --parsable" in told


def test_what_slurm_says_is_told(tiny_app: str, slurm: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    slurm(sbatch="#!/bin/sh\necho 'invalid partition' >&2; exit 1\n")

    assert main.call(["run", tiny_app, "launch=slurm"]) == 2
    assert "SLURM did not take the job: invalid partition" in capsys.readouterr().err


def test_a_secret_that_no_file_may_hold_is_asked_for(tiny_app: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.call(["run", tiny_app, "launch=slurm", "token=hush-hush"]) == 2

    assert "the secret token would not reach the job" in capsys.readouterr().err
    assert not Path("experiments").exists()


def test_where_there_is_no_slurm_nothing_is_made(tiny_app: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.call(["run", tiny_app, "launch=slurm"]) == 2

    assert "sbatch is not installed here" in capsys.readouterr().err
    assert not Path("experiments").exists()


@pytest.mark.slow
@pytest.mark.multiprocess
def test_a_job_trains_with_a_rank_for_each_task(
    tiny_app: str, slurm: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    slurm(sbatch=SBATCH, srun=SRUN)

    assert main.call(["run", tiny_app, "launch=slurm", "trainer.devices=2", "lr=0.1"]) == 0

    told = capsys.readouterr().out
    [log] = re.findall(r"^log +(.*)$", told, re.MULTILINE)
    assert "squeue --job=77" in told
    [record] = Path("experiments").glob("*/run.json")
    [attempt] = read_run_record(record).attempts
    assert (attempt.status, attempt.world_size) == ("done", 2), Path(log).read_text()
