import hashlib
import shutil
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from uuid import UUID

import pytest

from typedcfg.errors import RecordError
from typedcfg.records.checkpoint_record import Manifest, Verified, read_manifest, verify, write_manifest
from typedcfg.records.journal import Journal
from typedcfg.records.result_record import Result
from typedcfg.records.run_record import (
    AttemptRecord,
    Identity,
    Machine,
    RunRecord,
    Score,
    Status,
    TemplateReference,
)
from typedcfg.runner.plan import plan_attempt, unrecorded
from typedcfg.runner.run_dir import AttemptDir, RunDir

SOME_UUID = UUID("78787878-7878-7878-7878-787878787878")


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir.open(tmp_path, name="tiny-run", id="x" * 16, run_uuid=SOME_UUID)


def attempt(run: RunDir, *, status: Status, saved: int | None = None, resumed_from: str | None = None) -> AttemptRecord:
    """An attempt in the folder of a run, with a checkpoint after so many epochs."""
    folder = run.new_attempt()
    if saved is not None:
        path = folder.checkpoints.step(saved * 4)
        path.write_bytes(b"weights")
        digest = hashlib.sha256(b"weights").hexdigest()
        write_manifest(path, Manifest(sha256=digest, size=7, step=saved * 4, epoch=saved, world_size=1))
        measure(folder, *range(1, saved + 1))
    return AttemptRecord(
        folder=folder.timestamp,
        started=datetime.now(UTC),
        machine=Machine(hostname="box", platform="Linux", cpu_count=2, user="ada"),
        pid=7,
        world_size=1,
        status=status,
        resumed_from=resumed_from,
    )


def measure(folder: AttemptDir, *epochs: int) -> None:
    folder.result_files.journal.unlink(missing_ok=True)
    with Journal(folder.result_files.journal) as journal:
        for epoch in epochs:
            journal.append(Result(epoch=epoch, step=epoch * 4, splits={}).model_dump(mode="json"))


def record(*attempts: AttemptRecord) -> RunRecord:
    return RunRecord(
        identity=Identity(
            run_uuid=SOME_UUID,
            run_id=SOME_UUID.hex,
            id="x" * 16,
            uuid=SOME_UUID,
            name="tiny-run",
            experiment_id="x" * 16,
            experiment_uuid=SOME_UUID,
            code_uuid=SOME_UUID,
            fingerprint="v1-0",
            canonical_version=1,
        ),
        template=TemplateReference(qualname="Tiny", module="tiny", path=None, absolute_path="/tiny.py"),
        argv=(),
        app=None,
        score=Score(metric="loss", mode="min", split=None),
        status=attempts[-1].status,
        attempts=attempts,
    )


def test_a_run_that_was_never_begun_starts(run: RunDir) -> None:
    assert plan_attempt(run, None).does == "start"


def test_a_run_that_is_done_is_let_be(run: RunDir) -> None:
    done = record(attempt(run, status="done", saved=3))

    assert plan_attempt(run, done).does == "nothing"
    assert plan_attempt(run, done, resume="never").does == "nothing"


def test_a_run_that_is_done_starts_again_when_asked_to(run: RunDir) -> None:
    plan = plan_attempt(run, record(attempt(run, status="done", saved=3)), again=True)

    assert (plan.does, plan.checkpoint) == ("start", None)


@pytest.mark.parametrize("status", ["failed", "lost", "preempted"])
def test_an_unfinished_run_resumes_from_its_last_checkpoint(run: RunDir, status: Status) -> None:
    plan = plan_attempt(run, record(attempt(run, status=status, saved=2)), again=True)

    assert plan.does == "resume"
    assert plan.checkpoint is not None
    assert plan.checkpoint.manifest.epoch == 2
    assert plan.why.startswith("resumes after 2 epochs, 8 steps, of attempt ")


def test_a_plan_says_where_in_an_epoch_it_goes_on(run: RunDir) -> None:
    begun = attempt(run, status="lost", saved=2)
    [path] = run.attempts()[-1].checkpoints.steps()
    write_manifest(path, read_manifest(path).model_copy(update={"batch": 3}))

    plan = plan_attempt(run, record(begun))

    assert plan.why.startswith("resumes after 2 epochs and 3 batches, 8 steps, of attempt ")


def test_a_checkpoint_is_passed_over_that_the_caller_does_not_take(run: RunDir) -> None:
    def refuse(path: Path) -> Manifest:
        raise RecordError(f"{path.name} is not taken")

    with pytest.raises(RecordError, match=r"step-00000008\.ckpt is not taken"):
        plan_attempt(run, record(attempt(run, status="lost", saved=2)), check=refuse)


