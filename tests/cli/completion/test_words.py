import subprocess
import sys
from pathlib import Path

import pytest

from typedcfg.cli.completion.words import complete
from typedcfg.cli.verbs import HIDDEN, VERBS

APP = """
from typing import Literal
from typedcfg import ConfigTemplate, section

class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = 0.1

class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    momentum: float = 0.9

class App(ConfigTemplate):
    optimizer: AdamW | Sgd = section(AdamW)
"""
FOUND = "found_by_completion.py:App"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "found_by_completion", raising=False)
    (tmp_path / "found_by_completion.py").write_text(APP)
    (tmp_path / "wide.yaml").write_text("optimizer: sgd\n")
    (tmp_path / "my.env").write_text("")


def texts(*words: str) -> list[str]:
    return [candidate.text for candidate in complete(words)]


def test_the_first_word_is_a_command() -> None:
    assert texts("") == list(VERBS)
    assert not set(HIDDEN) & set(texts(""))


def test_options_are_offered_where_their_dash_is_typed() -> None:
    assert texts("-") == ["--help", "--debug", "--version"]
    assert texts("runs", "-") == ["--json", "--help", "--debug"]


def test_an_unknown_command_has_nothing_behind_it() -> None:
    assert texts("nope", "") == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("check", "f"), ["found_by_completion.py:"]),
        (("check", "found_by_completion.py:A"), ["found_by_completion.py:AdamW", "found_by_completion.py:App"]),
        (("check", FOUND, ""), ["wide.yaml", "optimizer."]),
        (("check", FOUND, "optimizer.k"), ["optimizer.kind="]),
        (("check", FOUND, "optimizer=a"), ["optimizer=adamw"]),
        (("check", FOUND, "optimizer+=a"), ["optimizer+=adamw"]),
        (("check", FOUND, "~optimizer.l"), ["~optimizer.lr"]),
        (("check", FOUND, "--optimizer.l"), ["--optimizer.lr="]),
        (("check", FOUND, "--optimizer=s"), ["--optimizer=sgd"]),
        (("check", FOUND, "--optimizer", "s"), ["sgd"]),
        (("check", FOUND, "wide.yaml", "optimizer.m"), ["optimizer.momentum="]),
        (("check", FOUND, "optimizer=sgd", "optimizer.m"), ["optimizer.momentum="]),
        (("explain", FOUND, "o"), ["optimizer."]),
        (("explain", FOUND, "optimizer.l"), ["optimizer.lr"]),
        (("explain", FOUND, "optimizer.lr", "wide.yaml", "optimizer.m"), ["optimizer.momentum="]),
        (("help", FOUND, "optimizer.l"), ["optimizer.lr"]),
        (("help", FOUND, "w"), ["wide.yaml"]),
        (("resume", "id", "w"), ["wide.yaml"]),
        (("runs", "l"), ["ls"]),
        (("runs", "d"), ["diff"]),
        (("diff", "w"), ["wide.yaml"]),
        (("diff", "other.yaml", "w"), ["wide.yaml"]),
        (("diff", "other.yaml", "more.yaml", "w"), []),
        (("completion", "z"), ["zsh"]),
        (("completion", "zsh", ""), []),
    ],
)
def test_each_place_has_its_own_words(words: tuple[str, ...], found: list[str]) -> None:
    assert texts(*words) == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("show", "--format", "y"), ["yaml"]),
        (("show", "--format=j"), ["--format=json"]),
        (("check", "--dotenv", "my"), ["my.env"]),
        (("check", "--env-prefix", ""), []),
        (("check", "--env-prefix", "X__", FOUND, "optimizer.k"), ["optimizer.kind="]),
        (("resume", "--app", "f"), ["found_by_completion.py:"]),
        (("--debug", "sho"), ["show"]),
    ],
)
def test_an_option_has_its_own_values(words: tuple[str, ...], found: list[str]) -> None:
    assert texts(*words) == found


def test_completing_loads_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys; from typedcfg.cli.completion.words import complete;"
        f"print(len(complete(['check', '{FOUND}', 'optimizer='])),"
        " [name for name in ('torch', 'lightning', 'numpy', 'yaml') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert done.stdout == "2 []\n"
