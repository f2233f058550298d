"""The schema takes what somebody may write in a file, and refuses what no other file could put right."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Gt
from jsonschema import Draft202012Validator
from pydantic import Field, SecretStr

from typedcfg import (
    AddedIn,
    ConfigTemplate,
    Deprecated,
    Kind,
    NotInIdentity,
    RenamedFrom,
    Unit,
    derived,
    section,
)
from typedcfg.errors import MissingKey
from typedcfg.template.json_schema import json_schema_of


class Loader(ConfigTemplate):
    """How minibatches are read."""

    batch_size: Annotated[int, Gt(0), Unit("samples"), RenamedFrom("bs", "data.batch_size")] = 128
    """Samples per step and rank."""
    workers: Annotated[int, NotInIdentity(), Deprecated("use readers", since="0.3")] = 2
    scale: float = float("inf")


class AdamW(ConfigTemplate):
    kind: Annotated[Literal["adamw"], Kind(renamed_from="adam")] = "adamw"
    lr: Annotated[float, Gt(0)] = derived(lambda c: c.root.loader.batch_size / 128 * 0.01)
    betas: tuple[float, float] = (0.9, 0.999)


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float
    momentum: float = 0.9


class Block(ConfigTemplate):
    width: int = 64
    inner: "Block | None" = None


class Params(ConfigTemplate):
    """A classic."""

    loader: Annotated[Loader, RenamedFrom("data.loader")]
    optimizer: AdamW | Sgd = section(AdamW)
    schedule: AdamW | Sgd | None = None
    layers: list[Block] = []
    stages: list[AdamW | Sgd] = []
    groups: dict[str, Sgd] = {}
    tags: dict[str, Any] = {}
    token: SecretStr = SecretStr("hunter2")
    note: Annotated[str, AddedIn(was="")] = Field("", examples=["a note"])


SCHEMA = json_schema_of(Params)
VALIDATOR = Draft202012Validator(SCHEMA)

RIGHT: Sequence[Mapping[str, Any]] = (
    {},
    {"loader": {}},
    {"loader": {"batch_size": 64}},
    {"loader": {"batch_size": "${root.layers[0].width * 2}"}},
    {"loader": "${root.other}"},
    {"loader": {"$extends": "loader.yaml", "batch_size": 64}},
    {"loader": {"$replace": True, "$delete": ["workers", "scale"]}},
    {"$extends": ["base.yaml", "wide.yaml"], "$delete": "loader"},
    {"$version": 3},
    {"optimizer": "sgd"},
    {"optimizer": {"kind": "sgd", "momentum": 0.5}},
    {"optimizer": {"momentum": 0.5}},
    {"optimizer": {"betas": [0.8, "${loader.scale}"]}},
    {"optimizer": {"kind": "adam"}},
    {"optimizer": "${schedule}"},
    {"schedule": None},
    {"schedule": {"kind": "sgd"}},
    {"layers": [{"width": 1, "inner": {"inner": None}}, {"$extends": "block.yaml"}, "${layers[0]}"]},
    {"layers": "${root.layers}"},
    {"stages": ["sgd", {"kind": "adamw"}]},
    {"groups": {"backbone.0": {"lr": 0.1}, "$$odd": {"momentum": 0.1}, "$replace": True}},
    {"tags": {"a": [1, {"b": None}], "$$ref": "x"}},
    {"token": "hunter3"},
    {"loader": {"bs": 64}},
    {"data": {"batch_size": 64}},
    {"data": {"loader": {"batch_size": 64}}},
)

WRONG: Sequence[Mapping[str, Any]] = (
    {"loadr": {}},
    {"loader": {"batch_sise": 64}},
    {"loader": {"batch_size": 0}},
    {"loader": {"batch_size": "many"}},
    {"loader": {"$extend": "a.yaml"}},
    {"loader": {"$version": 1}},
    {"loader": {"$replace": "maybe"}},
    {"loader": None},
    {"loader": "loader.yaml"},
    {"loader": []},
    {"$extends": {"a": 1}},
    {"$include": "base.yaml"},
    {"optimizer": "sdg"},
    {"optimizer": None},
    {"optimizer": {"kind": "sdg"}},
    {"optimizer": {"kind": "${name}"}},
    {"optimizer": {"kind": "sgd", "betas": [0.9, 0.99]}},
    {"optimizer": {"kind": "adamw", "momentum": 0.9}},
    {"optimizer": {"betas": [0.9, 0.99], "momentum": 0.9}},
    {"optimizer": {"betas": [0.9]}},
    {"layers": [{"widht": 1}]},
    {"layers": [{"inner": {"inner": {"widht": 1}}}]},
    {"layers": {"width": 1}},
    {"stages": ["sdg"]},
    {"groups": {"a": {"kind": "adamw"}}},
    {"groups": {"$odd": {}}},
    {"tags": {"$ref": 1}},
    {"data": {"batch_sise": 64}},
    {"data": {"loader": {"batch_sise": 64}}},
    {"note": 3},
)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("file", RIGHT, ids=str)
def test_what_may_be_written_is_taken(file: Mapping[str, Any]) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(file)] == []


@pytest.mark.parametrize("file", WRONG, ids=str)
def test_what_no_other_file_could_put_right_is_refused(file: Mapping[str, Any]) -> None:
    assert not VALIDATOR.is_valid(file)


def test_a_field_is_told_in_its_authors_words_with_its_type_and_unit() -> None:
    told = SCHEMA["$defs"]["Loader"]["properties"]["batch_size"]

    assert told["description"] == "Samples per step and rank.\n\ninteger > 0 [samples]"
    assert told["default"] == 128


def test_a_formula_stands_where_a_default_would() -> None:
    told = SCHEMA["$defs"]["AdamW"]["properties"]["lr"]

    assert told["description"] == "number > 0; derived: c.root.loader.batch_size / 128 * 0.01"
    assert "default" not in told


def test_what_is_on_its_way_out_is_marked() -> None:
    told = SCHEMA["$defs"]["Loader"]["properties"]

    assert told["workers"]["deprecated"]
    assert told["workers"]["description"] == "integer; not in the identity; deprecated since 0.3: use readers"
    assert told["bs"]["deprecated"]
    assert told["bs"]["description"] == "Now called batch_size."
    assert SCHEMA["$defs"]["AdamW"]["properties"]["kind"] == {
        "anyOf": [{"const": "adamw"}, {"const": "adam", "deprecated": True}]
    }


def test_a_secret_is_not_shown() -> None:
    told = SCHEMA["properties"]["token"]

    assert told["writeOnly"]
    assert "hunter2" not in str(SCHEMA)


def test_a_default_that_json_cannot_say_is_left_out() -> None:
    assert "default" not in SCHEMA["$defs"]["Loader"]["properties"]["scale"]


def test_a_choice_of_variants_names_the_kind_to_start_from() -> None:
    assert SCHEMA["properties"]["optimizer"]["default"] == "adamw"


def test_what_the_author_tells_pydantic_stays() -> None:
    assert SCHEMA["properties"]["note"]["examples"] == ["a note"]


def test_a_description_is_that_of_a_section_where_the_field_has_none() -> None:
    assert SCHEMA["properties"]["loader"]["description"] == "How minibatches are read."


def test_only_what_is_referred_to_is_defined() -> None:
    assert "$integer" not in json_schema_of(Sgd)["$defs"]


def test_a_schema_may_have_a_name() -> None:
    assert json_schema_of(Sgd, name="urn:sgd")["$id"] == "urn:sgd"


@pytest.mark.parametrize("key", ["optimizer", "schedule", "stages[i]", "stages[2]"])
def test_a_part_is_what_is_mounted_at_its_key(key: str) -> None:
    part = Draft202012Validator(json_schema_of(Params, key))

    assert part.is_valid({"kind": "sgd", "momentum": 0.9})
    assert not part.is_valid({"kind": "sgd", "betas": [0.9, 0.9]})
    assert not part.is_valid({"optimizer": {"kind": "sgd"}})


def test_a_part_may_lie_deep() -> None:
    part = Draft202012Validator(json_schema_of(Params, "layers[i].inner"))

    assert part.is_valid({"width": 3})


@pytest.mark.parametrize("key", ["optimiser", "loader.batch_size", "a..b"])
def test_a_part_needs_a_section_to_be_mounted_at(key: str) -> None:
    with pytest.raises(MissingKey):
        json_schema_of(Params, key)


def test_two_templates_of_one_name_stay_apart() -> None:
    def other() -> type[ConfigTemplate]:
        class Loader(ConfigTemplate):
            path: str = ""

        return Loader

    class Both(ConfigTemplate):
        train: Loader
        test: other() = section(other())  # type: ignore[valid-type]  # made at run time

    validator = Draft202012Validator(json_schema_of(Both))

    assert validator.is_valid({"train": {"batch_size": 1}, "test": {"path": "a"}})
    assert not validator.is_valid({"train": {"path": "a"}})