def test_an_unfinished_run_starts_afresh_when_asked_to(run: RunDir) -> None:
    plan = plan_attempt(run, record(attempt(run, status="failed", saved=2)), resume="never")

    assert (plan.does, plan.checkpoint) == ("start", None)


def test_a_run_without_a_checkpoint_starts_and_says_why(run: RunDir) -> None:
    plan = plan_attempt(run, record(attempt(run, status="lost")))

    assert plan == ("start", "begun anew: the last attempt (lost) left no checkpoint", None, ())


@pytest.mark.parametrize(("finished", "unsaved"), [(1, 1), (2, 2), (9, inf)])
def test_a_run_that_was_killed_before_its_first_checkpoint_starts(run: RunDir, finished: int, unsaved: float) -> None:
    killed = record(attempt(run, status="lost"))
    measure(run.attempts()[-1], *range(1, finished + 1))

    assert plan_attempt(run, killed, unsaved=unsaved).does == "start"
    assert plan_attempt(run, None, unsaved=unsaved).does == "start"


@pytest.mark.parametrize("is_known", [True, False])
def test_a_run_whose_checkpoints_were_removed_does_not_start_over_in_silence(run: RunDir, is_known: bool) -> None:  # noqa: FBT001  # a parameter
    begun = record(attempt(run, status="lost", saved=2)) if is_known else None
    attempt(run, status="lost", saved=2)
    for folder in run.attempts():
        shutil.rmtree(folder.checkpoints.path)

    with pytest.raises(RecordError, match="this run finished 2 epochs, and has no checkpoint"):
        plan_attempt(run, begun)
    assert plan_attempt(run, begun, resume="never").does == "start"


def test_a_save_that_was_never_finished_is_named_when_a_run_starts(run: RunDir) -> None:
    killed = attempt(run, status="lost", saved=1)
    for manifest in run.path.rglob("*.ckpt.json"):
        manifest.unlink()

    plan = plan_attempt(run, record(killed))

    assert plan.does == "start"
    assert plan.why.endswith(f"there still: {killed.folder}/checkpoints/step-00000004.ckpt")


def test_an_attempt_that_died_before_its_first_checkpoint_leaves_the_one_before_it_to_resume_from(run: RunDir) -> None:
    first = attempt(run, status="lost", saved=1)
    second = attempt(run, status="lost", resumed_from=f"{first.folder}/checkpoints/step-00000004.ckpt")

    plan = plan_attempt(run, record(first, second))

    assert plan.checkpoint is not None
    assert first.folder in str(plan.checkpoint.path)


def test_what_was_given_up_by_a_fresh_start_is_not_resumed_from(run: RunDir) -> None:
    given_up = attempt(run, status="done", saved=3)
    again = attempt(run, status="lost")

    assert plan_attempt(run, record(given_up, again)).does == "start"


def test_doubts_about_a_resume_are_kept(run: RunDir) -> None:
    plan = plan_attempt(run, record(attempt(run, status="lost", saved=1)), doubts=["the code changed"])

    assert plan.not_bitwise_because == ("the code changed",)


def test_doubts_about_the_attempt_that_is_gone_on_with_are_inherited(run: RunDir) -> None:
    doubted = attempt(run, status="lost", saved=1).model_copy(update={"not_bitwise_because": ("the code changed",)})

    plan = plan_attempt(run, record(doubted), doubts=["torch was 1.0 and is 2.0"])

    assert plan.not_bitwise_because == ("the code changed", "torch was 1.0 and is 2.0")


def test_doubts_are_inherited_through_an_attempt_that_died_before_it_was_recorded(run: RunDir) -> None:
    doubted = attempt(run, status="lost", saved=1).model_copy(update={"not_bitwise_because": ("the code changed",)})
    attempt(run, status="lost", saved=1)

    assert plan_attempt(run, record(doubted)).not_bitwise_because == ("the code changed",)


def test_a_run_whose_every_checkpoint_is_damaged_does_not_start_over_in_silence(run: RunDir) -> None:
    unfinished = record(attempt(run, status="lost", saved=1))
    for path in run.path.rglob("step-*.ckpt"):
        path.write_bytes(b"weightz")

    with pytest.raises(RecordError, match="no checkpoint of this run is whole"):
        plan_attempt(run, unfinished)


