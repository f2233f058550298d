"""A fix names only keys that there are: what it says can be done."""

import re
from pathlib import Path
from typing import get_args

from typedcfg import Experiment
from typedcfg.sections.launch import Launch

PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "errors.md"

_FIX = re.compile(r"^  fix .*(?:\n {16}.*)*", re.MULTILINE)
_KEY = re.compile(r"(?<![\w./*-])((?:run|trainer|checkpoint|launch|logging)\.[a-z_]+)(?![\w/])")
_FILES = {"run.json", "run.yaml", "run.log", "run.patch"}


def test_a_fix_names_only_keys_that_there_are() -> None:
    fixes = _FIX.findall(PAGE.read_text(encoding="utf-8"))
    named = {key for fix in fixes for key in _KEY.findall(fix)} - _FILES
    known = {key for key, _ in Experiment.compile().leaves()} | {"run.score"}
    known |= {f"launch.{name}" for variant in get_args(Launch) for name in variant.model_fields}

    assert {"run.run_name", "run.experiment_name"} <= named
    assert named - known == set()
