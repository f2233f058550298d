import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import ANY
from uuid import UUID

import pytest

from typedcfg import Runner
from typedcfg.cli.app import load_app
from typedcfg.cli.main import call
from typedcfg.records.run_record import read_run_record
from typedcfg.runner.run_dir import RunDir

Command = Callable[..., int]
Folder = Callable[[], Path]
Start = Callable[..., "subprocess.Popen[str]"]
Told = pytest.CaptureFixture[str]


@pytest.fixture
def two_runs(command: Command, capsys: Told) -> None:
    """A run that is done, and one that failed in its second epoch."""
    command("run", "APP")
    command("run", "APP", "run.run_name=wide", "lr=0.1", "faults.crash_at=1")
    capsys.readouterr()


@pytest.mark.usefixtures("two_runs")
def test_runs_are_listed_with_how_they_stand(capsys: Told) -> None:
    assert call(["runs", "ls"]) == 0

    head, done, failed = (line.split() for line in capsys.readouterr().out.splitlines())
    assert head == ["id", "name", "status", "epochs", "best", "started", "folder"]
    assert done[1:5] == ["tiny-run", "done", "3", "val/loss"]
    assert failed[1:5] == ["tiny-wide", "failed", "1", "val/loss"]


@pytest.mark.usefixtures("two_runs")
def test_the_run_that_was_worked_on_last_stands_last(command: Command, capsys: Told) -> None:
    command("run", "APP", "run.run_name=alpha", "lr=0.2")
    command("run", "APP", "--again")
    capsys.readouterr()

    call(["runs", "ls"])

    names = [line.split()[1] for line in capsys.readouterr().out.splitlines()]
    assert names == ["name", "tiny-wide", "tiny-alpha", "tiny-run"]


@pytest.mark.usefixtures("two_runs")
def test_runs_are_listed_for_programs(capsys: Told) -> None:
    assert call(["runs", "ls", "experiments", "--json"]) == 0

    done, failed = json.loads(capsys.readouterr().out)
    assert (done["status"], failed["status"]) == ("done", "failed")
    assert set(done["best"]) == {"score", "metric", "split", "epoch"}


NAN = """
from typing import Annotated
from typedcfg import NotInIdentity
from tiny import Tiny

class Nan(Tiny):
    nan_in: Annotated[tuple[int, ...], NotInIdentity()] = ()

    def build_model(self):
        model = super().build_model()
        measure = model.validation_step

        def validation_step(batch, *_):
            if model.current_epoch in self.nan_in:
                model.log("val/loss", float("nan"))
            else:
                measure(batch)

        model.validation_step = validation_step
        return model
"""


@pytest.mark.parametrize(("nan_in", "best"), [("[0, 2]", 2), ("[0, 1, 2]", None)])
def test_an_epoch_that_measured_nan_is_nobodys_best(
    nan_in: str, best: int | None, command: Command, tmp_path: Path, capsys: Told
) -> None:
    (tmp_path / "nan.py").write_text(NAN)
    assert command("run", "nan.py:Nan", f"nan_in={nan_in}") == 0
    capsys.readouterr()

    call(["runs", "ls", "--json"])

    [told] = json.loads(capsys.readouterr().out)
    runner = Runner(load_app("nan.py:Nan").compile())
    assert (told["best"] and told["best"]["epoch"], runner.best_index) == (best, best)
    assert (runner.best_result and runner.best_result.epoch) == best
    assert (runner.attempt / "best.json").exists() == (runner.attempt / "checkpoints" / "best.ckpt").exists()
    assert len(runner.results) == 3


@pytest.mark.usefixtures("two_runs")
def test_all_about_one_run_is_shown(capsys: Told) -> None:
    [folder] = Path("experiments").glob("tiny-wide-*")

    assert call(["runs", "show", str(folder)]) == 0

    told = capsys.readouterr().out
    assert "ValueError: the model broke" in told
    assert f"log            {next(folder.glob('*/run.log'))}" in told
    assert "fingerprint       v1-" in told


