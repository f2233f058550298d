"""The page of the command line has every command, as its `--help` says it, and every exit code.

`REGENERATE=1` writes what the commands say into the page.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from typedcfg.cli.verbs import VERBS, help_of, overview
from typedcfg.errors import TypedcfgError
from typedcfg.runner.failure import INTERRUPTED, PREEMPTED

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "command-line.md"

_HELP: Final = re.compile(r"^(\$ typedcfg (?:(\w+) )?--help\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def said_now(asked: re.Match[str]) -> str:
    text = help_of(asked[2], program=None) if asked[2] else overview(program=None)
    return f"{asked[1]}{text}\n"


def kinds_of_error(kind: type[TypedcfgError] = TypedcfgError) -> Iterator[type[TypedcfgError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from kinds_of_error(narrower)


def test_the_page_shows_what_the_commands_say() -> None:
    page = _HELP.sub(said_now, PAGE.read_text(encoding="utf-8"))

    if os.environ.get("REGENERATE"):
        PAGE.write_text(page, encoding="utf-8")

    assert PAGE.read_text(encoding="utf-8") == page


@pytest.mark.parametrize("name", VERBS)
def test_every_command_has_a_part_that_shows_its_help(name: str) -> None:
    assert f"## {name}\n\n```console\n$ typedcfg {name} --help\n" in PAGE.read_text(encoding="utf-8")


def test_the_exit_codes_are_those_that_there_are() -> None:
    _, _, table = PAGE.read_text(encoding="utf-8").partition("## Exit codes")
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}

    assert told == {0, INTERRUPTED, PREEMPTED, *(kind.exit_code for kind in kinds_of_error())}
