import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from lightning.pytorch import LightningModule, Trainer

from typedcfg.runner.failure import hang_of, told_hang
from typedcfg.runner.lightning.hang import HangWatch

# Trains with a step that stands still, either in Python or in a call that keeps Python's lock.
SCRIPT = """
import ctypes, runpy, sys, time, warnings
from datetime import timedelta
from lightning.pytorch import Callback, Trainer
from typedcfg.runner.lightning.hang import HangWatch

class Standstill(Callback):
    def on_train_batch_start(self, trainer, *_):
        if trainer.global_step == 2:
            {call}

trainer = Trainer(max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, callbacks=[Standstill()],
                  enable_progress_bar=False, enable_model_summary=False)
with open(sys.argv[2], "w") as log:
    log.write("begun\\n")
    log.flush()
    with HangWatch(trainer, timedelta(seconds=3), file=log, tell=lambda what: print("told:", what, flush=True)):
        trainer.fit(runpy.run_path(sys.argv[1])["Toy"]())
"""


def stood_still(call: str, log: Path) -> "subprocess.CompletedProcess[str]":
    toy = Path(__file__).with_name("conftest.py")
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT.format(call=call), str(toy), str(log)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.slow
def test_a_standstill_is_told_and_ended(tmp_path: Path) -> None:
    ended = stood_still("time.sleep(60)", tmp_path / "log")

    assert ended.returncode == 1
    assert "told: hung: no step and no batch for 0:00:03" in ended.stdout
    assert "in on_train_batch_start" in (tmp_path / "log").read_text()


@pytest.mark.slow
def test_one_that_keeps_pythons_lock_is_too(tmp_path: Path) -> None:
    ended = stood_still("ctypes.PyDLL(None).sleep(60)", tmp_path / "log")

    assert ended.returncode == 1
    failure = told_hang({0: tmp_path / "none", 1: tmp_path / "log"})
    assert failure is not None
    assert (failure.rank, failure.what[:4]) == (1, "hung")
    assert "in on_train_batch_start" in failure.traceback
    assert told_hang({0: tmp_path / "none"}) is None


def test_slow_steps_are_no_standstill(trainer: Callable[..., Trainer], toy: type[LightningModule]) -> None:
    class Slow(toy):  # type: ignore[misc, valid-type]  # a class from a fixture
        def on_train_batch_start(self, *_: object) -> None:
            time.sleep(0.15)

    made = trainer(1)

    with HangWatch(made, timedelta(seconds=1)):
        made.fit(Slow())

    assert made.global_step == 4


def test_a_failure_names_the_place_and_all_logs(tmp_path: Path) -> None:
    failure = hang_of("hung", rank=1, logs=[tmp_path / "run.log", tmp_path / "run.rank1.log"])

    assert failure.what == "hung; where each thread stands is in run.log, run.rank1.log"
    assert failure.where.startswith(__file__)
    assert failure.rank == 1


@pytest.mark.parametrize("seconds", [0.5, 3600])
def test_a_watch_ends_with_its_block(seconds: float, trainer: Callable[..., Trainer]) -> None:
    began = time.monotonic()

    with HangWatch(trainer(1), timedelta(seconds=seconds)):
        pass

    assert time.monotonic() - began < 10