@pytest.mark.usefixtures("two_runs")
def test_all_about_one_run_is_shown_for_programs(capsys: Told) -> None:
    [folder] = Path("experiments").glob("tiny-run-*")

    assert call(["runs", "show", folder.name, "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["record"] == json.loads((folder / "run.json").read_text())
    assert Path(told["files"]["best"]).is_file()


@pytest.mark.slow
def test_a_run_whose_process_was_killed_is_lost(start: Start, wait_for: Callable[[int], int], capsys: Told) -> None:
    process = start("run", "APP", "faults.wait_at=1")
    wait_for(0)
    call(["runs", "ls"])
    assert " running " in capsys.readouterr().out

    os.killpg(process.pid, signal.SIGKILL)
    process.wait()

    call(["runs", "ls"])
    assert " lost " in capsys.readouterr().out
    [folder] = Path("experiments").iterdir()
    call(["runs", "show", str(folder)])
    told = capsys.readouterr().out
    assert re.findall(r"^ *(?:status|time) +(.*)", told, re.MULTILINE) == ["lost", ANY, "lost", ANY]
    assert re.findall(r"^ *time +at least \d+\.\d s$", told, re.MULTILINE)[1:]
    call(["runs", "show", str(folder), "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert (shown["status"], shown["record"]["status"], shown["record"]["attempts"][0]["status"]) == ("lost",) * 3


def test_what_was_not_begun_is_listed_and_shown(capsys: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = RunDir.open(Path("experiments"), name="tiny-run", id="y" * 16, run_uuid=UUID(int=1))
    run.job_script.touch()
    shown = f"name    tiny-run\nid      {'y' * 16}\nstatus  not begun\n"

    assert call(["runs", "ls"]) == call(["runs", "show", "tiny-run"]) == 0

    told = capsys.readouterr().out
    assert re.search(r"^y{16} +tiny-run +not begun +0 +- +- +experiments/tiny-run-", told, re.MULTILINE)
    assert told.endswith(f"{shown}\nfiles\n  job's script  {run.job_script}\n")
    call(["runs", "show", "tiny-run", "--json"])
    assert json.loads(capsys.readouterr().out)["record"] is None


def test_the_time_of_all_attempts_is_told(command: Command, capsys: Told) -> None:
    command("run", "APP", "faults.crash_at=1")
    command("run", "APP", "faults.crash_at=null")
    ended = capsys.readouterr().out
    [folder] = Path("experiments").iterdir()

    call(["runs", "show", str(folder), "--json"])

    shown = json.loads(capsys.readouterr().out)
    record = read_run_record(folder / "run.json")
    spent = sum((a.ended - a.started).total_seconds() for a in record.attempts if a.ended)
    assert shown["time"] == {"seconds": pytest.approx(spent), "is_least": False}
    assert f"time    {spent:.1f} s in 2 attempts" in ended


def test_an_empty_folder_has_no_runs(tmp_path: Path, capsys: Told) -> None:
    assert call(["runs", "ls", str(tmp_path)]) == 0

    assert capsys.readouterr().out == f"no runs in {tmp_path}\n"


def test_a_run_whose_attempt_cannot_be_read_hides_no_other(
    command: Command, folder: Folder, capsys: Told, caplog: pytest.LogCaptureFixture
) -> None:
    command("run", "APP")
    record = folder() / "run.json"
    record.write_text(record.read_text().replace('"done"', '"running"'))
    [attempt] = folder().glob("2*")
    attempt.rename(attempt.with_name("aside"))
    attempt.symlink_to(attempt)
    capsys.readouterr()

    assert call(["runs", "ls"]) == 0
    assert capsys.readouterr().out == ""
    assert f"{folder().name} is passed over: cannot read {attempt.name}" in caplog.text

    command("run", "APP", "lr=0.1", "run.run_name=other")
    assert call(["runs", "ls"]) == 0
    assert " tiny-other " in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path, capsys: Told) -> None:
    assert call(["runs", "ls", str(tmp_path / "nowhere")]) == 2

    assert "there is no folder" in capsys.readouterr().err


def test_anything_else_to_do_with_runs_is_an_error(capsys: Told) -> None:
    assert call(["runs", "burn"]) == 2
    assert "expected      typedcfg runs ls [FOLDER] | show RUN" in capsys.readouterr().err

    assert call(["runs", "list"]) == 2
    assert "did you mean  ls\n" in capsys.readouterr().err


@pytest.mark.usefixtures("two_runs")
@pytest.mark.parametrize("arguments", [["ls"], ["show", "tiny-run"]])
def test_runs_are_looked_at_without_torch(arguments: list[str]) -> None:
    [folder] = Path("experiments").glob("tiny-run-*")
    arguments = [folder.name if argument == "tiny-run" else argument for argument in arguments]
    code = (
        "import sys; from typedcfg.cli.main import call; code = call(sys.argv[1:]);"
        "print([m for m in ('torch', 'lightning', 'numpy', 'yaml') if m in sys.modules]); sys.exit(code)"
    )

    done = subprocess.run([sys.executable, "-c", code, "runs", *arguments], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
