import hashlib
import signal
from pathlib import Path
from typing import Any

import pytest

from typedcfg import Experiment, Runner
from typedcfg.errors import RecordError
from typedcfg.records.checkpoint_record import Manifest, manifest_path, write_manifest
from typedcfg.records.journal import Journal
from typedcfg.records.result_record import BY_LOSS, Result
from typedcfg.runner.failure import Preempted
from typedcfg.runner.run_dir import AttemptDir
from typedcfg.runner.tested_checkpoint import checkpoint_to_test


@pytest.fixture
def attempt(tmp_path: Path) -> AttemptDir:
    """Three epochs, the first the best and the last the worst, and a step of the fourth."""
    attempt = AttemptDir(tmp_path)
    attempt.checkpoints.path.mkdir()
    with Journal(attempt.result_files.journal) as journal:
        for epoch, loss in enumerate((0.1, 0.2, 0.3, None), 1):
            path = attempt.checkpoints.step(epoch * 10)
            path.write_bytes(b"weights")
            digest, is_inside = hashlib.sha256(b"weights").hexdigest(), loss is None
            whole = Manifest(sha256=digest, size=7, step=epoch * 10, epoch=epoch, batch=int(is_inside), world_size=1)
            write_manifest(path, whole)
            if loss is not None:
                result = Result(epoch=epoch, step=epoch * 10, splits={"val": {"loss": loss}})
                journal.append(result.model_dump(mode="json"))
    return attempt


def epoch_to_test(attempt: AttemptDir) -> int | None:
    found = checkpoint_to_test(attempt, BY_LOSS)
    return found and found.manifest.epoch


def test_the_best_weights_are_tested(attempt: AttemptDir) -> None:
    assert epoch_to_test(attempt) == 1


def test_without_scores_the_newest_of_an_epochs_end_are(attempt: AttemptDir) -> None:
    attempt.result_files.journal.unlink()

    assert epoch_to_test(attempt) == 3


def test_where_the_best_are_damaged_the_next_best_are(attempt: AttemptDir) -> None:
    attempt.checkpoints.step(10).write_bytes(b"weighty")

    found = checkpoint_to_test(attempt, BY_LOSS)

    assert found is not None
    assert found.path == attempt.checkpoints.step(20)
    [problem] = found.refused
    assert "step-00000010.ckpt is damaged" in problem.what


def test_a_manifest_that_cannot_be_read_is_told_of_where_it_may_be_that_of_the_best(attempt: AttemptDir) -> None:
    manifest_path(attempt.checkpoints.step(10)).write_text("{")

    found = checkpoint_to_test(attempt, BY_LOSS)

    assert found is not None
    assert found.manifest.epoch == 2
    [problem] = found.refused
    assert "step-00000010.ckpt.json" in problem.where


def test_where_all_are_damaged_it_is_said_what_to_do(attempt: AttemptDir) -> None:
    for path in attempt.checkpoints.steps():
        path.write_bytes(b"")

    with pytest.raises(RecordError, match="the weights of no epoch are whole") as raised:
        epoch_to_test(attempt)

    assert len(raised.value.problems) == 4
    assert "--again" in raised.value.problems[0].fix


def test_before_the_first_epochs_end_there_is_nothing_to_test(tmp_path: Path) -> None:
    assert epoch_to_test(AttemptDir(tmp_path)) is None


def test_a_run_whose_best_weights_are_damaged_gets_done(
    tiny: type[Experiment], caplog: pytest.LogCaptureFixture
) -> None:
    signals = [signal.SIGTERM]

    class Worsening(tiny):  # type: ignore[misc, valid-type]  # loaded by the test
        def build_model(self) -> Any:
            model = super().build_model()
            type(model).validation_step = lambda self, *_: self.log("val/loss", float(self.current_epoch))
            type(model).on_test_start = lambda _: signal.raise_signal(signals.pop()) if signals else None
            return model

    runner = Runner(Worsening.compile())
    with pytest.raises(Preempted):
        runner.fit(test=True)
    best = AttemptDir(runner.attempt).checkpoints.best
    content = bytearray(best.read_bytes())
    content[len(content) // 2] ^= 1
    best.write_bytes(content)

    runner.fit(test=True)

    assert runner.record is not None
    assert [attempt.status for attempt in runner.record.attempts] == ["preempted", "done"]
    assert [epoch for epoch, result in runner.results.items() if "test" in result.splits] == [2]
    [reason] = runner.record.attempts[-1].not_bitwise_because
    assert reason == "its best weights are damaged, and those of epoch 2 were tested"
    assert "step-00000004.ckpt is damaged" in caplog.text
