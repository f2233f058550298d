"""`typedcfg check APP ...`: whether a configuration compiles, and everything that is wrong with it."""

from typedcfg.cli.context import Context
from typedcfg.sections.experiment import Experiment, undefined_builders


def run(context: Context) -> int:
    """Compile, and say what came of it; problems end the command with exit code 2."""
    app = context.app()
    config = context.compile(app.template)
    for note in config.notes:
        print(f"note: {note}")
    if issubclass(app.template, Experiment):
        for problem in undefined_builders(app.template):
            print(f"note: {problem.what}: it cannot be run")
    print(f"{app.template.__qualname__} compiles, fingerprint {config.fingerprint}")
    return 0
