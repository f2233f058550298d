"""`typedcfg run APP ...`: train; a run that is done is not done again."""

import sys

from typedcfg.cli.carry_out import carry_out
from typedcfg.cli.context import App, Context
from typedcfg.runner.asked import Asked
from typedcfg.runner.run import Runner


def run(context: Context) -> int:
    """Compile, then train and test."""
    app = context.app()
    if app.reference:
        from typedcfg.cli.app import check_experiment

        check_experiment(app.template, app.reference)
    config = context.compile(app.template)
    for note in config.notes:
        print(f"note: {note}")
    runner = Runner(config, asked=asked_of(app))
    return carry_out(runner, again="--again" in context.options, resume=context.options.get("--resume", "auto"))


def asked_of(app: App) -> Asked:
    """How a run is asked for: by an APP, or by a script, which every worker starts anew."""
    return Asked(app=app.reference) if app.reference else Asked(script=_this_script())


def _this_script() -> tuple[str, ...]:
    """What follows the interpreter to start this script once more: its own arguments may hold secrets."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return ("-m", spec.name) if spec else (sys.argv[0],)
