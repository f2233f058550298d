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

    assert (runner.epochs_begin, runner.steps_begin, runner.samples_begin) == (1, 4, 16)
    assert (runner.total_epochs, runner.total_steps, runner.trainable_steps) == (2, 8, 8)


def test_a_run_says_what_it_is_doing(tiny: TinyType) -> None:
    runner = Runner(tiny.compile())

    assert (runner.mode, runner.split) == (None, "train")
    assert (runner.world_size, runner.rank, runner.is_main_process, runner.distributed) == (1, 0, True, False)


def test_how_long_the_training_is_does_not_hang_on_what_is_being_done(
    tiny: TinyType, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    runner = Runner(tiny.compile(overrides=["trainer.limit_train_batches=3"]))
    runner.fit()

    def look(*_: object, **__: object) -> None:
        seen.append((runner.mode, runner.split, runner.batch_size, runner.total_steps))

    monkeypatch.setattr("typedcfg.runner.training.Training.test", look)
    runner.test()

    assert (runner.split, seen) == ("train", [("test", "test", 4, 9)])
