"""The page of a run's folder names every file that a run has, and every field of its records."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from typedcfg.cli import main
from typedcfg.records.checkpoint_record import Manifest
from typedcfg.records.result_record import Result, ResultHeader
from typedcfg.records.run_record import RunRecord
from typedcfg.runner.run_dir import RunDir

PAGE = (Path(__file__).parent.parent / "docs" / "reference" / "run-folder.md").read_text(encoding="utf-8")
NAMED = frozenset(re.findall(r"`(?:checkpoints/)?([^`\n]+)`", PAGE))


def fields_of(record: type[BaseModel]) -> Iterator[str]:
    schema: dict[str, Any] = record.model_json_schema(mode="serialization")
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", ())


def as_on_the_page(path: str) -> str:
    """A file as the page names it, the numbers in it being examples."""
    name = path.rpartition("/")[2]
    return re.sub(r"step-\d+", "step-00001200", re.sub(r"epoch-\d+", "epoch-10", name))


@pytest.mark.parametrize("record", [RunRecord, Result, Manifest])
def test_every_field_of_a_record_is_on_the_page(record: type[BaseModel]) -> None:
    assert {*fields_of(record)} - NAMED == set()


def test_what_opens_a_derived_file_is_on_the_page() -> None:
    assert {*ResultHeader._fields} - NAMED == set()


def test_every_name_that_a_run_knows_is_on_the_page() -> None:
    run = RunDir(Path("run"))
    known = [run.record, run.config, run.patch, run.job_config, run.job_script, run.lock]
    damaged = [run.new_damaged_record(), run.new_damaged_config()]

    assert {path.name for path in [*known, *damaged]} - NAMED == set()


def test_every_file_of_a_finished_run_is_on_the_page(tiny_app: str) -> None:
    assert main.call(["run", tiny_app, "checkpoint.save_interval=1"]) == 0

    [folder] = Path("experiments").iterdir()
    files = {as_on_the_page(path.relative_to(folder).as_posix()) for path in folder.rglob("*") if path.is_file()}
    assert {".typedcfg", "run.json", "best.json", "best.ckpt", "epoch-10.ckpt"} <= files
    assert files - NAMED == set()
