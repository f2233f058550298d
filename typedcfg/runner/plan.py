"""What to do about a run: begin it, go on with it, or nothing because it is done."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from typedcfg.records.checkpoint_record import Verified
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


def plan_attempt(
    run: RunDir,
    record: RunRecord | None,
    *,
    again: bool = False,
    fresh: bool = False,
    doubts: Sequence[str] = (),
) -> Plan:
    """What to do about a run, from what its folder holds; nothing is changed.

    Args:
        run: The run's folder.
        record: Its `run.json`; None where it was never begun.
        again: Train once more if it is done.
        fresh: Begin from nothing if it is unfinished.
        doubts: Why a resume may not be exact, as far as the caller knows.

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
    found = run.latest_checkpoint(since=_last_start(record))
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
    epochs, steps = count(found.manifest.epoch, "epoch"), count(found.manifest.step, "step")
    return f"resumes after {epochs}, {steps}, of attempt {_attempt_of(found).timestamp}"


def _last_start(record: RunRecord) -> str:
    """The last attempt that began from nothing: what was before it was given up."""
    starts = [attempt.folder for attempt in record.attempts if attempt.resumed_from is None]
    return max(starts, default="")
