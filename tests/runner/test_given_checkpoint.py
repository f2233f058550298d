import os
import re
import shutil
from pathlib import Path

import pytest

from typedcfg import Experiment, Runner
from typedcfg.errors import RecordError, ResumeRefused, RunError, RunFailed
from typedcfg.records.checkpoint_record import manifest_path
from typedcfg.runner.given_checkpoint import checkpoint_with_weights
from typedcfg.runner.run_dir import CheckpointDir
from typedcfg.runner.state import RunState


@pytest.fixture
def broken(tiny: type[Experiment]) -> Runner:
    """A run that broke in its third epoch."""
    runner = Runner(tiny.compile(overrides=["faults.crash_at=2"]))
    with pytest.raises(ValueError, match="the model broke"):
        runner.fit()
    return runner


@pytest.fixture
def same(tiny: type[Experiment]) -> Runner:
    """The same run in another folder, never begun."""
    return Runner(tiny.compile(overrides=["run.project_root=elsewhere"]))


@pytest.fixture
def copied(broken: Runner, tmp_path: Path) -> Path:
    """The newest checkpoint of the one that broke, outside of every run."""
    [*_, newest] = sorted((broken.attempt / "checkpoints").glob("step-*.ckpt"))
    (tmp_path / "copied").mkdir()
    for path in (newest, manifest_path(newest)):
        shutil.copy(path, tmp_path / "copied")
    return tmp_path / "copied" / newest.name


def test_a_run_begins_with_the_newest_checkpoint_of_another(broken: Runner, same: Runner) -> None:
    same.fit(resume=broken.dir)

    assert same.record is not None
    [attempt] = same.record.attempts
    assert (same.epochs_begin, list(same.results)) == (2, [2, 3])
    assert same.results[2].splits == {}
    assert attempt.resumed_from is not None
    assert Path(attempt.resumed_from).is_relative_to(broken.dir.resolve())
    assert not attempt.is_bitwise


@pytest.mark.parametrize("kind", [Path, str])
def test_a_run_begins_with_a_checkpoint_that_was_copied(kind: type[Path | str], copied: Path, same: Runner) -> None:
    same.fit(resume=kind(copied))

    assert same.record is not None
    assert same.record.attempts[0].resumed_from == str(copied)
    shutil.rmtree(copied.parent)
    assert same.begin == RunState(epochs=2, steps=8, samples=32)


def test_what_a_run_began_with_may_go_afterwards(copied: Path, same: Runner, tiny: type[Experiment]) -> None:
    breaking = Runner(tiny.compile(overrides=["run.project_root=elsewhere", "faults.crash_at=2"]))
    with pytest.raises(ValueError, match="the model broke"):
        breaking.fit(resume=copied)
    shutil.rmtree(copied.parent)

    same.fit()

    assert list(same.results) == [2, 3]
    assert same.record is not None
    assert "results" not in str(same.record.attempts[-1].not_bitwise_because)


def test_a_run_goes_back_to_an_earlier_checkpoint_of_its_own(broken: Runner, tiny: type[Experiment]) -> None:
    first = broken.attempt / "checkpoints" / "step-00000004.ckpt"
    again = Runner(tiny.compile())

    again.fit(resume=first)

    assert again.record is not None
    assert again.record.attempts[-1].resumed_from == first.relative_to(broken.dir).as_posix()
    assert again.epochs_begin == 1
    assert list(again.results) == [1, 2, 3]
    assert again.record.attempts[-1].is_bitwise


def test_a_name_for_people_stands_for_its_checkpoint(broken: Runner, same: Runner) -> None:
    same.fit(resume=broken.attempt / "checkpoints" / "latest.ckpt")

    assert same.epochs_begin == 2


def test_a_name_for_people_stands_for_the_one_that_it_is_of_those_at_a_step(
    broken: Runner, tiny: type[Experiment]
) -> None:
    folder = CheckpointDir(broken.attempt / "checkpoints")
    second = folder.new_step(8)
    manifest_path(folder.step(8)).rename(manifest_path(second))
    folder.step(8).rename(second)

    (again := Runner(tiny.compile())).fit(resume=folder.latest)

    assert again.record is not None
    assert again.record.attempts[-1].resumed_from == second.relative_to(broken.dir).as_posix()
    assert again.record.attempts[-1].is_bitwise


