import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import pytest

from typedcfg.errors import RunFailed
from typedcfg.records.result_record import Result, ResultFiles, ResultHeader, ResultLog, ScoreRule
from typedcfg.runner.loop_results import LoopResults

RULE = ScoreRule("mse")


def measured(step: int, **metrics: float) -> Result:
    return Result(epoch=step, step=step, splits={"train": metrics})


def results(on_nan: Literal["stop", "continue"]) -> LoopResults:
    return LoopResults(None, rule=RULE, on_nan=on_nan, note=lambda _: pytest.fail("another process records"))


@pytest.mark.parametrize("metrics", [{"loss": math.nan}, {"loss": -math.inf}, {"loss": 1.0, "mse": math.nan}])
def test_a_loss_or_a_score_is_a_number(metrics: Mapping[str, float]) -> None:
    with pytest.raises(RunFailed, match=r"train/(loss|mse) is not finite after step 3"):
        results("stop").record(measured(2, loss=1.0), measured(3, **metrics))


def test_what_is_measured_besides_need_be_none() -> None:
    results("stop").record(measured(1, loss=1.0, recall=math.nan))


def test_the_first_one_that_is_none_is_told(caplog: pytest.LogCaptureFixture) -> None:
    loop = results("continue")

    loop.record(measured(1, loss=1.0))
    loop.record(measured(2, loss=math.nan))
    loop.record(measured(3, loss=math.nan))

    assert loop.not_finite_since == 2
    assert [record.message.splitlines()[0] for record in caplog.records] == ["train/loss is not finite after step 2"]


def test_nothing_is_told_at_the_end_of_a_loop_that_went_well(caplog: pytest.LogCaptureFixture) -> None:
    loop = results("continue")

    loop.record(measured(1, loss=1.0))
    loop.end()

    assert not caplog.records


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[LoopResults]:
    files = ResultFiles(*(tmp_path / name for name in ("results.jsonl", "results.json", "latest.json", "best.json")))
    with ResultLog(files, ResultHeader("own"), RULE) as log:
        yield LoopResults(log, rule=RULE, on_nan="stop", note=lambda _: None)


def test_a_score_that_nobody_measures_is_told_of_once(recording: LoopResults, caplog: pytest.LogCaptureFixture) -> None:
    recording.record(measured(1, loss=1.0))
    assert not caplog.records  # it may be measured yet

    recording.record(measured(2, loss=0.5))
    recording.record(measured(3, loss=0.4))
    recording.end()

    [told] = [record.message for record in caplog.records]
    assert told.startswith("no epoch will be the best: no epoch has a score: nothing measured 'train/mse'")


def test_a_score_that_nobody_measured_is_told_of_at_the_end(
    recording: LoopResults, caplog: pytest.LogCaptureFixture
) -> None:
    recording.record()
    recording.record(measured(1, loss=1.0))

    recording.end()

    assert "no epoch will be the best" in caplog.text


def test_an_epoch_may_be_measured_bit_by_bit(recording: LoopResults, caplog: pytest.LogCaptureFixture) -> None:
    recording.record(measured(1, loss=1.0))
    recording.record(measured(1, mse=0.5))
    recording.record(measured(2, loss=1.0))

    recording.end()

    assert not caplog.records
