"""The verbs of the command line: how each is called, what it does, and which options it takes."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Option(NamedTuple):
    """An option of a command."""

    value: str
    """The word for its value; empty where it takes none."""
    summary: str
    choices: tuple[str, ...] = ()
    """The values that it may have, the one that counts without it first; empty where they are not known."""


class Verb(NamedTuple):
    """A command; `cli/commands/` has a module of its name."""

    usage: str
    summary: str
    options: Mapping[str, Option]


_SOURCES: Final = {
    "--env-prefix": Option(
        "PREFIX", "what variables begin with that set values; for a class DigitsCnn, DIGITS_CNN__ by default"
    ),
    "--dotenv": Option("FILE", "a file of such variables"),
    "--secrets-dir": Option("FOLDER", "a folder with a file for each such variable"),
}
"""What every command takes that compiles: where else values may come from."""

_JSON: Final = Option("", "print JSON, for another program")

_AGAIN: Final = Option("", "train a run that is done once more, beside what it has")

_BEGINNING: Final = Option("FROM", "what to begin with: auto (its newest checkpoint), never (nothing), or a path")

_SETTINGS: Final = "[FILES] [key=value ...]"

VERBS: Final[dict[str, Verb]] = {
    "help": Verb(
        f"APP [KEY] {_SETTINGS}",
        "what may be configured, and how: all of it, or one key",
        {**_SOURCES, "--format": Option("FORMAT", "text, json or markdown", ("text", "json", "markdown"))},
    ),
    "keys": Verb(
        f"APP {_SETTINGS}",
        "every key, one to a line",
        {**_SOURCES, "--json": _JSON},
    ),
    "check": Verb(f"APP {_SETTINGS}", "whether a configuration compiles, and everything wrong with it", _SOURCES),
    "show": Verb(
        f"APP {_SETTINGS}",
        "the values, and where each came from",
        {
            **_SOURCES,
            "--format": Option(
                "FORMAT",
                "origins, which is YAML with where each value came from, yaml, json or toml",
                ("origins", "yaml", "json", "toml"),
            ),
        },
    ),
    "explain": Verb(f"APP KEY {_SETTINGS}", "why one value is what it is", _SOURCES),
    "diff": Verb(
        "A B",
        "what two files, or two runs, say differently, and whether it makes another run",
        {
            "--app": Option("APP", "compile files by it, and read runs; without it values are compared as they stand"),
            **_SOURCES,
            "--exit-code": Option("", "exit with 1 if they differ"),
            "--json": _JSON,
        },
    ),
    "schema": Verb("APP [KEY]", "what one may write in a file, as JSON Schema: for editors, and other programs", {}),
    "init": Verb(
        "APP [FILE]",
        "a file to start from, with every key and its default, and the schema beside it",
        {"--force": Option("", "replace a file that is there already")},
    ),
    "run": Verb(
        f"APP {_SETTINGS}",
        "train; a run that is done is not done again",
        {
            **_SOURCES,
            "--again": _AGAIN,
            "--resume": _BEGINNING,
        },
    ),
    "resume": Verb(
        f"RUN {_SETTINGS}",
        "go on with a run where it stopped",
        {
            **_SOURCES,
            "--again": _AGAIN,
            "--resume": _BEGINNING,
            "--app": Option("APP", "the experiment, where the one that was recorded cannot be trusted"),
        },
    ),
    "export": Verb(
        "CHECKPOINT",
        "the weights of a checkpoint as safetensors, for other programs",
        {
            "--out": Option("FILE", "what to write; by default beside the checkpoint, its name ending in .safetensors"),
            "--force": Option("", "replace a file that is there already"),
        },
    ),
    "completion": Verb("bash | zsh | fish", "the script that completes commands, keys and values on TAB", {}),
    "runs": Verb(
        "ls [FOLDER] | show RUN | diff RUN RUN",
        "the runs in a folder, and how two differ",
        {"--json": _JSON},
    ),
}

EVERYWHERE: Final = ("--help", "--debug")
"""Options of every command."""

VERSION: Final = "--version"
"""What stands in place of a command, to ask which typedcfg this is."""

HIDDEN: Final = {
    "worker": Verb("RUN", "one of the processes of a run", {}),
    "complete": Verb("line | words", "what may stand where the cursor is, asked by a shell", {}),
}


def verb_named(name: str) -> Verb:
    """The verb of a name that is known to be one."""
    return VERBS[name] if name in VERBS else HIDDEN[name]


def usage(name: str, *, program: str | None) -> str:
    """How a command is called.

    Args:
        name: The verb.
        program: How the script is called that the command is part of; None for typedcfg itself, which takes an APP.
    """
    return f"{program or 'typedcfg'} {_call(name, program=program)}"


def _call(name: str, *, program: str | None) -> str:
    words = verb_named(name).usage
    return f"{name} {words if program is None else words.removeprefix('APP').lstrip()}".rstrip()


def help_of(name: str, *, program: str | None) -> str:
    """What one command does, and its options."""
    verb = verb_named(name)
    calls = {f"{flag} {option.value}".rstrip(): option.summary for flag, option in verb.options.items()}
    lines = [usage(name, program=program), f"  {verb.summary}", *(["", *_aligned(calls)] if calls else [])]
    return "\n".join(lines)


def overview(*, program: str | None) -> str:
    """What the program can do, a line for each command."""
    calls = {_call(name, program=program): verb.summary for name, verb in VERBS.items()}
    notes = [
        "APP is path.py:Class or package.module:Class." if program is None else f"{program} alone runs.",
        "FILES are YAML, JSON or TOML, the later stronger. RUN is a run's folder, its name, or how its id begins.",
        "key=value sets one value: optimizer.lr=0.01, layers[2].width=64, optimizer=sgd; ~key takes it back;",
        "tags+=x appends to a list, tags-=x removes from it; 'rates={$replace: true, a: 1}' replaces what is there.",
        "--help behind a command lists its options; --debug shows the traceback of an error.",
        *([f"typedcfg {VERSION} says which typedcfg this is."] if program is None else []),
    ]
    return "\n".join(
        [f"{program or 'typedcfg'} COMMAND ..., where COMMAND is one of", "", *_aligned(calls), "", *notes]
    )


def _aligned(rows: Mapping[str, str]) -> list[str]:
    width = max(map(len, rows))
    return [f"  {left:<{width}}  {right}" for left, right in rows.items()]
