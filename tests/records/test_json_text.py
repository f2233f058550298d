from math import inf, nan
from pathlib import Path

import pytest

from typedcfg.errors import RecordError
from typedcfg.records.json_text import read_json, to_json


def test_numbers_that_json_does_not_have_are_spelt_out_at_any_depth() -> None:
    assert (
        to_json({"a": [nan, {"b": (inf, -inf)}], "c": None}) == b'{"a":["NaN",{"b":["Infinity","-Infinity"]}],"c":null}'
    )


def test_indented_json_ends_in_a_newline() -> None:
    assert to_json({"a": 1}, indent=True) == b'{\n  "a": 1\n}\n'


def test_a_file_that_is_not_json_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(b'{\n  "a": ,\n}')

    with pytest.raises(RecordError, match=r"run\.json:2:8"):
        read_json(path)


def test_a_folder_of_that_name_is_to_be_moved_away(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()

    with pytest.raises(RecordError, match=r"cannot read run\.json: Is a directory") as caught:
        read_json(tmp_path / "run.json")

    assert caught.value.problems[0].fix == "move the folder of that name away"


def test_a_missing_file_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"cannot read run\.json: No such file"):
        read_json(tmp_path / "run.json")
