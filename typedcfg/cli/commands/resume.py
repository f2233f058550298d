"""`typedcfg resume RUN ...`: go on with a run where it stopped."""

from pathlib import Path
from shlex import join
from typing import Any

from typedcfg.cli.carry_out import carry_out
from typedcfg.cli.commands.run import asked_of
from typedcfg.cli.context import App, Context
from typedcfg.compiler.config import Config
from typedcfg.compiler.writing.secrets import given_secrets, secrets_in
from typedcfg.errors import Problem, RunError
from typedcfg.records.run_record import RunRecord
from typedcfg.runner.lookup import find_run
from typedcfg.runner.place import NAMED_BY
from typedcfg.runner.recorded_config import check_config, rebuild
from typedcfg.runner.run import Runner
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import RunDir
from typedcfg.runner.template_reference import check_trusted
from typedcfg.sections.experiment import Experiment, undefined_builders


def run(context: Context) -> int:
    """Compile what was recorded, with what may change in a run, and go on."""
    found = find_run(context.word("RUN"))
    record = RunBook(found).record
    if record is None:
        raise RunError(_without_record(found))
    check_config(found)
    app = _app(context, found, record)
    _check_trainable(app, found, record)
    config = context.compile(app.template, base=[found.config])
    _check_secrets(config, record, found, prefix=context.prefix(app.template))
    _check_fixed(config, found)
    runner = Runner(config, folder=found, asked=asked_of(app))
    return carry_out(runner, again="--again" in context.options, resume=context.options.get("--resume", "auto"))


def _without_record(run: RunDir) -> Problem:
    if not run.attempts():
        return Problem(f"the run {run.path} was never begun", fix="start it with `typedcfg run`")
    fix = "restore it from a copy; or give `typedcfg run` as the run was begun: it goes on from the newest checkpoint"
    return Problem(f"the record of the run {run.path} is lost", where=str(run.record), fix=fix)


def _app(context: Context, run: RunDir, record: RunRecord) -> App:
    if context.template is not None:
        return App(context.template, "")
    from typedcfg.cli.app import load_app

    if "--app" in context.options:
        named = context.options["--app"]
        return App(load_app(named), named)
    check_trusted(record.template, here=Path.cwd(), runs=run.project_root)
    return App(load_app(record.template.app), record.template.app)


def _check_trainable(app: App, run: RunDir, record: RunRecord) -> None:
    """See to it that the run is one that we train, and not the loop of a script.

    Raises:
        RunError: The experiment has no model or no data.
    """
    if issubclass(app.template, Experiment) and undefined_builders(app.template):
        program = ["python"] if "".join(record.argv[:1]).endswith(".py") else []
        raise RunError(
            Problem(
                f"{app.template.__qualname__} defines no model or no data, so there is nothing to train",
                where=str(run.record),
                fix=f"a script with a loop of its own, init_env, goes on when it is started again:\n"
                f"{join([*program, *record.argv])}",
            )
        )


def _check_secrets(config: Config[Any], record: RunRecord, run: RunDir, *, prefix: str) -> None:
    given = given_secrets(config)
    problems = [
        Problem(
            f"the secret {key} was given to this run, and secrets are not recorded",
            where=str(run.record),
            fix=f"give it again: as the variable {prefix}{key.replace('.', '__').upper()}, "
            f"in the environment or in a file named by --dotenv FILE, or by {key}=... behind RUN",
        )
        for key in record.secrets
        if key not in given
    ]
    if problems:
        raise RunError(*problems)


def _check_fixed(config: Config[Any], run: RunDir) -> None:
    recorded = rebuild(run, type(config.params), secrets_in(config.params))
    problems = [
        Problem(
            f"{difference.key} cannot change: the run lies in its folder already",
            where=difference.now_origin,
            expected=difference.before_text,
        )
        for difference in recorded.diff(config)
        if difference.key in NAMED_BY
    ]
    if problems:
        raise RunError(*problems)
