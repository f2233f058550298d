"""A disk that is full, or may not be written to: a real one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from deeds import DEEDS, check, leftovers, open_run, prepare_run, result_of, save_checkpoint
from small_disk import SmallDisk, mounted

from typedcfg.errors import RecordError
from typedcfg.records.checkpoint_record import newest_verified
from typedcfg.records.result_record import BY_LOSS, ResultHeader, ResultLog, read_results
from typedcfg.runner.ownership import Ownership
from typedcfg.runner.run_dir import AttemptDir, RunDir


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallDisk]:
    with mounted(tmp_path / "small", size="1m") as disk:
        yield disk


@pytest.fixture
def run(small: SmallDisk) -> RunDir:
    prepare_run(small.path)
    return open_run(small.path)


@pytest.fixture
def attempt(run: RunDir) -> AttemptDir:
    return run.attempts()[0]


def test_a_save_to_a_full_disk_says_so_and_leaves_the_old_checkpoint_and_no_half_file(
    small: SmallDisk, attempt: AttemptDir
) -> None:
    before = sorted(path.name for path in attempt.checkpoints.path.iterdir())
    small.fill(leave=4096)

    with pytest.raises(RecordError, match=r"cannot write step-00000030\.ckpt: No space left on device"):
        save_checkpoint(attempt.checkpoints.step(30), step=30)

    found = newest_verified([attempt.checkpoints.path])
    assert found is not None
    assert found.manifest.step == 20
    assert sorted(path.name for path in attempt.checkpoints.path.iterdir()) == before


def test_results_on_a_full_disk_keep_their_lines_and_get_no_torn_one(small: SmallDisk, attempt: AttemptDir) -> None:
    journal = attempt.result_files.journal
    with ResultLog(attempt.result_files, ResultHeader("digits-base"), BY_LOSS) as log:
        small.fill(leave=0)
        told = []
        for epoch in range(3, 100):
            try:
                log.append(result_of(epoch))
            except RecordError as error:
                told.append(str(error))
                break

    assert "No space left on device" in told[0]
    assert journal.read_bytes().endswith(b"}\n")
    assert {1, 2} <= read_results(journal).keys()


def test_a_run_goes_on_once_there_is_space_again(small: SmallDisk, run: RunDir) -> None:
    act = {deed.name: deed.act for deed in DEEDS}["end"]
    small.fill(leave=8192)
    promises: list[str] = []
    with pytest.raises(RecordError):
        act(small.path, promises.append)
    check(small.path, promises)

    small.empty()
    act(small.path, promises.append)

    check(small.path, promises)
    assert "done" in promises
    assert leftovers(run.path) == []


def test_a_run_that_may_not_be_written_to_is_refused_before_anything_is_done(small: SmallDisk, run: RunDir) -> None:
    small.make_read_only()

    with pytest.raises(RecordError, match="cannot lock the run: Read-only file system") as caught, Ownership(run.lock):
        pass

    assert caught.value.problems[0].where == str(run.lock)


def test_a_place_for_runs_that_may_not_be_written_to_is_refused_with_its_path(small: SmallDisk) -> None:
    small.make_read_only()

    with pytest.raises(RecordError, match=r"cannot make .*: Read-only file system") as caught:
        open_run(small.path)

    assert str(small.path) in caught.value.problems[0].where
