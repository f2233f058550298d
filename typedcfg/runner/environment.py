"""`init_env`: the surroundings of a run for a script that has a loop of its own."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from typedcfg.compiler.config import Config
from typedcfg.compiler.writing.secrets import secrets_in
from typedcfg.errors import Problem, RunDone, RunError
from typedcfg.records.checkpoint_record import checkpoint_files
from typedcfg.records.result_record import Result, ResultLog, read_results
from typedcfg.runner.asked import Asked
from typedcfg.runner.failure import Preempted, code_of_exit, failure_of, is_failure, stop_reason_of
from typedcfg.runner.log import LogFile, kept
from typedcfg.runner.lookup import summarize
from typedcfg.runner.loop_results import LoopResults
from typedcfg.runner.loop_settings import check_processes, tell_of_unheeded
from typedcfg.runner.ownership import Ownership
from typedcfg.runner.plan import UNRECORDED
from typedcfg.runner.process import Process
from typedcfg.runner.recordable import check_recordable
from typedcfg.runner.run import Runner
from typedcfg.runner.run_book import RunBook, told_if_refused
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.runner.secrets import texts_of
from typedcfg.runner.training import Training

if TYPE_CHECKING:
    import torch

    from typedcfg.sections.experiment import Experiment

_turn: Final = RLock()
"""Held by the thread that is within a block, or within several, one inside another."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What a script's loop has around it, for as long as the block of `init_env` lasts."""

    runner: Runner
    """The run: its names, its results, how far it is."""
    attempt: AttemptDir
    """Where this attempt keeps its files: `env.attempt.checkpoints.path` is a folder for yours."""
    device: "torch.device"
    """What this process computes on."""
    process: Process
    """Which process this is."""
    earlier: tuple[AttemptDir, ...]
    """The attempts before this one that did not bring the run to its end, the newest first."""
    _results: LoopResults = field(repr=False)
    _ends_at: float = field(repr=False)
    """When `run.max_time` is over, on the clock that only goes on [s]."""

    @property
    def dir(self) -> Path:
        """The folder of this attempt."""
        return self.attempt.path

    def record(self, epoch: int, splits: Mapping[str, Mapping[str, float]], *, step: int, samples: int | None) -> None:
        """Record what an epoch measured, in `results.jsonl` and the files made from it; the first process does.

        Args:
            epoch: Epochs finished, 1 after the first.
            splits: Metrics by split: `{"train": {"loss": 0.5}}`.
            step: Optimizer steps taken so far.
            samples: Training samples seen so far, on all ranks; None if nobody counts them.

        Raises:
            RecordError: It cannot be written.
            RunFailed: A loss is NaN or infinite, and `run.on_nan` is `stop`.
            Preempted: `run.max_time` is over; the epoch is recorded.
        """
        measured = {split: dict(metrics) for split, metrics in splits.items()}
        self._results.record(Result(epoch=epoch, step=step, samples=samples, splits=measured))
        if monotonic() >= self._ends_at:
            raise Preempted("max_time")

    def saved(self, name: str) -> Path | None:
        """The newest file of that name among the checkpoints of `earlier` attempts; None where there is none.

        Raises:
            RecordError: A folder of checkpoints cannot be read: it is on a disk that is not mounted, say.
        """
        folders = (attempt.checkpoints.path for attempt in self.earlier)
        paths = (folder / name for folder in folders if checkpoint_files(folder))
        return next((path for path in paths if path.exists()), None)

    def resume(self, saved: Path, *, epoch: int) -> None:
        """Go on from a file that an earlier attempt saved: what that one measured until then is this one's too.

        Args:
            saved: The file, as `saved` found it.
            epoch: Epochs finished when it was saved; what was measured later will be measured again.

        Raises:
            RunError: No earlier attempt saved it, or not after so many epochs.
            RecordError: Results cannot be read or written.
            RunFailed: A loss until then is NaN or infinite, and `run.on_nan` is `stop`.
        """
        path = Path(os.path.abspath(saved))  # noqa: PTH100  # `..` is taken out, and no link followed
        source = next((attempt for attempt in self.earlier if path.is_relative_to(attempt.path)), None)
        if source is None:
            what = f"{saved} is of no attempt that this one goes on from"
            raise RunError(Problem(what, fix="take what saved() finds"))
        if not path.exists():
            raise RunError(Problem(f"there is no {saved}", fix="take what saved() finds"))
        measured = read_results(source.result_files.journal)
        self._check_reached(epoch, list(measured), saved)
        if self.process.is_main:
            self._note_source(source, path)
        self._results.record(*(result for result in measured.values() if result.epoch <= epoch))

    def _check_reached(self, epoch: int, measured: Sequence[int], saved: Path) -> None:
        """See to it that an earlier attempt may have been so far; one may save before it records.

        Raises:
            RunError: It was not.
        """
        last, planned = max(measured, default=None), self.runner.config.params.trainer.max_epochs
        if epoch < 0 or (last is not None and planned is not None and epoch > max(planned, last + 1)):
            what = f"{saved} was not saved after {epoch} epochs"
            found = "none" if last is None else f"{last}, and the training has {planned}"
            expected = f"the epochs that were finished when it was saved; the last one measured then is {found}"
            raise RunError(Problem(what, expected=expected, fix="save the number with it"))

    def _note_source(self, source: AttemptDir, path: Path) -> None:
        """Record what this attempt goes on from; and that it is in doubt, where that is of an attempt not recorded."""
        book = RunBook(source.run)
        now = book.attempt(self.attempt)
        reasons = now.not_bitwise_because
        if book.record is not None and all(source.timestamp != known.folder for known in book.record.attempts):
            reasons = tuple(dict.fromkeys([*reasons, UNRECORDED]))
        book.change(
            self.attempt,
            resumed_from=path.relative_to(book.run.path).as_posix(),
            is_bitwise=not reasons,
            not_bitwise_because=reasons,
        )


