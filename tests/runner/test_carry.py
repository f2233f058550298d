import hashlib
from pathlib import Path
from uuid import UUID

import pytest

from typedcfg.records.checkpoint_record import Manifest, read_manifest, write_manifest
from typedcfg.records.journal import Journal
from typedcfg.records.result_record import Result, read_results
from typedcfg.runner.carry import carry_over
from typedcfg.runner.run_dir import AttemptDir, RunDir


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir.open(tmp_path, name="digits-base", id="x" * 16, run_uuid=UUID(int=1))


@pytest.fixture
def first(run: RunDir) -> AttemptDir:
    """An attempt that got three epochs far; its last checkpoint is damaged."""
    attempt = run.new_attempt()
    with Journal(attempt.result_files.journal) as journal:
        for epoch in (1, 2, 3):
            line = Result(epoch=epoch, step=epoch * 10, splits={"val": {"loss": 1.0 / epoch}})
            journal.append(line.model_dump(mode="json"))
            path = attempt.checkpoints.step(line.step)
            path.write_bytes(content := b"weights %d" % epoch)
            digest = hashlib.sha256(content).hexdigest()
            manifest = Manifest(sha256=digest, size=len(content), step=line.step, epoch=epoch, world_size=1)
            write_manifest(path, manifest)
    attempt.checkpoints.step(30).write_bytes(b"")
    return attempt


def test_a_new_attempt_begins_with_what_led_to_its_checkpoint(run: RunDir, first: AttemptDir) -> None:
    found = run.latest_checkpoint()
    assert found is not None
    second = run.new_attempt()

    carry_over(found, second)

    assert list(read_results(second.result_files.journal)) == [1, 2]
    carried = run.latest_checkpoint()
    assert carried is not None
    assert (carried.path, carried.refused) == (second.checkpoints.step(20), ())
    assert second.checkpoints.step(10).samefile(first.checkpoints.step(10))


def test_a_checkpoint_of_another_run_is_not_carried_over(run: RunDir, first: AttemptDir) -> None:
    other = first.checkpoints.step(10)
    write_manifest(other, read_manifest(other).model_copy(update={"fingerprint": "v1-1"}))
    found = run.latest_checkpoint()
    assert found is not None
    second = run.new_attempt()

    carry_over(found, second)

    assert [path.name for path in second.checkpoints.steps()] == ["step-00000020.ckpt"]


def test_the_attempt_before_is_left_as_it_is(run: RunDir, first: AttemptDir) -> None:
    before = {path: path.read_bytes() for path in first.path.rglob("*") if path.is_file()}
    found = run.latest_checkpoint()
    assert found is not None

    carry_over(found, run.new_attempt())

    assert {path: path.read_bytes() for path in first.path.rglob("*") if path.is_file()} == before


def test_whole_lines_are_carried_from_damaged_results_which_stay(
    run: RunDir, first: AttemptDir, caplog: pytest.LogCaptureFixture
) -> None:
    journal = first.result_files.journal
    damaged = b'{"epo\n' + journal.read_bytes() + b"\xff" * 300
    journal.write_bytes(damaged)
    read_results(journal)
    found = run.latest_checkpoint()
    assert found is not None

    carry_over(found, second := run.new_attempt())

    assert list(read_results(second.result_files.journal)) == [1, 2]
    assert (journal.read_bytes(), [*first.path.glob("*.damaged")]) == (damaged, [])
    assert [record.getMessage() for record in caplog.records] == [f"{journal}:1 is damaged, and passed over"]


def test_what_an_epoch_measured_is_not_carried_into_its_midst(run: RunDir, first: AttemptDir) -> None:
    path = first.checkpoints.step(20)
    write_manifest(path, read_manifest(path).model_copy(update={"epoch": 1, "batch": 7}))
    found = run.latest_checkpoint()
    assert found is not None
    second = run.new_attempt()

    carry_over(found, second)

    assert list(read_results(second.result_files.journal)) == [1]
    assert read_manifest(second.checkpoints.step(20)).batch == 7


def test_a_later_epoch_at_the_same_step_is_left_out(run: RunDir, first: AttemptDir) -> None:
    later = first.checkpoints.new_step(20)
    later.write_bytes(b"")
    write_manifest(later, read_manifest(first.checkpoints.step(20)).model_copy(update={"epoch": 3}))
    found = run.latest_checkpoint()
    assert found is not None

    carry_over(found, second := run.new_attempt())

    assert [path.name for path in second.checkpoints.steps()] == ["step-00000010.ckpt", "step-00000020.ckpt"]


def test_a_checkpoint_that_is_gone_is_not_taken_over(run: RunDir, first: AttemptDir) -> None:
    found = run.latest_checkpoint()
    assert found is not None
    first.checkpoints.step(10).unlink()

    carry_over(found, second := run.new_attempt())

    assert [path.name for path in second.checkpoints.steps()] == ["step-00000020.ckpt"]
