"""The published schemas say what the code does; `REGENERATE=1 pytest tests/test_schemas.py` writes them anew."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from typedcfg import ConfigTemplate, Experiment
from typedcfg.records.checkpoint_record import Manifest
from typedcfg.records.result_record import Result
from typedcfg.records.run_record import RunRecord
from typedcfg.sources.yaml_reader import read_yaml
from typedcfg.template.json_schema import DIALECT, json_schema_of

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "schemas"
RECORDS: dict[str, type[BaseModel]] = {"run.v1": RunRecord, "result.v1": Result, "checkpoint.v2": Manifest}
SECTIONS = ("experiment", *Experiment.__pydantic_fields__)

_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def published() -> dict[str, Mapping[str, Any]]:
    """Every schema by its file, as the code has it."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, record in RECORDS.items():
        schema = record.model_json_schema(mode="serialization")
        found[f"records/{name}.schema.json"] = {"$schema": DIALECT, **schema}
    for name in SECTIONS:
        key = "" if name == "experiment" else name
        schema = json_schema_of(Experiment, key, name=f"urn:typedcfg:sections:{name}")
        found[f"sections/{name}.schema.json"] = schema
    return found


PUBLISHED = published()


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_schema_is_the_one_the_code_has(name: str) -> None:
    path = FOLDER / name
    text = json.dumps(PUBLISHED[name], indent=2, ensure_ascii=False) + "\n"

    if os.environ.get("REGENERATE"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == text


def test_nothing_else_is_published() -> None:
    assert {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.json")} == PUBLISHED.keys()


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(PUBLISHED[name])


# --- what is written for our own templates --------------------------------------------------------------------------


def digits() -> type[ConfigTemplate]:
    """The example's experiment."""
    spec = spec_from_file_location("schema_of_digits", ROOT / "examples" / "digits" / "experiment.py")
    assert spec is not None, "the example is there"
    assert spec.loader is not None, "the example is there"
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    found: type[ConfigTemplate] = module.Digits
    return found


@pytest.fixture(scope="module")
def of_digits() -> Draft202012Validator:
    return Draft202012Validator(digits().json_schema())


def example_files() -> Iterator[Path]:
    yield from sorted((ROOT / "examples" / "digits").glob("*.yaml"))


@pytest.mark.parametrize("path", [*example_files()], ids=lambda path: path.name)
def test_every_file_of_the_example_is_taken(path: Path, of_digits: Draft202012Validator) -> None:
    of_digits.validate(read_yaml(path.read_text(encoding="utf-8"), path.name))


@pytest.mark.parametrize("path", [*example_files()], ids=lambda path: path.name)
def test_a_typo_anywhere_in_a_file_of_the_example_is_refused(path: Path, of_digits: Draft202012Validator) -> None:
    text = path.read_text(encoding="utf-8")
    keys = [found for found in re.finditer(r"^ *(\w+):", text, re.MULTILINE) if found[1] != "kind"]

    for key in keys:
        misspelt = f"{text[: key.start(1)]}{key[1]}x{text[key.end(1) :]}"
        assert not of_digits.is_valid(read_yaml(misspelt, path.name)), key[1]


def test_what_the_page_on_editors_writes_is_taken(of_digits: Draft202012Validator) -> None:
    page = (ROOT / "docs" / "how-to" / "complete-in-your-editor.md").read_text(encoding="utf-8")
    blocks = _BLOCK.findall(page)

    assert blocks
    assert all(of_digits.is_valid(read_yaml(block, "a.yaml")) for block in blocks)


def test_the_section_of_an_experiment_is_as_in_the_whole() -> None:
    section = Draft202012Validator(PUBLISHED["sections/trainer.schema.json"])
    whole = Draft202012Validator(PUBLISHED["sections/experiment.schema.json"])

    for value in ({"max_epochs": 3}, {"max_epoch": 3}, {"max_epochs": "${root.run.seed}"}, {"limit_val_batches": 2.5}):
        assert section.is_valid(value) == whole.is_valid({"trainer": value})