def test_a_name_for_people_is_begun_with_where_it_was_copied_with_its_manifest(
    broken: Runner, same: Runner, tmp_path: Path
) -> None:
    [*_, manifest] = sorted((broken.attempt / "checkpoints").glob("*.ckpt.json"))
    shutil.copy(manifest, tmp_path)
    shutil.copy(broken.attempt / "checkpoints" / "latest.ckpt", tmp_path)

    same.fit(resume=tmp_path / "latest.ckpt")

    assert same.is_done
    assert (same.attempt / "checkpoints" / "step-00000008.ckpt.json").read_text() == manifest.read_text()


def test_a_checkpoint_that_was_copied_alone_is_refused(copied: Path, same: Runner) -> None:
    manifest_path(copied).unlink()

    with pytest.raises(RecordError, match=r"step-00000008\.ckpt has no manifest"):
        same.fit(resume=copied)

    assert not Path("elsewhere").exists()


def test_a_checkpoint_of_another_configuration_is_refused_by_what_differs(copied: Path, tiny: type[Experiment]) -> None:
    other = Runner(tiny.compile(overrides=["lr=0.25", "run.project_root=elsewhere"]))

    with pytest.raises(ResumeRefused, match=r"lr: 0\.05 -> 0\.25"):
        other.fit(resume=copied)

    assert not Path("elsewhere").exists()


def test_more_processes_than_a_checkpoint_was_trained_by_are_another_training(
    copied: Path, tiny: type[Experiment]
) -> None:
    with pytest.raises(ResumeRefused, match=r"trainer\.devices: 1 -> 2"):
        Runner(tiny.compile(overrides=["trainer.devices=2", "run.project_root=elsewhere"])).fit(resume=copied)


def test_a_damaged_checkpoint_is_refused(copied: Path, same: Runner) -> None:
    copied.write_bytes(copied.read_bytes()[:-1])

    with pytest.raises(RecordError, match="is damaged"):
        same.fit(resume=copied)

    assert not Path("elsewhere").exists()


def test_a_path_that_is_nothing_is_an_error(same: Runner) -> None:
    with pytest.raises(RunError, match="there is no checkpoint nowhere to begin with"):
        same.fit(resume=Path("nowhere"))

    assert not Path("elsewhere").exists()


@pytest.mark.parametrize(
    ("name", "meant"),
    [("checkpoints/step-00000008.ckpt.json", "checkpoints/step-00000008.ckpt"), ("checkpoints", ".."), ("", "..")],
)
def test_what_lies_beside_a_checkpoint_is_none_and_what_is_meant_is_named(
    name: str, meant: str, broken: Runner, same: Runner
) -> None:
    with pytest.raises(RunError, match="is no checkpoint") as refused:
        same.fit(resume=broken.attempt / name)

    [problem] = refused.value.problems
    assert problem.suggestion == os.path.normpath(broken.attempt / meant)


@pytest.mark.parametrize("other", [".", "/", os.devnull, "tiny.py"])
def test_what_is_no_checkpoint_is_not_begun_with(other: str, same: Runner) -> None:
    with pytest.raises(RunError, match=f"{re.escape(other)} is no checkpoint"):
        same.fit(resume=other)


def test_an_empty_text_is_not_the_current_folder(same: Runner) -> None:
    with pytest.raises(RunError, match="what to begin with is an empty text"):
        same.fit(resume="")


def test_a_copy_by_another_name_is_begun_with(copied: Path, same: Runner) -> None:
    renamed = copied.with_name("mine.pt")
    copied.rename(renamed)

    same.fit(resume=renamed)

    assert same.is_done


