import pytest

from typedcfg import Experiment, Runner

TinyType = type[Experiment]


def test_what_is_behind_a_run_counts_from_nothing_to_its_end(tiny: TinyType) -> None:
    runner = Runner(tiny.compile())
    assert (runner.epochs, runner.steps, runner.samples, runner.progress) == (0, 0, 0, 0.0)

    runner.fit()

    assert (runner.epochs, runner.steps, runner.progress) == (3, 12, 1.0)
    assert (runner.epochs_end, runner.steps_end, runner.samples_end) == (3, None, None)
    assert (runner.total_steps, runner.trainable_steps) == (12, 12)


def test_it_begins_where_its_newest_attempt_was_resumed(tiny: TinyType) -> None:
    with pytest.raises(ValueError, match="broke"):
        Runner(tiny.compile(overrides=["faults.crash_at=1"])).fit()
    runner = Runner(tiny.compile())

    runner.fit()

    assert (runner.epochs_begin, runner.steps_begin, runner.total_epochs) == (1, 4, 2)


def test_a_run_says_what_it_is_doing(tiny: TinyType) -> None:
    runner = Runner(tiny.compile())

    assert (runner.mode, runner.split) == (None, "train")
    assert (runner.world_size, runner.rank, runner.is_main_process, runner.distributed) == (1, 0, True, False)
