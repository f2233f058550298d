import subprocess
import sys
from pathlib import Path

import pytest

from typedcfg import Experiment, Runner
from typedcfg.errors import RunError
from typedcfg.runner.run_dir import AttemptDir

TinyType = type[Experiment]


def test_a_run_has_the_folder_that_the_documentation_draws(tiny: TinyType) -> None:
    runner = Runner(tiny.compile(overrides=["checkpoint.save_interval=2"]))

    runner.fit()

    assert runner.dir == Path("experiments") / f"tiny-run-{runner.id}"
    attempt = AttemptDir(runner.attempt)
    assert {path.name for path in runner.dir.iterdir()} == {
        *(".typedcfg", "lock", ".lock.1", "run.yaml", "run.json", attempt.timestamp)
    }
    results = {"run.log", "results.jsonl", "results.json", "latest.json", "best.json", "checkpoints"}
    assert {path.name for path in attempt.path.iterdir()} == results
    steps = [f"step-{step:08d}.ckpt" for step in (4, 8, 12)]
    names = {"latest.ckpt", "best.ckpt", "epoch-2.ckpt"}
    assert {p.name for p in attempt.checkpoints.path.iterdir()} == {*steps, *(f"{s}.json" for s in steps), *names}


def test_the_best_weights_are_tested_when_asked_for(tiny: TinyType) -> None:
    runner = Runner(tiny.compile())
    runner.fit()
    assert all("test" not in result.splits for result in runner.results.values())

    runner.test()

    tested = [epoch for epoch, result in runner.results.items() if "test" in result.splits]
    assert tested == [runner.best_index]
    assert runner.results[tested[0]].splits["test"]["loss"] == pytest.approx(runner.best_score)


def test_a_test_before_any_training_says_so(tiny: TinyType) -> None:
    with pytest.raises(RunError, match="has no folder yet"):
        Runner(tiny.compile()).test()


def test_an_error_of_the_model_is_raised_as_it_is_and_recorded(tiny: TinyType) -> None:
    runner = Runner(tiny.compile(overrides=["faults.crash_at=1"]))

    with pytest.raises(ValueError, match="the model broke"):
        runner.fit()

    assert runner.record is not None
    [attempt] = runner.record.attempts
    assert (runner.record.status, attempt.status, attempt.exit_code) == ("failed", "failed", 1)
    assert attempt.failure is not None
    assert attempt.failure.what.startswith("ValueError: the model broke")
    assert "tiny.py" in attempt.failure.where


def test_a_failed_run_goes_on_with_what_may_change_and_records_it(tiny: TinyType) -> None:
    with pytest.raises(ValueError, match="broke"):
        Runner(tiny.compile(overrides=["faults.crash_at=1"])).fit()

    runner = Runner(tiny.compile(overrides=["checkpoint.save_interval=1"]))
    runner.fit()

    assert runner.record is not None
    first, second = runner.record.attempts
    assert second.resumed_from == f"{first.folder}/checkpoints/step-00000004.ckpt"
    assert second.is_bitwise
    assert "save_interval: 1" in (runner.dir / "run.yaml").read_text()
    assert list(runner.results) == [1, 2, 3]


def test_training_without_determinism_is_not_called_bitwise_after_a_resume(tiny: TinyType) -> None:
    shared = "run.deterministic=false"
    with pytest.raises(ValueError, match="broke"):
        Runner(tiny.compile(overrides=[shared, "faults.crash_at=1"])).fit()

    runner = Runner(tiny.compile(overrides=[shared]))
    runner.fit()

    assert runner.record is not None
    assert runner.record.attempts[-1].not_bitwise_because == ("run.deterministic is false",)
    assert not runner.record.attempts[-1].is_bitwise


@pytest.mark.usefixtures("tiny_app")
def test_a_runner_is_made_without_torch() -> None:
    code = (
        "import sys; from typedcfg import Runner; from tiny import Tiny; runner = Runner(Tiny.compile());"
        "print(runner.id, runner.results); print([m for m in ('torch', 'lightning', 'numpy') if m in sys.modules])"
    )

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.splitlines()[-1] == "[]"


def test_a_wish_to_train_once_more_is_told_to_do_nothing_where_the_run_is_not_done(
    tiny: TinyType, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ValueError, match="the model broke"):
        Runner(tiny.compile(overrides=["faults.crash_at=1"])).fit(again=True)
    assert "--again" not in caplog.text

    Runner(tiny.compile()).fit(again=True)

    assert "--again does nothing here: the run is not done, and goes on" in caplog.text
