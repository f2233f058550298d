import logging
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from typedcfg import Experiment, Runner, init_env
from typedcfg.errors import RunError, RunOwned
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
        with init_env(tiny.compile(overrides=["run.seed=3"])):
            drawn.append((random.random(), float(torch.rand(1))))

    assert drawn[0] == drawn[1]


def test_a_run_in_work_is_not_begun_twice(tiny: TinyType) -> None:
    with init_env(tiny.compile()), pytest.raises(RunOwned), init_env(tiny.compile()):
        pass


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
