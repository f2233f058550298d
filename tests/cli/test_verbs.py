from importlib import import_module
from pathlib import Path

import pytest

import typedcfg.cli.commands
from typedcfg.cli.verbs import HIDDEN, VERBS, help_of, overview, usage


def test_every_verb_has_a_module_and_every_module_a_verb() -> None:
    folder = Path(typedcfg.cli.commands.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}

    assert modules == {*VERBS, *HIDDEN}
    assert all(callable(import_module(f"typedcfg.cli.commands.{name}").run) for name in modules)


def test_a_script_has_no_app() -> None:
    assert usage("explain", program=None) == "typedcfg explain APP KEY [FILES] [key=value ...]"
    assert usage("explain", program="python train.py") == "python train.py explain KEY [FILES] [key=value ...]"


@pytest.mark.parametrize("name", VERBS)
def test_the_help_of_a_verb_names_each_of_its_options(name: str) -> None:
    text = help_of(name, program=None)

    assert all(flag in text for flag in VERBS[name].options)


def test_the_overview_names_every_verb_that_is_meant_for_people() -> None:
    text = overview(program=None)

    assert all(f"  {name} " in text for name in VERBS)
    assert not any(f"  {name} " in text for name in HIDDEN)