def test_a_run_without_a_checkpoint_is_an_error(same: Runner, tiny: type[Experiment]) -> None:
    empty = Runner(tiny.compile(overrides=["lr=0.5"])).make()

    with pytest.raises(RunError, match="has no checkpoint"):
        same.fit(resume=empty.path)

    assert not Path("elsewhere").exists()


def test_a_job_that_would_be_refused_is_not_handed_in(tiny: type[Experiment]) -> None:
    with pytest.raises(RunError, match="there is no checkpoint nowhere to begin with"):
        Runner(tiny.compile(overrides=["launch=slurm", "run.project_root=elsewhere"])).submit(resume=Path("nowhere"))

    assert not Path("elsewhere").exists()


@pytest.mark.slow
@pytest.mark.multiprocess
def test_a_run_of_parts_begins_with_a_folder_that_was_copied(tiny: type[Experiment], tmp_path: Path) -> None:
    parts = ["trainer.devices=2", "trainer.strategy=fsdp"]
    broken = Runner(tiny.compile(overrides=[*parts, "faults.crash_at=2"]))
    with pytest.raises(RunFailed, match="the model broke"):
        broken.fit()
    [*_, newest] = sorted((broken.attempt / "checkpoints").glob("step-*.ckpt"))
    copied = tmp_path / "copied" / newest.name
    shutil.copytree(newest, copied)
    shutil.copy(manifest_path(newest), manifest_path(copied))
    same = Runner(tiny.compile(overrides=[*parts, "run.project_root=elsewhere"]))

    same.fit(resume=copied)

    assert copied.is_dir()
    assert same.is_done
    assert same.record is not None
    assert same.record.attempts[0].resumed_from == str(copied)
    assert (same.epochs_begin, list(same.results)) == (2, [2, 3])
    resumed = Runner(tiny.compile(overrides=parts))
    resumed.fit()
    assert same.results[3].splits == resumed.results[3].splits
    (copied / "__1_0.distcp").unlink()
    with pytest.raises(RecordError, match=r"__1_0\.distcp"):
        Runner(tiny.compile(overrides=[*parts, "run.project_root=nowhere"])).fit(resume=copied)
    assert not Path("nowhere").exists()


@pytest.mark.parametrize("misspelt", ["neverr", "Auto", "runs/none"])
def test_a_word_that_means_nothing_is_no_wish_for_a_fresh_start(misspelt: str, same: Runner) -> None:
    with pytest.raises(RunError, match=f"there is no checkpoint {misspelt} to begin with"):
        same.fit(resume=misspelt)


def test_a_run_that_is_done_says_that_it_begins_with_nothing(
    tiny: type[Experiment], caplog: pytest.LogCaptureFixture
) -> None:
    runner = Runner(tiny.compile())
    runner.fit()

    runner.fit(resume="never")

    assert "--resume never does nothing here: the run is done; --again trains it once more" in caplog.text
    assert runner.record is not None
    assert len(runner.record.attempts) == 1


def test_a_path_that_is_not_there_is_refused_also_where_nothing_is_begun(tiny: type[Experiment]) -> None:
    runner = Runner(tiny.compile(overrides=["trainer.max_epochs=1"]))
    runner.fit()

    with pytest.raises(RunError, match=r"there is no checkpoint runs/none to begin with"):
        runner.fit(resume="runs/none")


def test_the_folder_of_a_run_stands_for_its_best_weights_or_else_the_newest(broken: Runner) -> None:
    checkpoints = broken.attempt / "checkpoints"

    assert checkpoint_with_weights(broken.dir) == checkpoints / "best.ckpt"
    assert checkpoint_with_weights(checkpoints / "epoch-1.ckpt") == checkpoints / "epoch-1.ckpt"
    (checkpoints / "best.ckpt").unlink()
    assert checkpoint_with_weights(broken.dir) == checkpoints / "latest.ckpt"
    (checkpoints / "latest.ckpt").unlink()
    assert checkpoint_with_weights(broken.dir) == checkpoints / "step-00000008.ckpt"
    for path in checkpoints.iterdir():
        path.unlink()
    with pytest.raises(RunError, match="has no checkpoint"):
        checkpoint_with_weights(broken.dir)