def test_a_run_whose_record_was_lost_goes_on_and_is_not_called_exact(run: RunDir) -> None:
    attempt(run, status="lost", saved=1)
    attempt(run, status="lost", saved=2)

    plan = plan_attempt(run, None)

    assert plan.checkpoint is not None
    assert (plan.does, plan.checkpoint.manifest.epoch) == ("resume", 2)
    assert plan.why.endswith(", which its record does not know")
    assert plan.not_bitwise_because == ("what was recorded of the attempts before is lost",)


def test_an_attempt_that_an_older_record_does_not_know_is_gone_on_with_and_told_of(run: RunDir) -> None:
    older = record(attempt(run, status="lost", saved=1))
    attempt(run, status="lost", saved=2)
    run.attempts()[-1].log().touch()

    plan = plan_attempt(run, older)

    assert plan.checkpoint is not None
    assert plan.checkpoint.manifest.epoch == 2
    assert plan.why.endswith(", which its record does not know")
    assert plan.not_bitwise_because == ("what was recorded of the attempts before is lost",)
    assert unrecorded(run, older) == [run.attempts()[-1]]


def test_an_attempt_that_was_killed_before_it_was_recorded_is_no_loss(run: RunDir) -> None:
    known = record(attempt(run, status="lost", saved=1))
    attempt(run, status="lost", saved=1)

    assert plan_attempt(run, known).not_bitwise_because == ()
    assert unrecorded(run, known) == []


@pytest.mark.parametrize(("kept", "lost"), [((1, 2), "1 epoch are lost: 3"), ((1, 3), "1 epoch"), ((), "3 epochs")])
def test_results_that_an_older_copy_lacks_are_told_of(run: RunDir, kept: tuple[int, ...], lost: str) -> None:
    begun = record(attempt(run, status="lost", saved=3))
    measure(run.attempts()[-1], *kept)

    [reason] = plan_attempt(run, begun).not_bitwise_because

    assert reason.startswith("results of ")
    assert lost in reason


def test_however_many_epochs_a_manifest_claims_their_results_are_told_of_at_once(run: RunDir) -> None:
    begun = record(attempt(run, status="lost", saved=3))
    measure(run.attempts()[-1], 1, 3)
    checkpoint = run.latest_checkpoint()
    assert checkpoint is not None

    def claiming(_: Path) -> Manifest:
        return checkpoint.manifest.model_copy(update={"epoch": 10**18})

    [reason] = plan_attempt(run, begun, check=claiming).not_bitwise_because

    assert reason.endswith(f"epochs are lost: 2, 4 to {10**18}")


def test_results_that_begin_with_what_another_run_had_are_complete(run: RunDir) -> None:
    begun = record(attempt(run, status="lost", saved=3))
    measure(run.attempts()[-1], 2, 3)

    assert plan_attempt(run, begun).not_bitwise_because == ()


def test_a_record_that_lists_no_attempt_is_as_one_that_was_lost(run: RunDir) -> None:
    emptied = record(attempt(run, status="lost", saved=2)).model_copy(update={"attempts": ()})

    assert plan_attempt(run, emptied).does == "resume"


def test_a_run_whose_record_and_every_checkpoint_are_lost_does_not_start_over_in_silence(run: RunDir) -> None:
    attempt(run, status="lost", saved=1)
    for path in run.path.rglob("step-*.ckpt"):
        path.unlink()

    with pytest.raises(RecordError, match="no checkpoint of this run is whole"):
        plan_attempt(run, None)
    assert plan_attempt(run, None, resume="never").why.startswith("begun afresh, beside attempts")


def test_a_run_that_lost_its_record_before_a_checkpoint_says_so(run: RunDir) -> None:
    attempt(run, status="lost")

    assert plan_attempt(run, None).why.startswith("begun anew: its record knows of no attempt")


def test_a_checkpoint_that_is_given_is_the_runs_own_whatever_links_lead_to_it(run: RunDir, tmp_path: Path) -> None:
    begun = record(attempt(run, status="lost", saved=2))
    folder = run.attempts()[-1].checkpoints.path
    folder.rename(tmp_path / "big")
    folder.symlink_to(tmp_path / "big")
    [name] = [path.name for path in run.attempts()[-1].checkpoints.steps()]

    plan = plan_attempt(run, begun, resume=Verified(tmp_path / "big" / name, verify(tmp_path / "big" / name)))

    assert plan.checkpoint is not None
    assert plan.checkpoint.path == folder / name
    assert plan.why.startswith("resumes after 2 epochs")
