"""A worker: a process of its own that does its part of an attempt, and records how it failed."""

from collections.abc import Callable

from typedcfg.errors import Problem, RunError, RunOwned
from typedcfg.runner.failure import exit_code_of, failure_of, is_failure, stop_reason_of
from typedcfg.runner.importing import collector_paused
from typedcfg.runner.process import Process
from typedcfg.runner.recorded_config import rebuild
from typedcfg.runner.run_book import RunBook, told_if_refused
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.runner.secrets import take_secrets, texts_of
from typedcfg.runner.stop_signals import StopSignals, ended_if_stuck, stops_raise
from typedcfg.template.base import ConfigTemplate


def work(run: RunDir, attempt: AttemptDir, load: Callable[[], type[ConfigTemplate]]) -> int:
    """Do this process's part of an attempt.

    Nothing is raised, since whoever launched this process tells the user: from the record.

    Args:
        run: The run.
        attempt: The attempt.
        load: Loads the class that the run was configured with.

    Returns:
        The exit code.
    """
    secrets, signals = take_secrets(), StopSignals()
    try:
        with stops_raise(signals), ended_if_stuck():
            config = rebuild(run, _loaded(load), secrets)
            with collector_paused():
                from typedcfg.runner.lightning.worker import train
            train(run, attempt, config)
    except BaseException as error:  # noqa: BLE001  # told by the launching process; Ctrl-C and SIGTERM are among them
        with told_if_refused(error):
            process = Process.this_one()
            if is_failure(error):
                failure = failure_of(error, rank=process.rank, secret_texts=texts_of(secrets))
                RunBook(run).fail(attempt, failure)
            # What all agreed on is recorded by one: at once, they would undo what another writes.
            elif (process.is_main or signals.is_raised) and (by := stop_reason_of(error)):
                RunBook(run).stop(attempt, by)
        return exit_code_of(error)
    return 0


def _loaded(load: Callable[[], type[ConfigTemplate]]) -> type[ConfigTemplate]:
    try:
        return load()
    except RunOwned as error:
        fix = 'put what starts it under `if __name__ == "__main__":`'
        raise RunError(Problem("importing the experiment's class starts the run once more", fix=fix)) from error
