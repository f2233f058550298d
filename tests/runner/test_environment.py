import json
import logging
import math
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from typedcfg import Config, Experiment, Runner, init_env
from typedcfg.errors import RecordError, RunDone, RunError, RunFailed, RunOwned
from typedcfg.records.run_record import AttemptRecord
from typedcfg.runner.environment import Environment, _recorded
from typedcfg.runner.failure import Preempted
from typedcfg.runner.process import Process
from typedcfg.runner.run_dir import AttemptDir

TinyType = type[Experiment]

SCRIPT = """\
import sys

from tiny import Tiny
from torch import distributed

from typedcfg import init_env

with init_env(Tiny.compile(overrides=["trainer.devices=2"])) as env:
    print("said by", env.process.rank, distributed.get_world_size())
    if sys.argv[1:] == [str(env.process.rank)]:
        raise ValueError("broke")
"""


ENDING = """\
import os
import signal
import sys
import time

from tiny import Tiny

from typedcfg import init_env

with init_env(Tiny.compile()):
    {end}
"""


def _attempts(config: Config[Any]) -> tuple[AttemptRecord, ...]:
    record = Runner(config).record
    return record.attempts if record else ()


def test_a_loop_of_ones_own_is_a_run(tiny: TinyType, capsys: pytest.CaptureFixture[str]) -> None:
    config = tiny.compile()

    with init_env(config) as env:
        sys.stdout.write(f"within {env.device}\n")
        env.record(1, {"val": {"loss": 0.5}}, step=4, samples=16)
        assert env.runner.record is not None
        assert env.runner.record.status == "running"

    runner = Runner(config)
    assert runner.is_done
    assert (runner.best_score, runner.steps, runner.samples) == (0.5, 4, 16)
    assert env.attempt.log().read_text() == capsys.readouterr().out == "within cpu\n"
    assert {"run.yaml", "run.json", ".typedcfg", "lock"} <= {path.name for path in runner.dir.iterdir()}


def test_what_a_loop_raises_is_recorded_and_raised(tiny: TinyType) -> None:
    with pytest.raises(ValueError, match="broke"), init_env(tiny.compile()) as env:
        raise ValueError("broke")

    record = Runner(tiny.compile()).record
    assert record is not None
    assert (record.status, record.attempts[0].exit_code) == ("failed", 1)
    assert "ValueError: broke" in env.attempt.log().read_text()


def test_everything_is_as_it_was_afterwards(tiny: TinyType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    random.seed(7)

    def state() -> list[object]:
        root, flags = logging.getLogger(), torch.backends.cudnn
        switches = [torch.are_deterministic_algorithms_enabled(), flags.benchmark, torch.get_num_threads()]
        return [*switches, dict(os.environ), sys.stdout, [*root.handlers], root.level, random.getstate()]

    before = state()
    with init_env(tiny.compile(), threads=1):
        within = state()

    assert state() == before
    assert within[0] is True
    assert within[2] == 1


def test_seeds_are_those_of_the_configuration(tiny: TinyType) -> None:
    drawn = []
    for _ in range(2):
        with init_env(tiny.compile(overrides=["run.seed=3"]), again=True):
            drawn.append((random.random(), float(torch.rand(1))))

    assert drawn[0] == drawn[1]


def test_a_run_in_work_is_not_begun_twice(tiny: TinyType) -> None:
    with init_env(tiny.compile()), pytest.raises(RunOwned), init_env(tiny.compile()):
        pass


def test_a_run_that_is_done_is_not_done_again(tiny: TinyType) -> None:
    with init_env(tiny.compile()) as env:
        env.record(1, {"val": {"loss": 0.5}}, step=4, samples=16)
    folder = env.runner.dir
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}

    with pytest.raises(RunDone, match=r"is done already, best val/loss 0\.5 in epoch 1"), init_env(tiny.compile()):
        pass

    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_run_that_is_done_is_attempted_again_where_that_is_asked_for(tiny: TinyType) -> None:
    with init_env(tiny.compile()):
        pass

    with init_env(tiny.compile(), again=True) as env:
        assert env.earlier == ()

    assert [attempt.status for attempt in _attempts(tiny.compile())] == ["done", "done"]


