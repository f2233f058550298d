"""The verbs of the command line: how each is called, and what it does."""

from typing import Final, NamedTuple


class Verb(NamedTuple):
    """A command; `cli/commands/` has a module of its name."""

    usage: str
    summary: str


VERBS: Final[dict[str, Verb]] = {
    "help": Verb("APP [KEY]", "what may be configured: types, units, defaults, formulas"),
    "keys": Verb("APP [FILES] [key=value ...]", "every key, one to a line"),
    "check": Verb("APP [FILES] [key=value ...]", "whether a configuration compiles, and everything wrong with it"),
    "show": Verb("APP [FILES] [key=value ...]", "the values, and where each came from"),
    "explain": Verb("APP KEY [FILES] [key=value ...]", "why one value is what it is"),
    "run": Verb("APP [FILES] [key=value ...]", "train; a run that is done is not done again"),
    "resume": Verb("RUN [FILES] [key=value ...]", "go on with a run where it stopped"),
    "runs": Verb("ls [FOLDER] | show RUN", "the runs in a folder"),
}

HIDDEN: Final = {"worker": Verb("RUN", "one of the processes of a run")}


def usage(verb: str, *, is_script: bool) -> str:
    """How a command is called."""
    described = {**VERBS, **HIDDEN}[verb]
    words = described.usage.removeprefix("APP ").removeprefix("APP") if is_script else described.usage
    return f"{'SCRIPT' if is_script else 'typedcfg'} {verb} {words}".rstrip()


def overview(*, is_script: bool) -> str:
    """What the program can do, a line for each command."""
    calls = {usage(verb, is_script=is_script): described.summary for verb, described in VERBS.items()}
    width = max(map(len, calls))
    lines = [f"  {call:<{width}}  {summary}" for call, summary in calls.items()]
    notes = (
        "APP is path.py:Class or package.module:Class. FILES are YAML, JSON or TOML, the later stronger.",
        "key=value sets one value: optimizer.lr=0.01, layers[2].width=64, optimizer=sgd; ~key takes it back.",
        "--env-prefix PREFIX, --dotenv FILE and --secrets-dir FOLDER say where else values may come from.",
        "--debug shows the traceback of an error.",
    )
    return "\n".join(["Typed configuration for training runs.", "", *lines, "", *notes])
