from pathlib import Path
from typing import Annotated

from typedcfg import ConfigTemplate, NotInIdentity
from typedcfg.runner.other_meaning import other_meaning


class Settings(ConfigTemplate):
    lr: float = 0.1
    note: Annotated[str, NotInIdentity()] = ""


def test_what_bears_on_the_outcome_is_told_of_and_nothing_else() -> None:
    before, now = Settings.compile(), Settings.compile(overrides=["lr=0.5", "note=other"])

    problem = other_meaning("last.ckpt", done="trained", where=Path("x"), differences=before.diff(now), fix="go")

    assert problem.what == "last.ckpt was trained with a configuration that means something else"
    assert "lr: 0.1 -> 0.5" in problem.expected
    assert "note" not in problem.expected
    assert problem.fix == "leave them as they were, or go"