def test_more_or_fewer_processes_than_are_configured_are_refused_before_anything_is_made(tiny: TinyType) -> None:
    with pytest.raises(RunError, match="the processes of this loop are 1"):
        init_env(tiny.compile(overrides=["trainer.devices=2"])).__enter__()

    assert not Path("experiments").exists()


def test_a_loop_whose_time_is_over_is_preempted_once_it_recorded(tiny: TinyType) -> None:
    config = tiny.compile(overrides=["run.max_time=0.000001"])

    with pytest.raises(Preempted), init_env(config) as env:
        env.record(1, {"val": {"loss": 0.5}}, step=4, samples=None)

    [attempt] = _attempts(config)
    assert (attempt.status, attempt.exit_code, attempt.stopped_by) == ("preempted", 143, "max_time")
    assert [*env.runner.results] == [1]
    assert env.attempt.log().read_text() == "stopped, since run.max_time is over\n"


def test_what_counts_for_fit_alone_is_told_of(tiny: TinyType) -> None:
    with init_env(tiny.compile(overrides=["checkpoint.every_minutes=5"])) as env:
        pass

    assert "checkpoint.every_minutes (overrides[0])" in env.attempt.log().read_text()


def test_results_bear_the_name_that_the_run_began_with(tiny: TinyType) -> None:
    for name in ("own", "other"):
        with init_env(tiny.compile(overrides=[f"run.run_name={name}"]), again=True) as env:
            env.record(1, {"val": {"loss": 0.5}}, step=4, samples=16)

    assert json.loads(env.attempt.result_files.results.read_text())["name"] == env.runner.name == "tiny-own"


def test_a_loop_goes_on_from_what_an_earlier_attempt_saved(tiny: TinyType) -> None:
    with suppress(KeyboardInterrupt), init_env(tiny.compile()) as first:
        for epoch in (1, 2, 3):
            first.record(epoch, {"val": {"loss": 1 / epoch}}, step=epoch, samples=None)
        (first.attempt.checkpoints.path / "model.pt").write_text("2")
        raise KeyboardInterrupt
    with suppress(KeyboardInterrupt), init_env(tiny.compile()):
        raise KeyboardInterrupt

    with init_env(tiny.compile()) as env:
        saved = env.saved("model.pt")
        assert saved is not None
        env.resume(saved, epoch=2)

    assert saved.is_relative_to(first.dir)
    assert list(env.runner.results) == [1, 2]
    assert _attempts(tiny.compile())[-1].resumed_from == f"{first.attempt.timestamp}/checkpoints/model.pt"


@pytest.mark.parametrize("become", ["", '{"ha', None])
def test_a_loop_goes_on_whatever_became_of_the_record(
    become: str | None, tiny: TinyType, caplog: pytest.LogCaptureFixture
) -> None:
    first = _stopped(tiny)
    if become is None:
        first.runner.dir.joinpath("run.json").unlink()
    else:
        first.runner.dir.joinpath("run.json").write_text(become)

    with init_env(tiny.compile()) as env:
        saved = env.saved("model.pt")
        assert saved == first.attempt.checkpoints.path / "model.pt"
        env.resume(saved, epoch=2)

    assert list(env.runner.results) == [1, 2]
    assert _attempts(tiny.compile())[-1].not_bitwise_because == ("what was recorded of the attempts before is lost",)
    assert f"does not know of attempt {first.attempt.timestamp}" in caplog.text


def test_a_loop_is_told_of_checkpoints_that_cannot_be_read(tiny: TinyType, tmp_path: Path) -> None:
    checkpoints = _stopped(tiny).attempt.checkpoints.path
    checkpoints.rename(tmp_path / "big")
    checkpoints.symlink_to(tmp_path / "unmounted")

    with init_env(tiny.compile()) as env, pytest.raises(RecordError, match="cannot read checkpoints"):
        env.saved("model.pt")


def test_a_loop_goes_on_from_an_attempt_that_an_older_record_does_not_know(tiny: TinyType) -> None:
    record = _stopped(tiny).runner.dir / "run.json"
    older = record.read_text()
    last = _stopped(tiny)
    record.write_text(older)

    with init_env(tiny.compile()) as env:
        saved = env.saved("model.pt")
        assert saved == last.attempt.checkpoints.path / "model.pt"
        env.resume(saved, epoch=2)

    assert not _attempts(tiny.compile())[-1].is_bitwise


