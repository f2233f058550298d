import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import torch

from typedcfg.cli.main import call
from typedcfg.records.run_record import RunRecord, read_run_record

Command = Callable[..., int]
Start = Callable[..., "subprocess.Popen[str]"]
Folder = Callable[[], Path]
WaitFor = Callable[[int], int]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def record(folder: Path) -> RunRecord:
    return read_run_record(folder / "run.json")


def final_weights(folder: Path) -> dict[str, Any]:
    [*_, newest] = sorted(folder.glob("*/checkpoints/latest.ckpt"))
    loaded: dict[str, Any] = torch.load(newest, weights_only=True)
    weights: dict[str, Any] = loaded["state_dict"]
    return weights


def is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_run_tells_what_it_does_and_what_came_of_it(
    command: Command, folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("run", "APP", "lr=0.1") == 0

    first, *epochs, done, where, best, test, _ = capsys.readouterr().out.splitlines()
    path = folder().relative_to(Path.cwd())
    assert first == f"tiny-run {path.name[9:]} in {path}: a new run"
    assert [line[:9] for line in epochs] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert done == f"done    tiny-run {path.name[9:]}"
    assert where == f"folder  {path}"
    assert best.startswith("best    val/loss ")
    assert test.startswith("test    loss ")


def test_a_run_that_diverges_fails_with_the_step(
    command: Command, folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("run", "APP", "lr=1e30") == 1

    assert "is not finite after step" in capsys.readouterr().err
    assert record(folder()).status == "failed"


def test_a_run_that_may_diverge_is_marked_by_it(
    command: Command, folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("run", "APP", "lr=1e30", "run.on_nan=continue") == 0

    told = capsys.readouterr()
    since = record(folder()).attempts[-1].not_finite_since
    assert since is not None
    assert f"not finite after step {since}" in told.err
    assert f"nan     the loss or a weight is not finite since step {since}" in told.out
    call(["runs", "ls"])
    assert "done, nan" in capsys.readouterr().out


def test_a_run_tests_its_best_weights(command: Command, folder: Folder) -> None:
    command("run", "APP")

    [best] = folder().glob("*/best.json")
    assert json.loads(best.read_text())["splits"]["test"]


def test_a_run_that_is_done_says_so_and_changes_nothing(
    command: Command, folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    command("run", "APP")
    before = content(folder())
    capsys.readouterr()

    assert command("run", "APP", "--resume", "never") == 0

    assert "done already; --again trains it once more" in capsys.readouterr().out
    assert content(folder()) == before


def test_a_run_that_is_done_says_that_its_code_may_have_changed_where_git_knows_of_none(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    command("run", "APP")
    assert "whether the code changed" not in capsys.readouterr().err

    command("run", "APP")

    assert "warning: nobody can tell whether the code changed since" in capsys.readouterr().err


def test_a_run_asked_for_by_another_name_is_told_to_be_the_same(
    command: Command, folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    command("run", "APP")
    capsys.readouterr()

    assert command("run", "APP", "run.run_name=wide") == 0

    told = capsys.readouterr().out
    assert "tiny-wide and tiny-run are one run: their values and their code are the same" in told
    assert f"in {folder().relative_to(Path.cwd())}: done already" in told


def test_what_comes_too_late_for_a_run_that_is_done_is_told(
    command: Command, folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    command("run", "APP", "token=one")
    before = content(folder())
    assert "not taken over" not in capsys.readouterr().out

    assert command("run", "APP", "token=two", "run.run_name=wide", "run.score.split=train", "logging.level=error") == 0

    line = "not taken over, since the run is done: run.score.split: null -> train, logging.level: info -> error\n"
    assert line in capsys.readouterr().out
    assert content(folder()) == before


def test_an_unfinished_run_of_earlier_code_is_told_of(
    command: Command, folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    command("run", "APP", "faults.crash_at=1")
    earlier = folder().rename(folder().with_name(f"tiny-run-{'0' * 16}"))
    (earlier / ".typedcfg").write_text(f"{UUID(int=1)}\n")
    capsys.readouterr()

    assert command("run", "APP") == 0

    line = f"`typedcfg resume {earlier.relative_to(Path.cwd())}` goes on with it\n"
    assert f"an unfinished run of the same configuration exists (other code): {line}" in capsys.readouterr().out


def test_a_damaged_record_beside_it_does_not_stop_a_run(
    command: Command, folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    command("run", "APP", "lr=0.1")
    (folder() / "run.json").write_text("{")

    assert command("run", "APP") == 0

    assert "is passed over" in capsys.readouterr().err


def test_a_run_that_is_done_is_done_again_when_asked_to(command: Command, folder: Folder) -> None:
    command("run", "APP")

    assert command("run", "APP", "--again") == 0

    first, second = record(folder()).attempts
    assert (first.status, second.status, second.resumed_from) == ("done", "done", None)


def test_a_failed_run_goes_on_after_its_last_epoch(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    command("run", "APP", "faults.crash_at=2")
    capsys.readouterr()

    assert command("run", "APP") == 0

    first, *epochs = capsys.readouterr().out.splitlines()
    assert "resumes after 2 epochs, 8 steps, of attempt" in first
    assert epochs[0].startswith("epoch 3/3")


def test_a_failed_run_begins_afresh_when_asked_to(
    command: Command, folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    command("run", "APP", "faults.crash_at=2")
    capsys.readouterr()

    assert command("run", "APP", "--resume", "never") == 0

    assert "unfinished, and begun afresh" in capsys.readouterr().out
    assert record(folder()).attempts[-1].resumed_from is None


def test_a_broken_model_is_told_in_short_and_traced_in_the_log(
    command: Command, folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    code = command("run", "APP", "faults.crash_at=1")

    told = capsys.readouterr().err
    [log] = folder().glob("*/run.log")
    assert code == 1
    assert "Traceback" not in told
    assert "ValueError: the model broke" in told
    assert f"the traceback is in {log.relative_to(Path.cwd())}" in told
    assert "Traceback (most recent call last)" in log.read_text()
    assert (record(folder()).status, record(folder()).attempts[0].exit_code) == ("failed", 1)


def test_debug_raises_the_error_of_a_broken_model(command: Command) -> None:
    with pytest.raises(Exception, match="the model broke") as raised:
        command("run", "APP", "faults.crash_at=1", "--debug")

    assert isinstance(raised.value.__cause__, ValueError)


def test_a_configuration_that_does_not_compile_begins_no_run(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("run", "APP", "lr=-1") == 2

    assert "lr" in capsys.readouterr().err
    assert not (tmp_path / "experiments").exists()


def test_secrets_reach_the_training_and_no_file(
    command: Command, folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    code = command("run", "APP", "faults.crash_at=1", "token=hunter2-$${x}")

    assert code == 1
    assert "its token was **********" in capsys.readouterr().err
    assert not [name for name, text in content(folder()).items() if b"hunter2" in text]
    assert record(folder()).secrets == ("token",)


@pytest.mark.slow
def test_a_run_killed_in_the_middle_goes_on_to_the_weights_of_one_that_was_not(
    command: Command, start: Start, wait_for: WaitFor, folder: Folder, tmp_path: Path
) -> None:
    killed = start("run", "APP", "faults.wait_at=2")
    wait_for(0)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()

    assert command("run", "APP") == 0

    lost, resumed = record(folder()).attempts
    assert (lost.status, resumed.status, resumed.is_bitwise) == ("lost", "done", True)
    weights = final_weights(folder())
    command("run", "APP", "run.project_root=undisturbed")
    [undisturbed] = (tmp_path / "undisturbed").iterdir()
    expected = final_weights(undisturbed)
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


STUCK = """
import ctypes
from typing import Annotated
from typedcfg import NotInIdentity
from tiny import Tiny

class Stuck(Tiny):
    is_stuck: Annotated[bool, NotInIdentity()] = False

    def build_model(self):
        model = super().build_model()
        if self.is_stuck:
            model.on_validation_start = stand_still
        return model

def stand_still():
    ctypes.PyDLL(None).sleep(60)
"""


@pytest.mark.slow
def test_a_process_that_is_stuck_beyond_python_is_recorded_as_hung_by_the_next(
    command: Command, start: Start, folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "stuck.py").write_text(STUCK)
    stuck = start("run", "stuck.py:Stuck", "is_stuck=true", "run.hang_timeout=0:00:05")
    assert stuck.wait() == 1
    assert command("runs", "ls") == 0
    assert "failed" in capsys.readouterr().out

    assert command("run", "stuck.py:Stuck") == 0

    hung, second = record(folder()).attempts
    assert hung.failure is not None
    assert (hung.status, hung.exit_code, second.status) == ("failed", 1, "done")
    assert hung.failure.what.startswith("hung, stuck in a call that keeps Python's lock")
    assert hung.failure.where.endswith("stuck.py:17, in stand_still")


@pytest.mark.slow
def test_a_second_process_is_told_who_owns_the_run(
    command: Command, start: Start, wait_for: WaitFor, capsys: pytest.CaptureFixture[str]
) -> None:
    first = start("run", "APP", "faults.wait_at=0")
    wait_for(0)

    assert command("run", "APP") == 3

    assert f"is owned by process {first.pid}" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 143), (signal.SIGINT, 130)])
def test_a_run_that_is_told_to_stop_is_preempted(
    number: signal.Signals, code: int, start: Start, wait_for: WaitFor, folder: Folder
) -> None:
    process = start("run", "APP", "faults.wait_at=1")
    wait_for(0)

    process.send_signal(number)

    _, told = process.communicate(timeout=30)
    assert process.returncode == code
    assert told.splitlines()[-1] == "stopped; the same command goes on from what was saved last"
    [attempt] = record(folder()).attempts
    assert (attempt.status, attempt.exit_code, attempt.failure) == ("preempted", code, None)
    assert attempt.stopped_by == number.name


@pytest.mark.slow
def test_a_run_that_was_told_to_stop_does_not_look_broken(
    start: Start, wait_for: WaitFor, folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    process = start("run", "APP", "faults.wait_at=1")
    wait_for(0)

    process.send_signal(signal.SIGTERM)

    process.communicate(timeout=30)
    log = next(folder().glob("*/run.log")).read_text()
    assert log.endswith("stopped, as it was asked to\n")
    assert "Traceback" not in log
    assert call(["runs", "show", str(folder())]) == 0
    assert re.search(r"^  stopped by +SIGTERM\n  exit code +143$", capsys.readouterr().out, re.MULTILINE)


def test_a_run_whose_time_is_over_says_so(command: Command, folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("run", "APP", "run.max_time=0.000001") == 143

    told = capsys.readouterr()
    assert "run.max_time is over: the training stops" in told.out
    expected = "stopped, since run.max_time is over, and nothing is saved yet; the same command begins anew"
    assert told.err.splitlines()[-1] == expected
    assert next(folder().glob("*/run.log")).read_text().endswith("stopped, since run.max_time is over\n")
    assert call(["runs", "show", str(folder())]) == 0
    assert re.search(r"stopped by +run\.max_time, which was over\n", capsys.readouterr().out)


def test_who_begins_afresh_and_is_stopped_is_told_how_it_goes_on(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    command("run", "APP", "faults.crash_at=1")

    assert command("run", "APP", "--resume", "never", "run.max_time=0.000001") == 143
    assert capsys.readouterr().err.endswith("nothing is saved yet; the same command without --resume begins anew\n")


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["true", "head -n 2"])
def test_a_reader_that_goes_away_does_not_end_the_training(reader: str, tiny_app: str, folder: Folder) -> None:
    line = f"{sys.executable} -m typedcfg run {tiny_app} | {reader}"

    piped = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, check=False)

    assert piped.returncode == 0, piped.stderr
    assert "Broken" not in piped.stderr
    assert record(folder()).status == "done"
    assert "epoch 3/3" in next(folder().glob("*/run.log")).read_text()


@pytest.mark.multiprocess
@pytest.mark.slow
def test_two_ranks_work_in_one_attempt(start: Start, folder: Folder) -> None:
    process = start("run", "APP", "trainer.devices=2", "token=hunter2")

    told, complaints = process.communicate(timeout=120)

    assert process.returncode == 0, complaints
    [attempt] = record(folder()).attempts
    assert (attempt.world_size, attempt.status) == (2, "done")
    assert {"run.log", "run.rank1.log"} < {path.name for path in (folder() / attempt.folder).iterdir()}
    assert told.count("epoch 3/3") == 1
    results = [json.loads(line) for line in (folder() / attempt.folder / "results.jsonl").read_text().splitlines()]
    assert [(line["epoch"], line["samples"]) for line in results[:3]] == [(1, 16), (2, 32), (3, 48)]
    assert not [name for name, text in content(folder()).items() if b"hunter2" in text]


@pytest.mark.multiprocess
@pytest.mark.slow
def test_a_rank_that_fails_is_told_of_once_and_ends_the_others(start: Start, folder: Folder) -> None:
    process = start("run", "APP", "trainer.devices=2", "faults.crash_at=1", "faults.rank=1")

    _, told = process.communicate(timeout=120)

    assert process.returncode == 1
    assert told.count("ValueError: the model broke") == 1
    assert "Traceback" not in told
    assert "run.rank1.log" in told
    assert "ValueError" in next(folder().glob("*/run.rank1.log")).read_text()


@pytest.mark.multiprocess
@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_killing_one_rank_ends_the_run_and_leaves_no_orphan(
    rank: int, start: Start, wait_for: WaitFor, folder: Folder
) -> None:
    process = start("run", "APP", "trainer.devices=2", "faults.wait_at=1")
    ranks = [wait_for(0), wait_for(1)]

    os.kill(ranks[rank], signal.SIGKILL)

    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert not any(is_alive(pid) for pid in ranks)
    assert told.splitlines()[-2] == f"rank {rank} was killed by SIGKILL"
    [attempt] = record(folder()).attempts
    assert attempt.failure is not None
    assert (attempt.failure.what, attempt.failure.rank) == (f"rank {rank} was killed by SIGKILL", rank)
    assert (attempt.status, attempt.exit_code, attempt.stopped_by) == ("failed", 1, None)


@pytest.mark.multiprocess
@pytest.mark.slow
def test_two_ranks_that_are_told_to_stop_are_preempted_together(
    start: Start, wait_for: WaitFor, folder: Folder
) -> None:
    process = start("run", "APP", "trainer.devices=2", "faults.wait_at=1")
    ranks = [wait_for(0), wait_for(1)]

    process.send_signal(signal.SIGTERM)

    process.communicate(timeout=60)
    assert process.returncode == 143
    assert not any(is_alive(pid) for pid in ranks)
    assert record(folder()).status == "preempted"


@pytest.mark.multiprocess
@pytest.mark.slow
def test_a_script_starts_itself_again_for_each_rank(tiny_app: str, folder: Folder) -> None:
    script = tiny_app.partition(":")[0]
    line = [sys.executable, script, "trainer.devices=2", "launch=torchrun", "launch.threads=1"]

    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert (record(folder()).template.module, record(folder()).status) == ("__main__", "done")
