"""`typedcfg check APP ...`: whether a configuration compiles, and everything that is wrong with it."""

from collections.abc import Iterator
from typing import Final

from typedcfg.cli.context import Context
from typedcfg.template.base import ConfigTemplate

_EXPERIMENT: Final = "typedcfg.sections.experiment"


def run(context: Context) -> int:
    """Compile, and say what came of it; problems end the command with exit code 2."""
    app = context.app()
    config = context.compile(app.template)
    for note in config.notes:
        print(f"note: {note}")
    for lack in _lacks(app.template):
        print(f"note: {lack}: it cannot be run")
    print(f"{app.template.__qualname__} compiles, fingerprint {config.fingerprint}")
    return 0


def _lacks(template: type[ConfigTemplate]) -> Iterator[str]:
    """What keeps an experiment from being run."""
    # Whoever derives from `Experiment` has loaded it; nobody else needs its sections here.
    if any(above.__module__ == _EXPERIMENT for above in template.__mro__):
        from typedcfg.sections.experiment import Experiment, undefined_builders

        if issubclass(template, Experiment):
            yield from (problem.what for problem in undefined_builders(template))
