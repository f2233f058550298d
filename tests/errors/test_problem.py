"""How a problem is written."""

import pytest

from typedcfg.errors import ConfigError, Problem


@pytest.mark.parametrize("moves", ["\x1b[2J", "\r", "\x00", "\ud800", "\u202e"])
def test_nothing_in_an_error_moves_the_cursor(moves: str) -> None:
    told = str(ConfigError(Problem(f"a{moves}b is wrong", f"{moves}.yaml:1:1", expected=moves, fix=moves)))

    assert moves not in told
    assert all(line.isprintable() for line in told.split("\n"))


def test_letters_of_every_language_are_written_as_they_are() -> None:
    assert str(Problem("größe 大きさ 😀 is wrong")) == "größe 大きさ 😀 is wrong"
