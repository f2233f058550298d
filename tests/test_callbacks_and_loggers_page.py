"""The page of callbacks and loggers says of every argument of Lightning's trainer where it is."""

import re
from inspect import signature
from pathlib import Path

from lightning.pytorch import Trainer

from typedcfg import Experiment
from typedcfg.sections.trainer import Trainer as TrainerSection

PAGE = (Path(__file__).parent.parent / "docs" / "how-to" / "callbacks-and-loggers.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", PAGE, re.MULTILINE))


def test_every_argument_of_lightnings_trainer_is_on_the_page() -> None:
    known = [*signature(Trainer).parameters]

    assert [*ROWS] == known


def test_what_the_page_calls_a_key_is_one() -> None:
    config = Experiment.compile()
    keys = [where.strip("`") for where in ROWS.values() if where not in {"code", "no"}]

    assert keys
    assert [key for key in keys if key not in config] == []


def test_what_the_section_has_of_lightnings_arguments_is_there_on_the_page() -> None:
    shared = {*TrainerSection.model_fields} & {*ROWS}

    assert {name: ROWS[name] for name in shared} == {name: f"`trainer.{name}`" for name in shared}