@contextmanager
def init_env(
    config: Config[Any], *, again: bool = False, benchmark: bool = False, threads: int | None = None
) -> Iterator[Environment]:
    """For the length of the block, the surroundings of a run: its folder, its log, its seeds, its device.

    The run gets its folder with `run.yaml` and `run.json`, as `Runner.fit` makes it, and one more attempt. That is
    recorded as done when the block ends, by `return` or `sys.exit(0)` too; as preempted where Ctrl-C, SIGTERM, SIGHUP
    or SIGUSR1 ends it, which raise in the block, or `run.max_time`, which raises in `record`, or where it is the block
    of a generator that is closed; as failed when it raises. One that is done is not done again. What is printed and
    logged goes to the attempt's log, of each rank to its own; the first alone shows it too. Under torchrun the
    processes find each other, and `torch.distributed` is ready. Afterwards everything is as it was: streams, loggers,
    generators, torch's switches. A warning names settings that count for `Runner.fit` alone.

    Args:
        config: The compiled configuration of an Experiment; it needs no builders.
        again: Make another attempt if the run is done.
        benchmark: Let cuDNN try which algorithm is fastest; not with `run.deterministic`.
        threads: Threads that torch computes with on the CPU; as many as before if None.

    Raises:
        RunDone: The run came to its end before.
        RunOwned: Another process works on this run.
        RunError: It is no Experiment, the device is not there, there are more or fewer processes than are configured,
            `benchmark` contradicts the configuration, or another thread is within such a block.
        ResumeRefused: The run in the folder has a configuration that means something else.
    """
    from typedcfg.runner.lightning.surroundings import agreeing, device_of, surroundings

    runner, process = Runner(config), Process.this_one()
    experiment: Experiment = config.params
    max_time = experiment.run.max_time
    ends_at = float("inf") if max_time is None else monotonic() + max_time.total_seconds()
    check_processes(experiment.trainer, process)
    if benchmark and experiment.run.deterministic:
        what = "benchmark lets the machine choose algorithms, and run.deterministic is true"
        raise RunError(Problem(what, fix="set run.deterministic=false, or leave benchmark out"))
    device = device_of(experiment.trainer.accelerator, process)
    exit_of_block: SystemExit | None = None
    with ExitStack() as stack:
        stack.enter_context(_one_at_a_time())
        stack.enter_context(agreeing(process, device))
        attempt = stack.enter_context(_attempted(runner, process, device, again=again))
        results = stack.enter_context(_results(runner, attempt, process))
        stack.enter_context(_logged(runner, attempt, process))
        settings = surroundings(experiment.run, device, rank=process.rank, benchmark=benchmark, threads=threads)
        stack.enter_context(settings)
        tell_of_unheeded(config)
        try:
            yield Environment(runner, attempt, device, process, _earlier(runner, attempt), results, ends_at)
        except SystemExit as error:
            if code_of_exit(error):
                raise
            exit_of_block = error
        results.end()
    if exit_of_block is not None:
        raise exit_of_block  # for the run, the block has come to its end


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """For the length of the block, no other thread may be within one.

    Raises:
        RunError: Another one is.
    """
    if not _turn.acquire(blocking=False):
        raise RunError(
            Problem(
                "another thread of this process is within init_env",
                expected="one at a time: a process has one stdout, one state of each generator",
                fix="start a process for each run",
            )
        )
    try:
        yield
    finally:
        _turn.release()


