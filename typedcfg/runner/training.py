"""What the owner of a run does: decide what is to be done, let it be done, record how it went."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Final

from typedcfg.compiler.config import Config, told_by
from typedcfg.compiler.diff import diff
from typedcfg.compiler.identify import source_folder
from typedcfg.compiler.merged import merged
from typedcfg.compiler.writing.secrets import given_secrets, secrets_in
from typedcfg.errors import ConfigError, Problem, ResumeRefused, RunError, RunFailed
from typedcfg.identity.code_version import OUTSIDE_GIT, CodeVersion, read_branch, read_code_version
from typedcfg.records.run_record import GitState, Identity, RunRecord, Score
from typedcfg.runner.asked import Asked, Beginning
from typedcfg.runner.carry import carry_over, take_in
from typedcfg.runner.ending import check_end, status_of
from typedcfg.runner.failure import exit_code_of, failure_of, is_failure, stop_reason_of
from typedcfg.runner.launchers.base import Launcher
from typedcfg.runner.lookup import unfinished_like
from typedcfg.runner.other_meaning import other_meaning
from typedcfg.runner.ownership import term_of
from typedcfg.runner.place import NAMED_BY
from typedcfg.runner.plan import Plan, plan_attempt, unrecorded
from typedcfg.runner.preflight import verifier_of
from typedcfg.runner.recorded_config import rebuild, write_config
from typedcfg.runner.redacted import recorded_patch, recorded_words
from typedcfg.runner.requeue import requeue
from typedcfg.runner.run_book import RunBook, attempt_record, identity_of, told_if_refused, versions
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.runner.scoring import rule_of
from typedcfg.runner.secrets import texts_of
from typedcfg.runner.stop_signals import stops_raise
from typedcfg.runner.template_reference import refer_to
from typedcfg.runner.work_order import work_order
from typedcfg.sections.experiment import Experiment
from typedcfg.sections.scaling import processes
from typedcfg.storage import rename, write_atomically

_UNKNOWN_CODE: Final = CodeVersion.outside("").code_uuid

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Training:
    """A run in the hands of the process that owns it; `Runner` sees to it that it does."""

    run: RunDir
    config: Config[Experiment]
    asked: Asked

    def is_over(self) -> bool:
        """Whether nothing is left to do, which is told then.

        Raises:
            ResumeRefused: The run in the folder has a configuration that means something else.
        """
        record = RunBook(self.run).intact
        if record is None or record.status != "done":
            return False
        self._check_same(record)
        self._tell(plan_attempt(self.run, record), record.identity)
        self._tell_of_unrecorded(record)
        self._tell_of_untaken()
        return True

    def bring_to_an_end(self, launcher: Launcher, *, again: bool, resume: Beginning, test: bool, restarts: int) -> None:
        """Do what is left to do; see `Runner.fit`.

        Args:
            launcher: Starts the processes.
            again: As there.
            resume: As there; see `beginning_of`.
            test: As there.
            restarts: How often to begin once more, from the newest checkpoint, after a failure.
        """
        try:
            self._attempt(launcher, again=again, resume=resume, test=test)
        except RunFailed as error:
            if not restarts:
                raise
            _log.warning("begins once more, %s left: %s", restarts - 1, error)
            self.bring_to_an_end(launcher, again=False, resume="auto", test=test, restarts=restarts - 1)

    def _attempt(self, launcher: Launcher, *, again: bool, resume: Beginning, test: bool) -> None:
        book = RunBook(self.run)
        record, code = self._mended(book), self._code()
        doubts = self._doubts(record, code)
        plan = plan_attempt(
            self.run,
            record,
            again=again,
            resume=resume,
            doubts=doubts,
            check=verifier_of(self.config),
            unsaved=self._unsaved(record),
        )
        if record is not None and plan.does == "start":
            self._check_same_code(record, code)
        identity = record.identity if record else identity_of(self.config)
        self._tell(plan, identity)
        if record is not None and record.attempts:
            self._tell_of_unrecorded(record)
        if plan.does == "nothing":
            return
        if record is None:
            self._tell_of_another()
        _warn(plan, code)
        attempt = self._begin(book, plan, code, identity, world_size=processes(self.config.params.trainer))
        with stops_raise():
            self._attend(book, attempt, launcher, test=test)

    @contextmanager
    def attempted(self, *, world_size: int) -> Iterator[AttemptDir]:
        """One more attempt from the beginning, made within the block by whoever asks, and recorded as it ends."""
        book = RunBook(self.run)
        record, code = self._mended(book), self._code()
        plan = Plan("start", "trained by a loop of its own")
        identity = record.identity if record else identity_of(self.config)
        self._tell(plan, identity)
        self._tell_of_unrecorded(record)
        _warn(plan, code)
        attempt = self._begin(book, plan, code, identity, world_size=world_size)
        try:
            with stops_raise():
                yield attempt
        except BaseException as error:
            if self._is_owned():
                self._record_end(book, attempt, error)
            raise
        if self._is_owned():
            book.end(attempt, status="done", exit_code=0)

    def _mended(self, book: RunBook) -> RunRecord | None:
        """The record, brought to how things stand, and `run.yaml` beside it; None where the run was never begun.

        Raises:
            ResumeRefused: The run in the folder has a configuration that means something else.
        """
        book.set_aside_damage()
        book.mark_lost()
        record = book.record
        if record is not None:
            self._check_same(record)
            self._restore_config()
        return record

    def _is_owned(self) -> bool:
        """Whether it is this process that owns the run, and not one that was forked off its owner."""
        return term_of(self.run.lock) is not None

    def test(self, attempt: AttemptDir, *, is_asked_for: bool) -> None:
        """Test the best weights of an attempt; see `Runner.test`."""
        from typedcfg.runner.lightning import worker

        if RunBook(self.run).record is None:
            what, fix = "the run has no record to add a test to: it is lost", "fit(test=True) makes it anew, and tests"
            raise RunError(Problem(what, where=str(self.run.record), fix=fix))
        worker.test(self.run, attempt, self.config, is_asked_for=is_asked_for)

    def _tell(self, plan: Plan, identity: Identity) -> None:
        _log.info("%s %s in %s: %s", identity.name, identity.id, self.run.path, plan.why)
        asked_for = identity_of(self.config).name
        if asked_for != identity.name:
            _log.info(
                "%s and %s are one run: their values and their code are the same, and a name makes no other run; "
                "its folder keeps the name that it was made with",
                asked_for,
                identity.name,
            )
        if plan.does == "nothing" and identity.code_uuid == _UNKNOWN_CODE:
            _log.warning(
                "nobody can tell whether the code changed since: no git repository holds it "
                "(after `git init` edited code is another run; --again trains this one once more)"
            )

    def _tell_of_unrecorded(self, record: RunRecord | None) -> None:
        """Tell of attempts that the record does not know."""
        for attempt in unrecorded(self.run, record):
            _log.warning(
                "%s does not know of attempt %s: it was lost itself, or an older copy put back; the attempt stays",
                self.run.record,
                attempt.timestamp,
            )

    def _tell_of_untaken(self) -> None:
        """Tell of values that bear on no outcome and differ from those of a run that is done: they come too late."""
        try:
            recorded = self._recorded()
        except (ConfigError, RunError):  # `run.yaml` is lost, and nobody knows what differs
            return
        untaken = [
            f"{difference.key}: {difference.before_text} -> {difference.now_text}"
            for difference in diff(recorded, self.config)
            if not difference.is_in_identity and difference.key not in NAMED_BY
        ]
        if untaken:
            _log.info("not taken over, since the run is done: %s", ", ".join(untaken))

    def _tell_of_another(self) -> None:
        """Tell of a run that may be meant instead: begun with earlier code, and never brought to its end."""
        template, root = refer_to(type(self.config.params)), self.run.project_root
        other = unfinished_like(str(self.config.fingerprint), template, root=root, but=self.run.path)
        if other is not None:
            _log.info(
                "an unfinished run of the same configuration exists (other code): `typedcfg resume %s` goes on with it",
                other.path,
            )

    def _check_same(self, record: RunRecord) -> None:
        if str(self.config.fingerprint) == record.identity.fingerprint:
            return
        raise ResumeRefused(
            other_meaning(
                f"the run {record.identity.id}",
                done="begun",
                where=self.run.config,
                differences=diff(self._recorded(), self.config),
                fix="start another run: typedcfg run",
            )
        )

    def _check_same_code(self, record: RunRecord, code: CodeVersion) -> None:
        """See to it that a run which begins from nothing is that of the code which trains it."""
        identity = record.identity
        if identity.code_uuid == code.code_uuid:
            return
        raise ResumeRefused(
            Problem(
                f"the run {identity.id} would begin from nothing, with code that is not its own",
                where=str(self.run.record),
                expected=f"the code that it was begun with: {_code_of(identity, self.run)}",
                fix="bring that code back, or start the run of the code as it is now:\n"
                f"typedcfg run {self.asked.app or record.template.app} {self.run.config}",
            )
        )

    def _unsaved(self, record: RunRecord | None) -> float:
        """How many epochs the last attempt may have finished without a checkpoint, as it saved them [epochs]."""
        saving = (self._recorded() if record else self.config).params.checkpoint
        if saving.on_write_failure == "continue":
            return inf
        return 2 if saving.asynchronous else 1  # a result is recorded before the checkpoint before it is waited for

    def _doubts(self, record: RunRecord | None, code: CodeVersion) -> list[str]:
        """Why a resume may come out otherwise than a run that was never disturbed."""
        if record is None or not record.attempts:
            return []
        doubts = []
        if record.identity.code_uuid != code.code_uuid:
            doubts.append("the code changed since the run began")
        before, now = record.attempts[-1].versions, versions()
        doubts += [
            f"{name} was {before.get(name, 'absent')} and is {now[name]}"
            for name in now
            if before.get(name) != now[name]
        ]
        was, computes_on = self._recorded().params.trainer.accelerator, self.config.params.trainer.accelerator
        if was != computes_on:
            doubts.append(f"trainer.accelerator was {was} and is {computes_on}")
        if not self.config.params.run.deterministic:
            doubts.append("run.deterministic is false")
        return doubts

    def _restore_config(self) -> None:
        """Write `run.yaml` anew where it is lost or another: what the run was begun with is at hand."""
        try:
            self._recorded()
        except (ConfigError, RunError) as error:
            if os.path.lexists(self.run.config):
                aside = self.run.new_damaged_config()
                rename(self.run.config, aside)
                _log.warning("%s; it is kept as %s, and written anew", error.problems[0].what, aside)
            else:
                _log.warning("%s; it is written anew", error.problems[0].what)
            write_config(self.run, self.config)

    def _recorded(self) -> Config[Any]:
        return rebuild(self.run, type(self.config.params), secrets_in(self.config.params))

    def _code(self) -> CodeVersion:
        """The code as it is now; the runs beside this one are no part of it, wherever the current folder is."""
        leave_out = self.run.project_root.absolute()
        return read_code_version(source_folder(type(self.config.params)), leave_out=leave_out)

    def _begin(
        self, book: RunBook, plan: Plan, code: CodeVersion, identity: Identity, *, world_size: int
    ) -> AttemptDir:
        """Make an attempt's folder and record it, and first the run's own files if this is its first."""
        template, record = type(self.config.params), book.record
        recorded = self._recorded() if record else None
        rule = rule_of(self.config.params.run.score)
        migrations = told_by(recorded)[0].migrations if recorded else ()
        for step in migrations:
            _log.info("%s is migrated by %s", self.run.config.name, step)
        self.run.tidy()
        if recorded is None:
            write_config(self.run, self.config)
            if code.patch:
                write_atomically(self.run.patch, recorded_patch(code.patch, self.config))
        elif recorded != (config := _named_as(recorded, self.config, self.run)):
            write_config(self.run, config)
        attempt = self.run.new_attempt()
        if plan.checkpoint is not None:
            carry = carry_over if self.run.named(plan.checkpoint.path) else take_in
            carry(plan.checkpoint, attempt)
        begun = RunRecord(
            identity=identity,
            template=refer_to(template),
            argv=recorded_words(sys.argv, self.config),
            app=self.asked.app or (record.app if record else None),
            secrets=tuple(given_secrets(self.config)),
            score=Score(metric=rule.metric, mode=rule.mode, split=rule.split),
            status="running",
            attempts=record.attempts if record else (),
        )
        told = attempt_record(
            attempt,
            git=_git_state(code, source_folder(template)),
            term=term_of(self.run.lock),
            world_size=world_size,
            migrated=migrations,
            resumed_from=self._named(plan.checkpoint.path) if plan.checkpoint else None,
            not_bitwise_because=plan.not_bitwise_because,
        )
        book.begin(begun, told)
        return attempt

    def _named(self, checkpoint: Path) -> str:
        """A checkpoint, relative to the run's folder if it lies there."""
        own = self.run.named(checkpoint)
        return str(checkpoint.absolute()) if own is None else own.relative_to(self.run.path).as_posix()

    def _attend(self, book: RunBook, attempt: AttemptDir, launcher: Launcher, *, test: bool) -> None:
        """Let an attempt be made, and record how it ends."""
        work = work_order(self.run, attempt, self.config, script=self.asked.script)
        try:
            check_end(book, attempt, launcher.launch(work))
            if test:
                self.test(attempt, is_asked_for=False)
        except BaseException as error:
            self._record_end(book, attempt, error)
            raise
        book.end(attempt, status="done", exit_code=0)

    def _record_end(self, book: RunBook, attempt: AttemptDir, error: BaseException) -> None:
        """Record what ended an attempt; where that cannot be, tell of it: the error is what people have to know."""
        code = exit_code_of(error)
        with told_if_refused(error):
            if is_failure(error):
                book.fail(attempt, failure_of(error, rank=0, secret_texts=texts_of(secrets_in(self.config.params))))
            elif by := stop_reason_of(error):
                book.stop(attempt, by)
            book.end(attempt, status=status_of(code), exit_code=code)
        if stop_reason_of(error) == "SIGUSR1":
            requeue()


