import signal
from pathlib import Path
from typing import Any

import pytest

from typedcfg import Experiment, Runner
from typedcfg.errors import Problem, RecordError, RunError, RunFailed
from typedcfg.records import run_record
from typedcfg.records.run_record import RunRecord
from typedcfg.runner.failure import Preempted
from typedcfg.runner.lightning import checkpoint_io
from typedcfg.runner.run_book import RunBook

FULL = RecordError(Problem("No space left on device"))


def weights(runner: Runner) -> bytes:
    return (runner.attempt / "checkpoints" / "latest.ckpt").read_bytes()


def of_the_last_attempt(runner: Runner) -> Any:
    assert runner.record is not None
    return runner.record.attempts[-1]


def test_a_run_that_could_not_be_called_done_is_lost_and_done_at_the_next_start(
    tiny: type[Experiment], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, runner = run_record.write_run_record, Runner(tiny.compile())

    def refuse_done(path: Path, record: RunRecord) -> None:
        if record.status == "done":
            raise FULL
        write(path, record)

    with monkeypatch.context() as patch:
        patch.setattr("typedcfg.runner.run_book.write_run_record", refuse_done)
        with pytest.raises(RecordError, match="No space left"):
            runner.fit(test=True)
    before, record = weights(runner), runner.record
    assert record is not None
    assert (record.status, record.attempts[-1].status) == ("lost", "lost")

    runner.fit(test=True)

    assert runner.is_done
    assert list(runner.results) == [1, 2, 3]
    assert weights(runner) == before
    assert "test" in (runner.best_result.splits if runner.best_result else {})


def test_a_training_that_was_told_to_stop_and_preempted_in_its_test_is_only_tested(tiny: type[Experiment]) -> None:
    signals = [signal.SIGTERM]

    class Stopping(tiny):  # type: ignore[misc, valid-type]  # loaded by the test
        def build_model(self) -> Any:
            model = super().build_model()

            def stop_after_two(module: Any) -> None:
                module.trainer.should_stop = module.current_epoch == 1

            type(model).on_train_epoch_end = stop_after_two
            type(model).on_test_start = lambda _: signal.raise_signal(signals.pop()) if signals else None
            return model

    runner = Runner(Stopping.compile())
    with pytest.raises(Preempted):
        runner.fit(test=True)
    before = weights(runner)

    runner.fit(test=True)

    assert runner.is_done
    assert list(runner.results) == [1, 2]
    assert weights(runner) == before
    assert "test" in (runner.best_result.splits if runner.best_result else {})


def test_a_run_whose_last_state_is_not_saved_is_not_done(
    tiny: type[Experiment], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, runner = checkpoint_io._write, Runner(tiny.compile(overrides=["checkpoint.on_write_failure=continue"]))

    def refuse_last(checkpoint: Any, target: Path, *others: Any) -> None:
        if target.name == "step-00000012.ckpt":
            raise FULL
        write(checkpoint, target, *others)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint_io, "_write", refuse_last)
        with pytest.raises(RunFailed, match="its last state is not saved"):
            runner.fit()
    assert of_the_last_attempt(runner).status == "failed"
    assert "No space left" in of_the_last_attempt(runner).unsaved_because

    runner.fit()

    assert of_the_last_attempt(runner).resumed_from.endswith("step-00000008.ckpt")
    assert runner.is_done


def test_a_run_that_lost_its_record_is_tested_once_that_is_made_anew(tiny: type[Experiment]) -> None:
    runner = Runner(tiny.compile(overrides=["trainer.max_epochs=1"]))
    runner.fit()
    (runner.dir / "run.json").unlink()

    with pytest.raises(RunError, match="has no record to add a test to"):
        runner.test()
    runner.fit(test=True)

    assert runner.is_done
    assert "test" in runner.results[1].splits


def test_an_error_is_told_where_its_record_cannot_be_written(
    tiny: type[Experiment], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise FULL

    monkeypatch.setattr(RunBook, "fail", refuse)
    runner = Runner(tiny.compile(overrides=["faults.crash_at=1"]))

    with pytest.raises(ValueError, match="the model broke"):
        runner.fit()

    assert "how the attempt ended is not recorded: No space left on device" in caplog.text


def test_how_an_attempt_ended_is_recorded_with_its_traceback(tiny: type[Experiment]) -> None:
    runner = Runner(tiny.compile(overrides=["faults.crash_at=1"]))

    with pytest.raises(ValueError, match="the model broke"):
        runner.fit()

    attempt = of_the_last_attempt(runner)
    assert (attempt.status, attempt.exit_code) == ("failed", 1)
    assert "ValueError: the model broke" in attempt.failure.traceback
