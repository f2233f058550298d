import math
from collections.abc import Mapping
from typing import Literal

import pytest

from typedcfg.errors import RunFailed
from typedcfg.records.result_record import Result
from typedcfg.runner.loop_results import LoopResults


def measured(step: int, **metrics: float) -> Result:
    return Result(epoch=step, step=step, splits={"train": metrics})


def results(on_nan: Literal["stop", "continue"]) -> LoopResults:
    return LoopResults(None, metric="mse", on_nan=on_nan, note=lambda _: pytest.fail("another process records"))


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
