"""The page of the command line speaks of every command and exit code; its `--help` blocks are run in test_docs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from typedcfg.cli.verbs import VERBS
from typedcfg.errors import TypedcfgError
from typedcfg.runner.failure import INTERRUPTED, PREEMPTED

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "command-line.md"


def kinds_of_error(kind: type[TypedcfgError] = TypedcfgError) -> Iterator[type[TypedcfgError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from kinds_of_error(narrower)


@pytest.mark.parametrize("name", VERBS)
def test_every_command_has_a_part_that_shows_its_help(name: str) -> None:
    assert f"## {name}\n\n```console\n$ typedcfg {name} --help\n" in PAGE.read_text(encoding="utf-8")


def test_the_exit_codes_are_those_that_there_are() -> None:
    _, _, table = PAGE.read_text(encoding="utf-8").partition("## Exit codes")
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}

    assert told == {0, INTERRUPTED, PREEMPTED, *(kind.exit_code for kind in kinds_of_error())}
