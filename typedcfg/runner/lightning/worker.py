"""What one process of a run does: build what the configuration describes, and let Lightning train it."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any, Final

from lightning.pytorch import LightningDataModule, Trainer
from lightning.pytorch.utilities.model_helpers import is_overridden

from typedcfg.compiler.config import Config
from typedcfg.compiler.writing.saving import json_text
from typedcfg.compiler.writing.secrets import secrets_in
from typedcfg.errors import Problem, RunError, RunFailed
from typedcfg.records.checkpoint_record import Verified
from typedcfg.records.result_record import ScoreRule
from typedcfg.runner.failure import Preempted, hang_of, is_failure, problem_of, stop_reason_of
from typedcfg.runner.launchers.base import asked_threads
from typedcfg.runner.lightning.callbacks.agreement import Agreement
from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.callbacks.epoch_lines import EpochLines
from typedcfg.runner.lightning.callbacks.finite import FiniteWatch
from typedcfg.runner.lightning.callbacks.pulse import Pulse
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.callbacks.step_lines import StepLines
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO
from typedcfg.runner.lightning.early_end import why_ended_early
from typedcfg.runner.lightning.exact import ExactState
from typedcfg.runner.lightning.hang import HangWatch
from typedcfg.runner.lightning.quiet import quiet
from typedcfg.runner.lightning.ranks import leave_at_exit
from typedcfg.runner.lightning.seeds import determinism, seed_all
from typedcfg.runner.lightning.trainer import build_trainer, progress_of
from typedcfg.runner.log import LogFile, kept
from typedcfg.runner.process import Process
from typedcfg.runner.run_book import RunBook, told_if_refused
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.runner.scoring import rule_of
from typedcfg.runner.secrets import texts_of
from typedcfg.runner.tested_checkpoint import checkpoint_to_test

_log: Final = logging.getLogger(__name__)


def train(run: RunDir, attempt: AttemptDir, config: Config[Any]) -> None:
    """Train, from the beginning or from the checkpoint that the attempt's record names.

    Raises:
        Preempted: A signal asked to stop, or the time is up. What was saved last is there to resume from.
        RunFailed: It came to its end, and its last state could not be saved.
        Exception: Whatever the training raises; its traceback stands in the log.
    """
    book, experiment = RunBook(run), config.params
    resumed_from = book.attempt(attempt).resumed_from
    with _surroundings(attempt, config) as log:
        recorder = _recorder(book, attempt, rule_of(experiment.run.score))
        section = experiment.checkpoint
        policy = CheckpointPolicy(recorder, **section.arguments("asynchronous"))
        # Before what it takes long to build: its time begins now.
        pulse = Pulse(
            save=policy.save,
            begin_save=policy.begin_save,
            wants_save=policy.wants_save,
            max_time=experiment.run.max_time,
        )
        exact = ExactState(
            seed=experiment.run.seed,
            offset_ranks=experiment.run.seed_per_rank,
            threads=asked_threads(),
            on_doubt=partial(_note_doubts, book, attempt),
        )
        progress = progress_of(experiment.logging)
        # Where no lines are shown they are kept all the same.
        lines = EpochLines(recorder, stream=log if progress == "none" else None)
        steps = StepLines(interval=experiment.logging.log_interval, stream=None if progress == "lines" else log)
        io = VerifiedCheckpointIO(
            fingerprint=str(config.fingerprint),
            config=json_text(config),
            asynchronous=section.asynchronous,
            guard=partial(book.check_owner, attempt),
        )
        seed_all(experiment.run.seed)
        model, data = experiment.build_model(), experiment.build_data()
        finite = FiniteWatch(experiment.run.on_nan)
        agreement = Agreement(attempt=attempt.timestamp, fingerprint=str(config.fingerprint))
        listeners = (agreement, finite, recorder, policy, exact, lines, steps, pulse)
        trainer = build_trainer(experiment, *listeners, folder=attempt.path, plugins=[io])
        if trainer.world_size > 1:
            leave_at_exit()

        try:
            with _hang_watch(trainer, book, attempt, config, log):
                trainer.fit(model, datamodule=data, ckpt_path=run.path / resumed_from if resumed_from else None)
        except BaseException as error:
            with told_if_refused(error):
                _note_end(book, attempt, trainer, finite, policy)
            raise
        _note_end(book, attempt, trainer, finite, policy)
        if policy.unsaved_because and trainer.is_global_zero:
            fix = "give the same command again once it can be written: it goes on from what was saved last"
            what = "the training came to its end, and its last state is not saved"
            raise RunFailed(Problem(what, fix=fix), policy.unsaved_because)
        if trainer.is_global_zero:
            book.complete(attempt)


def _note_doubts(book: RunBook, attempt: AttemptDir, reasons: Sequence[str]) -> None:
    """Tell, and record, why this training is not bitwise an undisturbed one, but for what was told when it began."""
    if not Process.this_one().is_main:
        return
    told = book.attempt(attempt).not_bitwise_because
    for reason in reasons:
        if reason not in told:
            _log.warning("the outcome may differ from that of an undisturbed run: %s", reason)
    book.doubt(attempt, reasons)


def _note_end(
    book: RunBook, attempt: AttemptDir, trainer: Trainer, finite: FiniteWatch, policy: CheckpointPolicy
) -> None:
    """Record what a training came to, in one write; nothing where there is nothing to tell."""
    found = {
        "not_finite_since": finite.not_finite_since,
        "unsaved_because": policy.unsaved_because,
        "stopped_early_because": why_ended_early(trainer) or None,
    }
    changes = {name: value for name, value in found.items() if value is not None}
    if changes and trainer.is_global_zero:
        book.change(attempt, **changes)


def test(run: RunDir, attempt: AttemptDir, config: Config[Any], *, is_asked_for: bool) -> None:
    """Test the best weights, or the latest where nothing says which are best, and record what was measured.

    Where a disk has damaged the best, the next best are tested, which is told and recorded. On one device, however
    many trained: several would count some samples twice to give each as many.

    Args:
        run: The run.
        attempt: Whose weights are tested.
        config: The run's configuration.
        is_asked_for: Whether it is a mistake that data or model have no test, rather than a choice.

    Raises:
        RunError: There is nothing to test, or nothing to test it with.
        RecordError: The weights of no epoch are whole.
    """
    experiment = config.params
    with _surroundings(attempt, config) as log:
        seed_all(experiment.run.seed)
        model, data = experiment.build_model(), experiment.build_data()
        missing = [
            name
            for name, owner, base in (("test_step", model, None), ("test_dataloader", data, LightningDataModule))
            if not is_overridden(name, owner, base)
        ]
        if missing:
            if is_asked_for:
                what = f"the run has no test: {' and '.join(missing)} {'are' if missing[1:] else 'is'} not defined"
                raise RunError(Problem(what, expected="a test_step in the model, and a test_dataloader in the data"))
            return
        book, rule = RunBook(run), rule_of(experiment.run.score)
        found = checkpoint_to_test(attempt, rule)
        if found is None:
            raise RunError(Problem("there are no weights to test: no epoch was finished", where=str(attempt.path)))
        _tell_of_damage(book, attempt, found)
        recorder = _recorder(book, attempt, rule)
        trainer = build_trainer(experiment, recorder, folder=attempt.path, plugins=[VerifiedCheckpointIO()], devices=1)
        with _hang_watch(trainer, book, attempt, config, log):
            trainer.test(model, datamodule=data, ckpt_path=found.path, verbose=False)


def _tell_of_damage(book: RunBook, attempt: AttemptDir, found: Verified) -> None:
    """Tell, and record, that other weights are tested than those that came out best."""
    for problem in found.refused:
        _log.warning("passed over: %s", problem)
    if found.refused:
        reason = f"its best weights are damaged, and those of epoch {found.manifest.epoch} were tested"
        _log.warning("the test may differ from that of an undisturbed run: %s", reason)
        book.doubt(attempt, [reason])


def _recorder(book: RunBook, attempt: AttemptDir, rule: ScoreRule) -> Recorder:
    return Recorder(attempt.path, rule=rule, header=book.header(attempt), guard=partial(book.check_owner, attempt))


def _hang_watch(
    trainer: Trainer, book: RunBook, attempt: AttemptDir, config: Config[Any], log: LogFile
) -> AbstractContextManager[object]:
    """What ends this process when the trainer comes to a standstill, and records that."""
    timeout = config.params.run.hang_timeout
    if timeout is None:
        return nullcontext()

    def tell(what: str) -> None:
        rank, record = Process.this_one().rank, book.attempt(attempt)
        failure = hang_of(what, rank=rank, logs=[attempt.log(each) for each in range(record.world_size)])
        book.fail(attempt, failure)
        if record.pid == os.getpid():  # nobody is left to do it
            book.end(attempt, status="failed", exit_code=1)
            print(problem_of(failure, attempt.log(rank)), file=sys.stderr)  # noqa: T201  # nor to tell people

    return HangWatch(trainer, timeout, file=log, tell=tell)


@contextmanager
def _surroundings(attempt: AttemptDir, config: Config[Any]) -> Iterator[LogFile]:
    """What training happens within: its log, its determinism, its quiet; nothing of it stays."""
    experiment = config.params
    log = LogFile(attempt.log(Process.this_one().rank), texts_of(secrets_in(experiment)))
    try:
        # The log is set up within the quiet, to hear what is not shown.
        with quiet(), kept(log, experiment.logging.level), determinism(is_on=experiment.run.deterministic):
            try:
                yield log
            except Preempted:
                raise
            except SystemExit as error:
                # Lightning turns Ctrl-C into an exit, so that the ranks it started itself end too.
                if isinstance(error.__context__, KeyboardInterrupt):
                    raise KeyboardInterrupt from None
                # An exit code of the model's choice must not pass for that of a run that is done.
                raise RunFailed(Problem(f"the training ended itself: sys.exit({error.code!r})")) from error
    except BaseException as error:
        # Whoever asked it to stop needs no traceback, which would look like a defect.
        log.write(traceback.format_exc() if is_failure(error) else _told_stop(error))
        raise
    finally:
        log.close()


def _told_stop(error: BaseException) -> str:
    why = "since run.max_time is over" if stop_reason_of(error) == "max_time" else "as it was asked to"
    return f"stopped, {why}\n"