def _named_as(recorded: Config[Any], config: Config[Experiment], run: RunDir) -> Config[Experiment]:
    """A configuration with what a run's folder was named by; only where all runs lie may be elsewhere by now."""
    names = [key for key in NAMED_BY if key != "run.project_root" and recorded[key] != config[key]]
    if not names:
        return config
    return merged(config, {"run": {key.removeprefix("run."): recorded[key] for key in names}}, said_in=str(run.config))


def _code_of(identity: Identity, run: RunDir) -> str:
    """What is known of the code that a run was begun with."""
    if identity.code_uuid == _UNKNOWN_CODE:
        return "no repository held it"
    base = (
        "a repository without a commit" if identity.experiment_id == OUTSIDE_GIT else f"commit {identity.experiment_id}"
    )
    return base if identity.code_uuid == identity.experiment_uuid else f"{base}, and {run.patch} on it"


def _git_state(code: CodeVersion, folder: Path) -> GitState | None:
    if code.commit is None:
        return None
    return GitState(commit=code.commit, branch=read_branch(folder), is_dirty=code.is_dirty)


def _warn(plan: Plan, code: CodeVersion) -> None:
    if code.why_unknown:
        _log.warning("nobody will be able to tell which code this was: %s", code.why_unknown)
    for problem in plan.checkpoint.refused if plan.checkpoint else ():
        _log.warning("passed over: %s", problem)
    for reason in plan.not_bitwise_because:
        _log.warning("the outcome may differ from that of an undisturbed run: %s", reason)
