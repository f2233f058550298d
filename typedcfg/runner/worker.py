"""A worker: a process of its own that does its part of an attempt, and records how it failed."""

import warnings
from collections.abc import Callable
from typing import Any

from typedcfg.compiler.config import Config, told_by
from typedcfg.compiler.migrate import differences
from typedcfg.compiler.writing.secrets import as_overrides
from typedcfg.errors import DeprecatedName, Problem, ResumeRefused, RunError, RunOwned
from typedcfg.records.run_record import RunRecord
from typedcfg.runner.failure import exit_code_of, failure_of, is_failure, stop_reason_of
from typedcfg.runner.importing import collector_paused
from typedcfg.runner.process import Process
from typedcfg.runner.recorded_config import check_config
from typedcfg.runner.run_book import RunBook, told_if_refused
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.runner.secrets import take_secrets, texts_of
from typedcfg.runner.stop_signals import ended_if_stuck, stops_raise
from typedcfg.sections.experiment import Experiment
from typedcfg.sources.files import FileSource
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
    secrets = take_secrets()
    try:
        with stops_raise(), ended_if_stuck():
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
            elif process.is_main and (by := stop_reason_of(error)):
                RunBook(run).stop(attempt, by)
        return exit_code_of(error)
    return 0


def _loaded(load: Callable[[], type[ConfigTemplate]]) -> type[ConfigTemplate]:
    try:
        return load()
    except RunOwned as error:
        fix = 'put what starts it under `if __name__ == "__main__":`'
        raise RunError(Problem("importing the experiment's class starts the run once more", fix=fix)) from error


def rebuild(run: RunDir, template: type[ConfigTemplate], secrets: dict[str, Any]) -> Config[Any]:
    """The configuration of a run from its folder.

    Raises:
        ConfigError: `run.yaml` does not compile.
        RunError: It is of another class, or its `run.yaml` is lost or damaged.
        ResumeRefused: It is not the configuration that the run was begun with: edited since, or of a changed template.
    """
    record = RunBook(run).record
    if record is None or not issubclass(template, Experiment):
        raise RunError(Problem(f"{run.path} was never begun with {template.__qualname__}", where=str(run.path)))
    check_config(run)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecatedName)  # whoever compiled the configuration was told
        config = template.compile(run.config, overrides=as_overrides(secrets))
    if str(config.fingerprint) != record.identity.fingerprint:
        raise ResumeRefused(_another(run, record, config))
    return config


def _another(run: RunDir, record: RunRecord, config: Config[Any]) -> Problem:
    """The problem of a `run.yaml` that is another run by now."""
    name, template = run.config.name, type(config.params)
    expected = f"{record.identity.fingerprint}, as run.json states\nfound {config.fingerprint}"
    story, _ = told_by(config)
    if not story.migrations:
        return Problem(
            f"{name} is not the configuration that the run was begun with: it has another fingerprint",
            where=str(run.config),
            expected=expected,
            fix=f"undo what was changed in {name}, or in the class {template.__qualname__}",
        )
    [written, *_] = FileSource([run.config]).read()
    changed = differences(written.roots[0], story.layers[0].roots[0])
    return Problem(
        f"{name} means another run once it is migrated: it has another fingerprint",
        where=str(run.config),
        expected="\n".join([expected, f"migrated by {', '.join(story.migrations)}, which changed", *changed]),
        fix="let RenamedFrom and AddedIn keep what the run is identified by, or start another run of it: "
        f"typedcfg run {record.template.app} {run.config}",
    )
