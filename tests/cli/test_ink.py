import sys

import pytest

from typedcfg.cli.ink import ink_of_output
from typedcfg.template.help_ink import NO_INK


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_there_is_no_colour_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)

    assert ink_of_output() == NO_INK


@pytest.mark.usefixtures("_terminal")
def test_a_terminal_shows_headings_in_bold() -> None:
    assert ink_of_output().heading("run") == "\x1b[1mrun\x1b[0m"


@pytest.mark.usefixtures("_terminal")
@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_shows_no_colour_where_it_is_not_wanted(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    assert ink_of_output() == NO_INK
