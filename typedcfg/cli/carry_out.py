"""Carry out a run for a person at a terminal: say what is done, and what came of it."""

import logging
import shlex
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from typing_extensions import override

from typedcfg.errors import RunFailed, TypedcfgError
from typedcfg.records.checkpoint_record import committed
from typedcfg.records.run_record import RunRecord
from typedcfg.runner.asked import Resume
from typedcfg.runner.endurance import unread_is_no_error
from typedcfg.runner.failure import INTERRUPTED, PREEMPTED, Preempted, problem_of, stop_reason_of
from typedcfg.runner.launchers.choose import is_joining, is_queued
from typedcfg.runner.lookup import summarize
from typedcfg.runner.run import Runner
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.runner.stop_signals import stops_raise
from typedcfg.runner.submission import Submission


def carry_out(runner: Runner, *, again: bool = False, resume: Resume = "auto") -> int:
    """Train and test a run, tell of it whoever still listens, and return the exit code.

    Raises:
        TypedcfgError: The run could not be carried out, or came to a bad end.
    """
    if is_queued(runner.config.params.launch) and (again or not runner.is_done):
        print(_told_of(runner.submit(again=again, resume=resume)))
        return 0
    with unread_is_no_error():
        return _carry_out(runner, again=again, resume=resume)


def _carry_out(runner: Runner, *, again: bool, resume: Resume) -> int:
    try:
        with _told(), stops_raise():
            runner.fit(again=again, resume=resume, test=True)
    except (KeyboardInterrupt, Preempted) as error:
        goes_on = _what_goes_on(runner, resume) if _record_of(runner) else ""
        why = ", since run.max_time is over" if stop_reason_of(error) == "max_time" else ""
        print(f"stopped{why}{goes_on}", file=sys.stderr)
        return PREEMPTED if isinstance(error, Preempted) else INTERRUPTED
    except TypedcfgError:
        raise
    except Exception as error:
        record = _record_of(runner)
        failure = record.attempts[-1].failure if record and record.attempts else None
        if failure is None:  # it came up before an attempt began, or could not be recorded
            raise
        raise RunFailed(problem_of(failure, AttemptDir(runner.attempt).log(failure.rank))) from error
    if not is_joining(runner.config.params.launch):
        print(_outcome(runner))
    return 0


def _what_goes_on(runner: Runner, resume: Resume) -> str:
    """What a person can do to go on: the command that was given has all that is needed, the class and secrets too."""
    if runner.is_done:  # it was to be done again, and is not begun yet
        return ""
    command = "the same command" if resume == "auto" else "the same command without --resume"
    if committed(AttemptDir(runner.attempt).checkpoints.path):
        return f"; {command} goes on from what was saved last"
    return f", and nothing is saved yet; {command} begins anew"


def _record_of(runner: Runner) -> RunRecord | None:
    """The record; None too where it cannot be read: how the training ended is what people have to know."""
    try:
        return runner.record
    except TypedcfgError:
        return None


def _told_of(submission: Submission) -> str:
    if submission.job is None:
        return f"{submission.script.read_text(encoding='utf-8')}\n# {shlex.join(submission.command)}"
    log = str(submission.log).replace("%j", submission.job)
    rows = {"job": submission.job, "script": submission.script, "watch": f"squeue --job={submission.job}", "log": log}
    return "\n".join(f"{label:<8}{value}" for label, value in rows.items())


def _outcome(runner: Runner) -> str:
    record = runner.record
    assert record is not None, "it was carried out"
    summary = summarize(RunDir(runner.dir), record)
    rows = {
        summary.status: f"{summary.name} {summary.id}",
        "folder": summary.folder,
        "best": str(summary.best) if summary.best else "no epoch has a score",
        **({"test": summary.tested} if summary.test else {}),
        "time": summary.took,
    }
    if summary.not_finite_since is not None:
        rows["nan"] = f"the loss or a weight is not finite since step {summary.not_finite_since}"
    return "\n".join(f"{label:<8}{text}" for label, text in rows.items())


@contextmanager
def _told() -> Iterator[None]:
    """For the length of the block, print what typedcfg logs: to be read, not to be grepped."""
    logger, handler = logging.getLogger("typedcfg"), _Teller()
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before


class _Teller(logging.Handler):
    @override
    def emit(self, record: logging.LogRecord) -> None:
        with _above_bars():
            if record.levelno >= logging.WARNING:
                print(f"{record.levelname.lower()}: {record.getMessage()}", file=sys.stderr)
            else:
                print(record.getMessage(), flush=True)


def _above_bars() -> AbstractContextManager[object]:
    """For the length of the block, progress bars make way for what is printed; there are none where none was made."""
    tqdm = sys.modules.get("tqdm")
    return nullcontext() if tqdm is None else tqdm.tqdm.external_write_mode()
