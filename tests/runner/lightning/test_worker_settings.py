"""What is set of a run is what trains it: nothing is left at its default on the way."""

import logging
from typing import Any

import pytest

from typedcfg import Experiment, Runner
from typedcfg.runner.lightning import worker
from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.callbacks.finite import FiniteWatch
from typedcfg.runner.lightning.callbacks.step_lines import StepLines
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO
from typedcfg.runner.lightning.exact.state import ExactState
from typedcfg.runner.lightning.trainer import build_trainer

CHECKPOINT = {
    "save_interval": 2,
    "every_n_steps": 3,
    "every_minutes": 7.5,
    "keep_last": 4,
    "asynchronous": True,
    "on_write_failure": "continue",
}


def test_each_setting_reaches_what_trains(tiny: type[Experiment], monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def spied(*given: Any, **options: Any) -> Any:
        made.extend([*given[1:], *options["plugins"], logging.getLogger("typedcfg").getEffectiveLevel()])
        return build_trainer(*given, **options)

    monkeypatch.setattr(worker, "build_trainer", spied)
    run = {"seed": 5, "seed_per_rank": False, "on_nan": "continue"}
    shown = {"level": "debug", "progress": "lines", "log_interval": 2}
    config = tiny.compile(
        overrides={"checkpoint": CHECKPOINT, "run": run, "logging": shown, "trainer": {"max_epochs": 1}}
    )
    assert CHECKPOINT.keys() == {*config.checkpoint}

    Runner(config).fit()

    part = {type(one): one for one in made}
    policy, exact, io = part[CheckpointPolicy], part[ExactState], part[VerifiedCheckpointIO]
    read = {name: getattr(policy, name) for name in CHECKPOINT if name != "asynchronous"}
    assert {**read, "asynchronous": io.asynchronous} == CHECKPOINT
    assert (exact.seed, exact.offset_ranks, part[FiniteWatch].on_nan) == (5, False, "continue")
    assert (part[StepLines].interval, part[int]) == (2, logging.DEBUG)