@contextmanager
def _attempted(runner: Runner, process: Process, device: "torch.device", *, again: bool) -> Iterator[AttemptDir]:
    """An attempt that the first process begins and records, and the others take part in."""
    from typedcfg.runner.lightning.surroundings import told_by_the_first, wait_for_all

    if not process.is_main:
        told = told_by_the_first(process, "", device)
        if not told:
            _check_open(runner, again=again)
            raise RunError(Problem("the first process could not begin the run", fix="see what that one says itself"))
        attempt = AttemptDir(Path(told))
        with _recorded(runner, attempt, process):
            yield attempt
            wait_for_all(process)
        return
    with ExitStack() as stack:
        try:
            check_recordable(runner.config)
            _check_open(runner, again=again)  # before anything is touched, the lock too
            run = RunDir(runner.make().path.absolute())  # the loop may go to another folder
            stack.enter_context(Ownership(run.lock))
            _check_open(runner, again=again)  # another process may have ended it a moment ago
            training = Training(run, runner.config, Asked())
            attempt = stack.enter_context(training.attempted(world_size=process.world_size))
        except BaseException:
            told_by_the_first(process, "", device)  # that there is nothing to wait for
            raise
        told_by_the_first(process, str(attempt.path), device)
        yield attempt
        wait_for_all(process)  # a run is not done while one of its processes may still fail


def _check_open(runner: Runner, *, again: bool) -> None:
    """See to it that there is something to do.

    Raises:
        RunDone: The run came to its end before, and is not to be trained again.
    """
    if again or not runner.is_done:
        return
    summary = summarize(RunDir(runner.dir), runner.record)
    best = f", best {summary.best}" if summary.best else ""
    raise RunDone(
        Problem(
            f"{summary.name} {summary.id} is done already{best}",
            where=summary.folder,
            fix="init_env(config, again=True) trains it once more, Runner(config) tells its results",
        )
    )


def _earlier(runner: Runner, attempt: AttemptDir) -> tuple[AttemptDir, ...]:
    """The attempts since the run was last done, the newest first, those too that its record does not know."""
    record = runner.record
    assert record is not None, "an attempt is recorded before it starts"
    done = {known.folder for known in record.attempts if known.status == "done"}
    before = [one for one in attempt.run.attempts() if one.timestamp < attempt.timestamp]
    return tuple(takewhile(lambda one: one.timestamp not in done, reversed(before)))


@contextmanager
def _recorded(runner: Runner, attempt: AttemptDir, process: Process) -> Iterator[None]:
    """Record what ends a process that does not own the run; the first word stands."""
    try:
        yield
    except BaseException as error:
        if is_failure(error) and not process.is_forked:
            secret_texts = texts_of(secrets_in(runner.config.params))
            failure = failure_of(error, rank=process.rank, secret_texts=secret_texts)
            with told_if_refused(error):
                RunBook(attempt.run).fail(attempt, failure)
        raise


@contextmanager
def _results(runner: Runner, attempt: AttemptDir, process: Process) -> Iterator[LoopResults]:
    experiment, book = runner.config.params, RunBook(attempt.run)
    with ExitStack() as stack:
        log = None
        if process.is_main:
            guard = partial(book.check_owner, attempt)
            log = stack.enter_context(ResultLog(attempt.result_files, book.header(attempt), runner.rule, guard=guard))
        yield LoopResults(
            log,
            rule=runner.rule,
            on_nan=experiment.run.on_nan,
            note=lambda step: book.change(attempt, not_finite_since=step),
        )


@contextmanager
def _logged(runner: Runner, attempt: AttemptDir, process: Process) -> Iterator[None]:
    """For the length of the block, what is said goes to the log, and to the terminal if this is the first process."""
    experiment = runner.config.params
    log = LogFile(attempt.log(process.rank), texts_of(secrets_in(experiment)))
    try:
        with ExitStack() as stack:
            if not process.is_main:
                stack.enter_context(_unheard())
            stack.enter_context(kept(log, experiment.logging.level))
            yield
    except BaseException as error:
        why = "since run.max_time is over" if stop_reason_of(error) == "max_time" else "as it was asked to"
        log.write(traceback.format_exc() if is_failure(error) else f"stopped, {why}\n")
        raise
    finally:
        log.close()


@contextmanager
def _unheard() -> Iterator[None]:
    """For the length of the block, nothing reaches the terminal."""
    terminal = (sys.stdout, sys.stderr)
    shown = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream in terminal
    ]
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        for handler in shown:
            handler.addFilter(_nothing)
        try:
            yield
        finally:
            for handler in shown:
                handler.removeFilter(_nothing)


def _nothing(_: logging.LogRecord) -> bool:
    return False
