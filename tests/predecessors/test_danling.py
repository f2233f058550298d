"""What DanLing's configuration and runner can do, and how it is done here."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from typedcfg import ConfigError, Experiment, Runner, derived, scale_lr
from typedcfg.errors import RunError
from typedcfg.runner.state import RunState

TinyType = type[Experiment]
Write = Callable[..., None]


@pytest.fixture
def fitted(tiny: TinyType) -> "Runner":
    runner = Runner(tiny.compile())
    runner.fit()
    return runner


def of(tiny: TinyType, *overrides: str) -> Runner:
    return Runner(tiny.compile(overrides=overrides))


# --- progress -------------------------------------------------------------------------------------------------------


def test_progress_is_counted_beside_the_configuration(fitted: Runner) -> None:
    assert (fitted.epochs, fitted.steps, fitted.samples, fitted.progress) == (3, 12, 48, 1.0)
    assert (fitted.epochs_begin, fitted.steps_begin, fitted.samples_begin) == (0, 0, 0)
    assert (fitted.epochs_end, fitted.steps_end, fitted.samples_end) == (3, None, None)
    assert not {"epochs", "steps", "epoch"} & {key for key, _ in fitted.config.leaves()}


def test_one_of_epochs_steps_and_samples_ends_a_run(tiny: TinyType) -> None:
    with pytest.raises(ConfigError, match="max_epochs and max_steps each end the training"):
        of(tiny, "trainer.max_epochs=3", "trainer.max_steps=5")

    by_steps = of(tiny, "trainer.max_epochs=null", "trainer.max_steps=6")
    by_samples = of(tiny, "trainer.max_epochs=null", "trainer.max_samples=20")
    by_steps.fit()
    by_samples.fit()

    assert (by_steps.steps_end, by_steps.steps, by_steps.total_epochs, by_steps.progress) == (6, 6, None, 1.0)
    assert (by_samples.samples_end, by_samples.steps, by_samples.progress) == (20, 5, 1.0)


def test_an_attempt_that_goes_on_begins_where_the_last_one_was_saved(tiny: TinyType) -> None:
    with pytest.raises(ValueError, match="broke"):
        of(tiny, "faults.crash_at=2").fit()

    runner = of(tiny)
    runner.fit()

    assert (runner.begin, runner.total_epochs) == (RunState(epochs=2, steps=8, samples=32), 1)


def test_the_length_of_a_training_follows_from_its_data(tiny: TinyType) -> None:
    runner = of(tiny, "trainer.devices=2", "trainer.accumulate_grad_batches=2")

    assert (runner.batch_size, runner.accum_steps, runner.batch_size_equivalent) == (4, 2, 16)
    assert (runner.total_epochs, runner.total_steps, runner.trainable_steps) == (3, 6, 3)


def test_mode_and_split_say_what_is_being_done(tiny: TinyType, monkeypatch: pytest.MonkeyPatch) -> None:
    runner, seen = of(tiny), []
    bring = "typedcfg.runner.training.Training.bring_to_an_end"
    monkeypatch.setattr(bring, lambda *_, **__: seen.append((runner.mode, runner.split)))

    runner.fit()

    assert seen == [("train", "train")]
    assert (runner.mode, runner.split) == (None, "train")
    with pytest.raises(AttributeError):
        runner.mode = "test"  # type: ignore[misc]  # what is tested


def test_a_process_knows_which_it_is(tiny: TinyType, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = of(tiny)
    assert (runner.world_size, runner.rank, runner.local_rank, runner.distributed) == (1, 0, 0, False)
    assert (runner.is_main_process, runner.is_local_main_process) == (True, True)

    for name, value in {"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(name, value)

    assert (runner.world_size, runner.rank, runner.local_rank, runner.distributed) == (4, 3, 1, True)
    assert (runner.is_main_process, runner.is_local_main_process) == (False, False)


# --- results --------------------------------------------------------------------------------------------------------


def test_a_result_is_asked_for_by_its_level(fitted: Runner) -> None:
    assert fitted.get_result() == fitted.results[3].splits
    assert fitted.best_index is not None
    assert fitted.get_result("run") == fitted.results[fitted.best_index].splits


def test_a_result_is_a_line(fitted: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    fitted.print_result()

    assert capsys.readouterr().out.startswith("epoch 3/3  step 12  train/loss ")


def test_a_line_tells_of_progress_within_an_epoch(tiny: TinyType, capsys: pytest.CaptureFixture[str]) -> None:
    of(tiny, "logging.progress=lines", "logging.log_interval=3", "trainer.max_epochs=1").fit()

    assert "train 3/4  loss " in capsys.readouterr().out


# --- folder and file ------------------------------------------------------------------------------------------------


def test_a_folder_in_use_is_told_as_one_asks_for(fitted: Runner, tiny: TinyType) -> None:
    fresh = of(tiny, "lr=0.5")

    assert [fresh.check_dir(action) for action in ("warn", "raise", "ignore")] == [True, True, True]
    assert fitted.check_dir("ignore") is False
    with pytest.warns(RuntimeWarning, match="was attempted already"):
        assert fitted.check_dir() is False
    with pytest.raises(RunError, match="was attempted already"):
        fitted.check_dir("raise")


def test_a_runner_is_saved_and_comes_back(tiny: TinyType) -> None:
    runner = of(tiny, "lr=0.25")

    runner.json("runner.json")
    runner.yaml("runner.yaml")

    back = [Runner.from_json(tiny, "runner.json"), Runner.from_yaml(tiny, "runner.yaml")]
    assert [each.run_uuid for each in back] == [runner.run_uuid] * 2
    assert runner.dict() == runner.config.plain()
    with pytest.raises(RunError, match=r"ends in \.yaml or \.yml"):
        runner.yaml("runner.json")


def test_a_runner_forwards_no_attribute(tiny: TinyType) -> None:
    runner: Any = of(tiny)

    with pytest.raises(AttributeError):
        _ = runner.lr
    assert runner.config.lr == 0.05


def test_experiments_of_a_project_lie_in_folders_of_a_group(tiny: TinyType) -> None:
    runner = of(tiny, "run.project_root=vision/ablation", "run.experiment_name=mnist", "run.run_name=wide")

    runner.fit()

    assert runner.dir == Path("vision/ablation") / f"mnist-wide-{runner.id}"


# --- checkpoints ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interval", ["null", "0", "-1"])
def test_without_an_interval_the_newest_and_the_best_are_kept(interval: str, tiny: TinyType) -> None:
    runner = of(tiny, f"checkpoint.save_interval={interval}", "checkpoint.keep_last=1")

    runner.fit()

    checkpoints = runner.attempt / "checkpoints"
    assert not [*checkpoints.glob("epoch-*")]
    assert (checkpoints / "latest.ckpt").samefile(checkpoints / "step-00000012.ckpt")
    assert runner.best_result is not None
    assert (checkpoints / "best.ckpt").samefile(checkpoints / f"step-{runner.best_result.step:08d}.ckpt")


def test_the_first_epoch_is_saved_like_any_other(tiny: TinyType) -> None:
    runner = of(tiny, "checkpoint.save_interval=1", "trainer.max_epochs=1")

    runner.fit()

    found = {path.name for path in (runner.attempt / "checkpoints").glob("*.ckpt")}
    assert found == {"best.ckpt", "epoch-1.ckpt", "latest.ckpt", "step-00000004.ckpt"}


def test_what_was_saved_brings_back_results_and_the_best_among_them(tiny: TinyType) -> None:
    with pytest.raises(ValueError, match="broke"):
        of(tiny, "faults.crash_at=2").fit()
    broken = of(tiny)
    before, [*_, newest] = dict(broken.results), sorted((broken.attempt / "checkpoints").glob("step-*.ckpt"))

    runner = Runner.from_checkpoint(newest, tiny, overrides=["faults.crash_at=null"])
    runner.fit()

    assert runner.begin.epochs == 2
    assert {epoch: runner.results[epoch].splits for epoch in before} == {e: r.splits for e, r in before.items()}
    assert runner.best_index == min(runner.scores, key=lambda epoch: runner.scores[epoch])


# --- learning rate --------------------------------------------------------------------------------------------------


class Scaled(Experiment):
    batch_size: int = 128
    lr: float = derived(lambda c: scale_lr(0.1, c.batch_size, c.trainer, base=256))


def test_a_learning_rate_follows_the_samples_of_a_step() -> None:
    wide = Scaled.compile(overrides=["trainer.devices=4", "trainer.accumulate_grad_batches=2"])

    assert (Scaled.compile().lr, wide.lr) == (0.05, 0.4)


def test_a_learning_rate_that_is_given_stands() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        assert Scaled.compile(overrides=["lr=3.0"]).lr == 3.0
