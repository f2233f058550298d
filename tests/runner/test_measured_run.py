import pytest

from typedcfg import Experiment, Runner

TinyType = type[Experiment]


def test_results_and_scores_are_there_when_training_ends(tiny: TinyType) -> None:
    runner = Runner(tiny.compile())

    runner.fit()

    assert list(runner.results) == [1, 2, 3]
    assert runner.scores == {epoch: result.splits["val"]["loss"] for epoch, result in runner.results.items()}
    assert runner.best_score == min(runner.scores.values())
    assert runner.best_result == runner.results[runner.best_index or 0]
    assert runner.latest_result == runner.results[3]
    assert runner.latest_score == runner.scores[3]
    assert runner.is_best == (runner.best_index == 3)
    assert runner.progress == 1.0


def test_another_runner_of_the_same_configuration_knows_the_run(tiny: TinyType) -> None:
    Runner(tiny.compile()).fit()

    runner = Runner(tiny.compile())

    assert runner.is_done
    assert len(runner.results) == 3


def test_a_level_that_there_is_not_is_refused(tiny: TinyType) -> None:
    runner = Runner(tiny.compile())

    assert (runner.get_result("epoch"), runner.get_result("run")) == ({}, {})
    with pytest.raises(ValueError, match="level is one of epoch or run, and not 'step'"):
        runner.get_result("step")  # type: ignore[arg-type]  # what is refused
