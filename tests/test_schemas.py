"""The published schemas say what the code does; `REGENERATE=1 pytest tests/test_schemas.py` writes them anew."""

import json
import os
from pathlib import Path

import pytest
from pydantic import BaseModel

from typedcfg.records.checkpoint_record import Manifest
from typedcfg.records.result_record import Result
from typedcfg.records.run_record import RunRecord

RECORDS: dict[str, type[BaseModel]] = {"run": RunRecord, "result": Result, "checkpoint": Manifest}
FOLDER = Path(__file__).parent.parent / "schemas" / "records"


@pytest.mark.parametrize("name", RECORDS)
def test_a_published_schema_is_the_one_the_code_has(name: str) -> None:
    path = FOLDER / f"{name}.v1.schema.json"
    schema = RECORDS[name].model_json_schema(mode="serialization")
    text = json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"

    if os.environ.get("REGENERATE"):
        path.write_text(text)

    assert path.read_text() == text


def test_every_published_schema_is_of_a_record() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == {f"{name}.v1.schema.json" for name in RECORDS}
