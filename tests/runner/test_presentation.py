import pytest

from typedcfg.records.result_record import Result
from typedcfg.runner.presentation import format_epoch_result, format_step_result, log_interval_of


def test_an_epoch_that_measured_nothing_is_a_line_all_the_same() -> None:
    assert format_epoch_result(Result(epoch=1, step=4, splits={}), None, is_best=False) == "epoch 1  step 4"


def test_a_split_of_unknown_length_tells_how_far_it_is() -> None:
    assert format_step_result("val", 20, None, {}) == "val 20"


@pytest.mark.parametrize(
    ("batches", "asked", "interval"),
    [
        ({"train": 100, "val": 300}, None, 30),
        ({"train": 99}, None, None),
        ({"train": None, "val": 10}, None, 100),
        ({"train": 4}, 2, 2),
        ({}, None, None),
    ],
)
def test_a_line_is_due_ten_times_in_the_longest_split(
    batches: dict[str, int | None], asked: int | None, interval: int | None
) -> None:
    assert log_interval_of(batches, asked) == interval