@pytest.mark.parametrize(
    ("name", "epoch", "what"),
    [
        ("model.pt", 99, "was not saved after 99 epochs"),
        ("model.pt", -1, "was not saved after -1 epochs"),
        ("other.pt", 1, "there is no .*other.pt"),
        ("../../run.json", 1, "is of no attempt that this one goes on from"),
    ],
)
def test_a_loop_does_not_go_on_from_what_cannot_be(name: str, epoch: int, what: str, tiny: TinyType) -> None:
    folder = _stopped(tiny).attempt.checkpoints.path

    with init_env(tiny.compile()) as env, pytest.raises(RunError, match=what):
        env.resume(folder / name, epoch=epoch)

    assert _attempts(tiny.compile())[-1].resumed_from is None


def _stopped(tiny: TinyType) -> Environment:
    """What was around a loop that was stopped in its third epoch."""
    with suppress(KeyboardInterrupt), init_env(tiny.compile()) as env:
        for epoch in (1, 2):
            env.record(epoch, {"val": {"loss": 1 / epoch}}, step=epoch, samples=None)
        (env.attempt.checkpoints.path / "model.pt").write_text("2")
        raise KeyboardInterrupt
    return env


def test_what_a_rank_met_is_not_hidden_where_its_run_is_gone(tiny: TinyType, caplog: pytest.LogCaptureFixture) -> None:
    with init_env(tiny.compile()) as env:
        pass
    shutil.rmtree(env.attempt.run.path)
    second = Process(rank=1, world_size=2)

    with pytest.raises(ValueError, match="broke"), _recorded(env.runner, env.attempt, second):
        raise ValueError("broke")

    assert "how the attempt ended is not recorded" in caplog.text


def test_a_loop_may_go_to_another_folder(tiny: TinyType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()

    with init_env(tiny.compile()) as env:
        monkeypatch.chdir(tmp_path / "elsewhere")
        env.record(1, {"val": {"loss": 0.5}}, step=4, samples=16)

    monkeypatch.chdir(tmp_path)
    assert env.runner.is_done
    assert env.runner.best_score == 0.5


def test_a_new_run_goes_on_from_nothing(tiny: TinyType, tmp_path: Path) -> None:
    with init_env(tiny.compile()) as env:
        assert (env.earlier, env.saved("model.pt")) == ((), None)
        with pytest.raises(RunError, match="of no attempt that this one goes on from"):
            env.resume(tmp_path / "model.pt", epoch=2)


@pytest.mark.parametrize("told", [0, None])
def test_an_exit_without_a_failure_ends_the_block(told: int | None, tiny: TinyType) -> None:
    with pytest.raises(SystemExit), init_env(tiny.compile()) as env:
        sys.exit(told)

    [attempt] = _attempts(tiny.compile())
    assert (attempt.status, attempt.exit_code, attempt.failure) == ("done", 0, None)
    assert env.attempt.log().read_text() == ""


@pytest.mark.parametrize(("told", "code"), [(3, 3), ("no data", 1)])
def test_any_other_exit_is_a_failure(told: int | str, code: int, tiny: TinyType) -> None:
    with pytest.raises(SystemExit), init_env(tiny.compile()) as env:
        sys.exit(told)

    [attempt] = _attempts(tiny.compile())
    assert (attempt.status, attempt.exit_code) == ("failed", code)
    assert attempt.failure is not None
    assert attempt.failure.what == f"SystemExit: {told}"
    assert "Traceback" in env.attempt.log().read_text()


def test_a_loop_that_is_left_before_its_end_is_not_done(tiny: TinyType) -> None:
    def epochs() -> Generator[int, None, None]:
        with init_env(tiny.compile()):
            yield 1
            yield 2

    loop = epochs()
    next(loop)
    loop.close()

    [attempt] = _attempts(tiny.compile())
    assert (attempt.status, attempt.failure) == ("preempted", None)


@pytest.mark.parametrize("splits", [{"train": {"loss": math.nan}}, {"val": {"accuracy": 1.0, "loss": math.nan}}])
def test_a_loss_that_is_no_number_ends_the_loop(splits: dict[str, dict[str, float]], tiny: TinyType) -> None:
    with pytest.raises(RunFailed, match="loss is not finite after step 4"), init_env(tiny.compile()) as env:
        env.record(1, splits, step=4, samples=16)

    [attempt] = _attempts(tiny.compile())
    assert (attempt.status, env.runner.results) == ("failed", {})


def test_a_loop_that_goes_on_with_a_loss_that_is_no_number_is_marked(
    tiny: TinyType, caplog: pytest.LogCaptureFixture
) -> None:
    config = tiny.compile(overrides=["run.on_nan=continue"])

    with init_env(config) as env:
        for epoch, loss in enumerate([0.5, math.nan, math.nan], start=1):
            env.record(epoch, {"val": {"loss": loss}}, step=4 * epoch, samples=None)

    [attempt] = _attempts(config)
    assert (attempt.status, attempt.not_finite_since, env.runner.best_index) == ("done", 8, 1)
    assert caplog.text.count("val/loss is not finite after step 8") == 1
    assert "the training ended with numbers that are not finite, since step 8" in env.attempt.log().read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "code", "status"),
    [
        ("sys.exit(0)", 0, "done"),
        ("sys.exit(3)", 3, "failed"),
        ("raise ValueError", 1, "failed"),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", 143, "preempted"),
        ("os.fork() or sys.exit(3); os.wait()", 0, "done"),
        ("os.fork() or os.kill(os.getpid(), signal.SIGTERM); os.wait()", 0, "done"),
    ],
)
def test_a_process_ends_with_the_code_that_is_recorded(end: str, code: int, status: str, tiny: TinyType) -> None:
    Path("script.py").write_text(ENDING.format(end=end))

    done = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, check=False, timeout=120)

    [attempt] = _attempts(tiny.compile())
    assert (done.returncode, attempt.status) == (code, status), done.stderr
    assert (attempt.failure is not None) == (status == "failed")


