from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import inf, isnan, nan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcfg.records.journal import read_journal
from typedcfg.records.json_text import read_json
from typedcfg.records.result_record import (
    Result,
    ResultFiles,
    ResultHeader,
    ResultLog,
    ScoreRule,
    best_index,
    best_result,
    best_score,
    choose_split,
    explain_unscored,
    is_best,
    latest_result,
    latest_score,
    merge,
    newest_split,
    read_results,
    scores,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LOSS = ScoreRule("loss", "min")


def results_of(*splits: Mapping[str, Mapping[str, float]], start: int = 1) -> dict[int, Result]:
    return merge(line(epoch, **split) for epoch, split in enumerate(splits, start=start))


def line(epoch: int, **splits: Mapping[str, float]) -> Result:
    return Result(epoch=epoch, step=epoch * 10, time=NOON, splits={k: dict(v) for k, v in splits.items()})


def losses(*values: float) -> dict[int, Result]:
    return results_of(*({"val": {"loss": value}} for value in values))


def files(folder: Path) -> ResultFiles:
    return ResultFiles(*(folder / name for name in ("results.jsonl", "results.json", "latest.json", "best.json")))


def opened(folder: Path, rule: ScoreRule = LOSS) -> ResultLog:
    return ResultLog(files(folder), ResultHeader("digits-base", "0123456789abcdef", "20261121T120000.000000Z"), rule)


@pytest.mark.parametrize(
    ("splits", "declared", "chosen"),
    [
        (["train", "val"], "train", "train"),
        (["train", "other", "val"], None, "val"),
        (["train", "validate"], None, "validate"),
        (["train", "validation"], None, "validation"),
        (["train", "dev"], None, "dev"),
        (["train"], None, "train"),
        (["train", "test"], None, "train"),
        (["test"], None, None),
        (["train", "test"], "test", "test"),
        ([], None, None),
    ],
)
def test_scores_are_read_from_the_declared_split_else_validation_else_the_second(
    splits: list[str], declared: str | None, chosen: str | None
) -> None:
    results = results_of({split: {"loss": 1.0} for split in splits})

    assert choose_split(results, declared) == chosen


def test_an_epoch_without_validation_does_not_change_the_split() -> None:
    results = results_of({"train": {"loss": 2.0}, "val": {"loss": 3.0}}, {"train": {"loss": 1.0}})

    assert scores(results, LOSS) == {1: 3.0}
    assert latest_score(results, LOSS) is None


@pytest.mark.parametrize(("mode", "best"), [("min", 2), ("max", 1)])
def test_the_mode_alone_decides_what_is_better(mode: str, best: int) -> None:
    results = results_of({"val": {"rmse": 1.0}}, {"val": {"rmse": 0.5}})

    assert best_index(results, ScoreRule("rmse", mode)) == best  # type: ignore[arg-type]  # one of the two


def test_nan_is_never_best() -> None:
    results = losses(nan, 0.5, nan)

    assert best_index(results, LOSS) == 2
    assert best_index(losses(nan, nan), LOSS) is None
    assert not is_best(losses(nan), LOSS)


def test_the_first_of_equals_is_best() -> None:
    assert best_index(losses(0.5, 0.5), LOSS) == 1
    assert not is_best(losses(0.5, 0.5), LOSS)


def test_the_best_index_is_an_epoch_and_no_position() -> None:
    results = merge([line(10, val={"loss": 1.0}), line(20, val={"loss": 0.5})])

    assert best_index(results, LOSS) == 20
    assert best_result(results, LOSS) == results[20]
    assert best_score(results, LOSS) == 0.5


def test_without_results_nothing_is_best_and_nothing_fails() -> None:
    assert (best_result({}, LOSS), best_score({}, LOSS), latest_result({}), latest_score({}, LOSS)) == (None,) * 4
    assert not is_best({}, LOSS)


def test_a_metric_that_no_epoch_has_is_explained_with_those_there_are() -> None:
    problem = explain_unscored(results_of({"val": {"accuracy": 0.5}}), LOSS)

    assert problem is not None
    assert problem.what == "no epoch has a score: nothing measured 'val/loss'"
    assert problem.expected == "one of: val/accuracy"
    assert "run.score.metric and run.score.split" in problem.fix
    assert explain_unscored(losses(1.0), LOSS) is None


def test_the_metric_that_was_meant_is_suggested() -> None:
    problem = explain_unscored(results_of({"val": {"accuracy": 0.5}}), ScoreRule("acuracy", "max"))

    assert problem is not None
    assert problem.suggestion == "val/accuracy"


def test_a_later_line_of_an_epoch_adds_to_it() -> None:
    lines = [line(1, train={"loss": 1.0, "lr": 0.1}), line(1, train={"loss": 2.0}, test={"loss": 3.0})]

    assert merge(lines)[1].splits == {"train": {"loss": 2.0, "lr": 0.1}, "test": {"loss": 3.0}}


@given(st.lists(st.floats(), min_size=1))
def test_no_score_beats_the_best(values: list[float]) -> None:
    best = best_score(losses(*values), LOSS)

    assert best is None if all(map(isnan, values)) else not any(value < best for value in values if best is not None)


def test_results_come_back_from_the_journal_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append(line(1, val={"loss": nan}), line(2, val={"loss": inf}))
        log.append(line(3, val={"loss": 0.1 + 0.2}))

    read = read_results(tmp_path / "results.jsonl")

    assert isnan(read[1].splits["val"]["loss"])
    assert {**read, 1: None} == {**log.results, 1: None}


def test_people_find_the_results_the_latest_and_the_best(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append(line(1, val={"loss": 0.5}))
        log.append(line(2, val={"loss": 0.75}))

    header = {"name": "digits-base", "id": "0123456789abcdef", "timestamp": "20261121T120000.000000Z"}
    expected = {"1": {"val": {"loss": 0.5}}, "2": {"val": {"loss": 0.75}}}
    assert read_json(tmp_path / "results.json") == {**header, "results": expected}
    for name, epoch in (("best.json", 1), ("latest.json", 2)):
        assert read_json(tmp_path / name) == {**header, **log.results[epoch].model_dump(mode="json")}


def test_files_for_people_are_derived_anew_when_the_results_are_opened(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append(line(1, val={"loss": 0.5}))
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.json")}
    for name in before:
        (tmp_path / name).unlink()

    opened(tmp_path).close()

    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.json")} == before


def test_a_best_that_is_none_any_more_is_removed(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append(line(1, val={"loss": 0.5}))

    opened(tmp_path, ScoreRule("accuracy", "max")).close()

    assert not (tmp_path / "best.json").exists()


@pytest.mark.parametrize("damage", [b'{"epoch": 1}', b"\0\0", b'{"epo', b"3"])
def test_a_line_that_is_no_result_is_passed_over_and_named(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path) as log:
        log.append(line(1, val={"loss": 0.5}), line(2, val={"loss": 0.25}))
    path = tmp_path / "results.jsonl"
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + damage + b"\n" + second)

    read = read_results(path)

    assert list(read) == [1, 2]
    assert f"{path}:2" in caplog.text


def test_a_line_that_stands_twice_is_one_result(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append(line(1, val={"loss": 0.5}), line(1, val={"loss": 0.5}))
        log.append(line(2, val={"loss": 0.25}))

    assert [r.splits for r in read_results(tmp_path / "results.jsonl").values()] == [
        {"val": {"loss": 0.5}},
        {"val": {"loss": 0.25}},
    ]


def test_a_metric_that_appears_late_and_goes_again_is_scored_where_it_was_measured() -> None:
    lines = [
        line(1, train={"loss": 3.0}),
        line(2, train={"loss": 2.0}, val={"loss": 2.5}),
        line(3, train={"loss": 1.0}),
        line(4, train={"loss": 0.5}, val={"loss": nan}),
    ]

    results = merge(lines)

    assert list(scores(results, LOSS)) == [2, 4]
    assert best_index(results, LOSS) == 2


def test_splits_stand_in_one_order_wherever_they_are_read(tmp_path: Path) -> None:
    ordered = ["train", "val", "test", "lr", "extra"]
    with opened(tmp_path) as log:
        log.append(line(1, test={}, lr={}, val={}), line(1, extra={}, train={}))

        assert list(log.results[1].splits) == ordered

    written: list[Any] = [found.entry for found in read_journal(files(tmp_path).journal)]
    assert [list(entry["splits"]) for entry in written] == [["val", "test", "lr"], ["train", "extra"]]
    assert list(read_results(files(tmp_path).journal)[1].splits) == ordered
    assert '"train": {},\n      "val": {},\n      "test": {}' in files(tmp_path).results.read_text()


def test_the_newest_test_is_the_one_that_was_measured_last() -> None:
    tested = {
        epoch: Result(epoch=epoch, step=epoch, time=NOON + timedelta(hours=3 - epoch), splits={"test": {"loss": epoch}})
        for epoch in (1, 2)
    }

    assert newest_split(tested, "test") == {"loss": 1.0}
    assert newest_split(tested, "val") is None
