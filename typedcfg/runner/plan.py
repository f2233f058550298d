"""What to do about a run: begin it, go on with it, or nothing because it is done."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from typedcfg.records.checkpoint_record import Manifest, Verified, verify
from typedcfg.records.run_record import RunRecord
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.text import count

Deed = Literal["start", "resume", "nothing"]


class Plan(NamedTuple):
    """What will be done about a run, and why."""

    does: Deed
    why: str
    """A sentence for people, without its full stop."""
    checkpoint: Verified | None = None
    """Where it goes on from."""
    not_bitwise_because: tuple[str, ...] = ()
    """Why its outcome may differ from that of a run that was never disturbed."""


def plan_attempt(  # noqa: PLR0913  # what is asked, and what is known
    run: RunDir,
    record: RunRecord | None,
    *,
    again: bool = False,
    fresh: bool = False,
    doubts: Sequence[str] = (),
    check: Callable[[Path], Manifest] = verify,
) -> Plan:
    """What to do about a run, from what its folder holds; nothing is changed.

    Args:
        run: The run's folder.
        record: Its `run.json`; None where it was never begun.
        again: Train once more if it is done.
        fresh: Begin from nothing if it is unfinished.
        doubts: Why a resume may not be exact, as far as the caller knows.
        check: What tells that a checkpoint is whole.

    Raises:
        RecordError: There are checkpoints to resume from, and not one of them is whole.
    """
    if record is None or not record.attempts:
        return Plan("start", "a new run")
    if record.status == "done":
        return (
            Plan("start", "done already, and trained again")
            if again
            else Plan("nothing", "done already; --again trains it once more")
        )
    if fresh:
        return Plan("start", "unfinished, and begun afresh")
    found = run.latest_checkpoint(since=_last_start(record), check=check)
    if found is None:
        return Plan("start", f"begun anew: the last attempt ({record.status}) left no checkpoint")
    # What made the attempt that is gone on with inexact makes this one so too.
    reasons = dict.fromkeys([*_inherited(record, _attempt_of(found)), *doubts])
    return Plan("resume", _resumes(found), found, tuple(reasons))


def _attempt_of(found: Verified) -> AttemptDir:
    return AttemptDir(found.path.parent.parent)


def _inherited(record: RunRecord, attempt: AttemptDir) -> list[str]:
    return [r for a in record.attempts if a.folder == attempt.timestamp for r in a.not_bitwise_because]


def _resumes(found: Verified) -> str:
    manifest = found.manifest
    epochs, steps = count(manifest.epoch, "epoch"), count(manifest.step, "step")
    batches = (
        f" and {manifest.batch} {'batch' if manifest.batch == 1 else 'batches'}" if manifest.is_inside_epoch else ""
    )
    return f"resumes after {epochs}{batches}, {steps}, of attempt {_attempt_of(found).timestamp}"


def _last_start(record: RunRecord) -> str:
    """The last attempt that began from nothing: what was before it was given up."""
    starts = [attempt.folder for attempt in record.attempts if attempt.resumed_from is None]
    return max(starts, default="")