@pytest.mark.slow
def test_a_loop_without_lightning_imports_none_of_it(tiny: TinyType) -> None:
    Path("script.py").write_text(ENDING.format(end="sys.exit('lightning' in sys.modules)"))

    subprocess.run([sys.executable, "script.py"], check=True, timeout=120)

    assert Runner(tiny.compile()).is_done


def test_threads_take_turns(tiny: TinyType) -> None:
    def enter() -> None:
        with init_env(tiny.compile(overrides=["run.seed=5"])):
            pass

    with ThreadPoolExecutor(1) as other, init_env(tiny.compile()):
        with pytest.raises(RunError, match="another thread of this process is within init_env"):
            other.submit(enter).result()
        enter()  # within the same thread, one may be inside another

    with ThreadPoolExecutor(1) as other, pytest.raises(RunDone):
        other.submit(enter).result()


def test_what_contradicts_determinism_is_refused(tiny: TinyType) -> None:
    with pytest.raises(RunError, match=r"run\.deterministic is true"), init_env(tiny.compile(), benchmark=True):
        pass

    with init_env(tiny.compile(overrides=["run.deterministic=false"]), benchmark=True):
        assert torch.backends.cudnn.benchmark
    assert not torch.backends.cudnn.benchmark


@pytest.mark.multiprocess
@pytest.mark.slow
def test_ranks_share_an_attempt_and_one_is_heard(tiny: TinyType) -> None:
    Path("script.py").write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "script.py"]

    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)

    runner = Runner(tiny.compile(overrides=["trainer.devices=2"]))
    attempt = AttemptDir(runner.attempt)
    assert done.stdout == "said by 0 2\n"
    assert [attempt.log(rank).read_text() for rank in (0, 1)] == ["said by 0 2\n", "said by 1 2\n"]
    assert runner.record is not None
    assert (runner.record.status, runner.record.attempts[0].world_size) == ("done", 2)

    second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    assert second.stderr.count("RunDone: tiny-run") == 2
    assert [attempt.status for attempt in _attempts(runner.config)] == ["done"]


@pytest.mark.multiprocess
@pytest.mark.slow
def test_the_rank_that_broke_is_recorded(tiny: TinyType) -> None:
    Path("script.py").write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "script.py", "1"]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    record = Runner(tiny.compile(overrides=["trainer.devices=2"])).record
    assert done.returncode != 0
    assert record is not None
    assert record.status != "done"
    failure = record.attempts[0].failure
    assert failure is not None
    assert (failure.rank, failure.what) == (1, "ValueError: broke")
