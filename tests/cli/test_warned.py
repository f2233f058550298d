"""Warnings about settings, as a command shows them."""

import warnings
from pathlib import Path

import pytest

from typedcfg.cli.main import call
from typedcfg.cli.warned import settings_warned_in_a_line
from typedcfg.errors import DeprecatedName

APP = """\
from typing import Annotated

from typedcfg import ConfigTemplate, Deprecated, RenamedFrom


class Loader(ConfigTemplate):
    batch_size: Annotated[int, RenamedFrom("bs")] = 1
    workers: Annotated[int, Deprecated("use batch_size", since="0.3")] = 1


class Params(ConfigTemplate):
    loader: Loader
"""

Told = pytest.CaptureFixture[str]


@pytest.mark.filterwarnings("default")
def test_a_command_warns_of_each_place_in_a_line_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("app.py").write_text(APP)
    Path("base.yaml").write_text("loader:\n  bs: 3\n  workers: 2\n")

    code = call(["check", "app.py:Params", "base.yaml", "loader.workers=4"])

    assert code == 0
    assert capsys.readouterr().err.splitlines() == [
        "warning: base.yaml:2:3: loader.bs is now called loader.batch_size",
        "warning: base.yaml:3:3: loader.workers is deprecated since 0.3: use batch_size",
        "warning: argument 4: loader.workers is deprecated since 0.3: use batch_size",
    ]


@pytest.mark.filterwarnings("default")
def test_other_warnings_are_shown_as_python_shows_them(capsys: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(warnings, "showwarning", lambda message, *_: shown.append(f"python: {message}"))

    with settings_warned_in_a_line():
        warnings.warn("of code", UserWarning, stacklevel=1)
        warnings.warn("of a setting", DeprecatedName, stacklevel=1)
    warnings.warn("of a setting, later", DeprecatedName, stacklevel=1)

    assert capsys.readouterr().err == "warning: of a setting\n"
    assert shown == ["python: of code", "python: of a setting, later"]
