"""What to do about a run: begin it, go on with it, or nothing because it is done."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from typedcfg.errors import Problem, RecordError
from typedcfg.records.checkpoint_record import Manifest, Verified, uncommitted, verify
from typedcfg.records.result_record import read_results
from typedcfg.records.run_record import RunRecord
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.text import count, listed

Deed = Literal["start", "resume", "nothing"]

UNRECORDED: Final = "what was recorded of the attempts before is lost"
"""Why an outcome may differ that goes on from an attempt of which no record tells."""


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
    resume: Literal["auto", "never"] | Verified = "auto",
    doubts: Sequence[str] = (),
    check: Callable[[Path], Manifest] = verify,
    unsaved: float = 1,
) -> Plan:
    """What to do about a run, from what its folder holds; nothing is changed.

    Args:
        run: The run's folder.
        record: Its `run.json`; None where it was never begun.
        again: Train once more if it is done.
        resume: What to begin with if it is not done: `auto` its newest whole checkpoint, `never` nothing, or one given.
        doubts: Why a resume may not be exact, as far as the caller knows.
        check: What tells that a checkpoint is whole.
        unsaved: How many epochs an attempt may have finished without a checkpoint: one whose save was under way, and
            more where saves are behind the training or may fail [epochs].

    Raises:
        RecordError: There are checkpoints to resume from, and not one of them is whole; or there must have been.
    """
    is_done = record is not None and record.status == "done"
    if is_done and not again:
        return Plan("nothing", "done already; --again trains it once more")
    if isinstance(resume, Verified):
        return _begin_with(resume, run, record, doubts)
    if record is None or not record.attempts:
        return _take_up(run, resume, doubts, check, unsaved)
    if is_done or resume == "never":
        return Plan("start", "done already, and trained again" if is_done else "unfinished, and begun afresh")
    since = _last_start(record)
    found = run.latest_checkpoint(since=since, check=check)
    if found is None:
        left = _what_was_left(run, since, unsaved=unsaved)
        return Plan("start", f"begun anew: the last attempt ({record.status}) left {left}")
    return _go_on(found, run, record, doubts)


def _take_up(
    run: RunDir,
    resume: Literal["auto", "never"],
    doubts: Sequence[str],
    check: Callable[[Path], Manifest],
    unsaved: float,
) -> Plan:
    """What to do about a run whose record knows of no attempt, but was lost if the folder holds some."""
    if not run.attempts():
        return Plan("start", "a new run")
    if resume == "never":
        return Plan("start", "begun afresh, beside attempts that its record does not know")
    found = run.latest_checkpoint(check=check)
    if found is None:
        left = _what_was_left(run, unsaved=unsaved)
        return Plan("start", f"begun anew: its record knows of no attempt, and those in its folder left {left}")
    return _go_on(found, run, None, doubts)


def _what_was_left(run: RunDir, since: str = "", *, unsaved: float) -> str:
    """What is said of attempts that left nothing to go on from.

    Raises:
        RecordError: One finished so many epochs that it saved checkpoints, which somebody removed.
    """
    counting = [attempt for attempt in run.attempts() if attempt.timestamp >= since]
    for attempt in counting:
        finished = len(read_results(attempt.result_files.journal))
        if finished > unsaved:
            raise RecordError(
                Problem(
                    f"this run finished {count(finished, 'epoch')}, and has no checkpoint",
                    where=str(attempt.checkpoints.path),
                    expected="the checkpoints that were saved then: they were moved or removed",
                    fix="bring them back, with their manifests, or begin from nothing with --resume never",
                )
            )
    folders = (attempt.checkpoints.path for attempt in counting)
    unfinished = [path.relative_to(run.path).as_posix() for folder in folders for path in uncommitted(folder)]
    if not unfinished:
        return "no checkpoint"
    return f"no checkpoint with a manifest, but without one, and there still: {listed(unfinished)}"


def _begin_with(given: Verified, run: RunDir, record: RunRecord | None, doubts: Sequence[str]) -> Plan:
    own = run.named(given.path)
    if own is not None:
        return _go_on(given._replace(path=own), run, record, doubts)
    reasons = [f"it began with {given.path}, which another run wrote", *doubts]
    return Plan("resume", f"begins with {given.path}, after {_state_in(given)}", given, tuple(reasons))


def _go_on(found: Verified, run: RunDir, record: RunRecord | None, doubts: Sequence[str]) -> Plan:
    attempt, known = AttemptDir.of(found.path), ""
    if record is None or attempt in unrecorded(run, record):
        reasons, known = [UNRECORDED], ", which its record does not know"
    else:
        # What made the attempt that is gone on with inexact makes this one so too.
        reasons = _inherited(record, attempt)
    reasons += [*_lost_results(found, attempt), *doubts]
    return Plan("resume", f"{_resumes(found)}{known}", found, tuple(dict.fromkeys(reasons)))


def unrecorded(run: RunDir, record: RunRecord | None) -> list[AttemptDir]:
    """The attempts that a record should know and does not: it was lost, or an older copy of it was put back.

    One that was killed before it was recorded trained nothing, and has no log.
    """
    last = max((attempt.folder for attempt in record.attempts), default="") if record else ""
    later = [attempt for attempt in run.attempts() if attempt.timestamp > last]
    return [attempt for attempt in later if os.path.exists(attempt.log())]  # noqa: PTH110  # Path.exists may raise


def _lost_results(found: Verified, attempt: AttemptDir) -> list[str]:
    """That results are missing of epochs which a checkpoint knows to be finished: an older copy was put back."""
    known = read_results(attempt.result_files.journal)
    # What began with another run's checkpoint has its first line there.
    gaps = _gaps(known, min(known, default=1), found.manifest.epoch)
    if not gaps:
        return []
    missing = sum(last - first + 1 for first, last in gaps)
    named = listed(str(first) if first == last else f"{first} to {last}" for first, last in gaps)
    return [f"results of {count(missing, 'epoch')} are lost: {named}"]


def _gaps(known: Iterable[int], first: int, last: int) -> list[tuple[int, int]]:
    """What is missing of the numbers from the first to the last, of which there may be very many."""
    within = sorted(number for number in known if first <= number <= last)
    ends = zip([first - 1, *within], [*within, last + 1], strict=True)
    return [(before + 1, after - 1) for before, after in ends if after - before > 1]


def _inherited(record: RunRecord, attempt: AttemptDir) -> list[str]:
    """Why an attempt is inexact; of one that died before it was recorded, why any is that it may have gone on with."""
    known = [a for a in record.attempts if a.folder == attempt.timestamp]
    possible = known or [a for a in record.attempts if a.folder >= _last_start(record)]
    return [reason for a in possible for reason in a.not_bitwise_because]


def _resumes(found: Verified) -> str:
    return f"resumes after {_state_in(found)}, of attempt {AttemptDir.of(found.path).timestamp}"


def _state_in(found: Verified) -> str:
    manifest = found.manifest
    epochs, steps = count(manifest.epoch, "epoch"), count(manifest.step, "step")
    batches = (
        f" and {manifest.batch} {'batch' if manifest.batch == 1 else 'batches'}" if manifest.is_inside_epoch else ""
    )
    return f"{epochs}{batches}, {steps}"


def _last_start(record: RunRecord) -> str:
    """The last attempt that began from nothing: what was before it was given up."""
    starts = [attempt.folder for attempt in record.attempts if attempt.resumed_from is None]
    return max(starts, default="")
