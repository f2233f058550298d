"""A schema of values takes whatever compiling takes, and not much else."""

import json
import re
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import pytest
from annotated_types import Ge, Gt, Le, Len, MultipleOf
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import (
    AnyUrl,
    BeforeValidator,
    ByteSize,
    Field,
    IPvAnyAddress,
    PlainValidator,
    Secret,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
    WrapValidator,
    create_model,
)
from typing_extensions import TypeAliasType, TypedDict

from typedcfg import ConfigTemplate
from typedcfg.template.catalog import catalog_of
from typedcfg.template.json_schema import json_schema_of


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Shape(Enum):
    SQUARE = (1, 1)
    WIDE = (2, 1)


class Lenient(Enum):
    ONE = "one"

    @classmethod
    def _missing_(cls, value: object) -> "Lenient":  # noqa: ARG003  # Python's signature
        return cls.ONE


class Point(TypedDict):
    x: int
    y: float


class Pair(NamedTuple):
    first: int
    second: str = ""


Json = TypeAliasType("Json", "list[Json] | dict[str, Json] | str | int | None")


def _split(value: object) -> object:
    return value.split(",") if isinstance(value, str) else value


def _first(value: Any, handler: Any) -> Any:
    return handler(value[0] if isinstance(value, list) and value else value)


TYPES: Sequence[Any] = (
    int,
    float,
    bool,
    str,
    bytes,
    Path,
    Decimal,
    date,
    datetime,
    time,
    timedelta,
    UUID,
    IPv4Address,
    complex,
    re.Pattern[str],
    SecretStr,
    ByteSize,
    AnyUrl,
    Any,
    Color,
    Level,
    Shape,
    Lenient,
    Literal["a", "b"],
    Literal[1, 2],
    Literal[True, "auto"],
    Literal[1.5] | None,
    Annotated[int, Gt(0), Le(64)],
    Annotated[int, MultipleOf(8)],
    Annotated[float, Ge(0), MultipleOf(0.1)],
    Annotated[Decimal, Gt(0)],
    Annotated[str, StringConstraints(min_length=2, max_length=3)],
    Annotated[str, StringConstraints(pattern="^a", strip_whitespace=True, max_length=2)],
    Annotated[str, StringConstraints(pattern="(?i)^A")],
    Annotated[bytes, Len(1, 3)],
    Annotated[int, Field(strict=True)],
    Annotated[list[int], Len(1, 2)],
    Annotated[set[int], Len(1, 2)],
    list[list[float]],
    list[Color],
    tuple[int, str],
    tuple[int, ...],
    set[str],
    frozenset[float],
    dict[str, int],
    dict[int, bool],
    dict[Literal["a", "b"], list[int]],
    Mapping[str, dict[str, float]],
    Sequence[bool],
    Point,
    list[Point],
    int | None,
    int | str,
    list[int] | int | None,
    dict[str, int | list[str]],
    Annotated[list[str], BeforeValidator(_split)],
    Annotated[int, WrapValidator(_first)],
    Annotated[int, PlainValidator(str)],
    Json,
    dict[str, Json],
    OrderedDict[str, int],
    defaultdict[str, int],
    Counter[str],
    Pair,
    Fraction,
    IPvAnyAddress,
    Secret[int],
)
"""Every way in which a leaf may be declared."""

TEXTS = ("", "1", " 2 ", "1.0", "1e3", "1_0", ".5", "-Inf", "nan", "yes", "ON", "True", "a", "ab", " ab ", "A", "red")
MOMENTS = ("2026-01-31", "2026-01-31 12:30", "12:30", "P1D", "1 GiB", "127.0.0.1", "http://a.b", "a,b", "1+2j")

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 70)
    | st.sampled_from([0.0, 1.0, 0.5, 0.3, 1.5, 2.0, -1.0, 1e20, float("inf"), float("nan")])
    | st.sampled_from([*TEXTS, *MOMENTS, str(UUID(int=7))])
    | st.text(max_size=4).filter(lambda text: "$" not in text)
)
keys = st.sampled_from(["a", "b", "x", "y", "1", "2", "$$c"])
values = st.recursive(
    scalars, lambda below: st.lists(below, max_size=3) | st.dictionaries(keys, below, max_size=3), max_leaves=6
)


def template_of(annotation: Any) -> type[ConfigTemplate]:
    return create_model("Params", __base__=ConfigTemplate, value=(annotation, ...))


VALIDATORS = [
    (catalog_of(template).entries["value"].validator, Draft202012Validator(json_schema_of(template)))
    for template in map(template_of, TYPES)
]


def takes(annotation: Any, value: object) -> bool:
    return Draft202012Validator(json_schema_of(template_of(annotation))).is_valid({"value": value})


def unescaped(value: Any) -> Any:
    """A value as compiling sees it: a key of one's own that begins with `$` is written with two."""
    if isinstance(value, dict):
        return {key.removeprefix("$"): unescaped(item) for key, item in value.items()}
    return [unescaped(item) for item in value] if isinstance(value, list) else value


def compiles(validator: Any, value: object) -> bool:
    try:
        validator.validate_python(unescaped(value))
    except ValueError:
        return False
    return True


@settings(max_examples=2 * settings().max_examples)
@given(values)
def test_what_compiles_is_taken(value: object) -> None:
    refused = [
        str(annotation)
        for annotation, (validator, schema) in zip(TYPES, VALIDATORS, strict=True)
        if compiles(validator, value) and not schema.is_valid({"value": value})
    ]

    assert not refused


@pytest.mark.parametrize("annotation", TYPES, ids=str)
def test_any_value_may_be_a_reference(annotation: Any) -> None:
    assert takes(annotation, "${here.other}")


@pytest.mark.parametrize("annotation", TYPES, ids=str)
def test_the_schema_is_one(annotation: Any) -> None:
    schema = json_schema_of(template_of(annotation))

    Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema, allow_nan=False)) == schema


WRONG: Sequence[tuple[Any, object]] = (
    (int, "many"),
    (int, 1.5),
    (int, [1]),
    (Annotated[int, Gt(0)], 0),
    (Annotated[int, MultipleOf(8)], 12),
    (float, "fast"),
    (Annotated[float, Ge(0), Le(0.75)], 1.5),
    (bool, "perhaps"),
    (bool, 2),
    (str, 1),
    (str, None),
    (Annotated[str, Len(2)], "a"),
    (Annotated[str, StringConstraints(pattern="^a")], "b"),
    (Path, 3),
    (date, [2026]),
    (Color, "green"),
    (Level, 3),
    (Literal["a", "b"], "c"),
    (Literal[1, 2], 3),
    (list[int], [1, "many"]),
    (list[int], "1, 2"),
    (Annotated[list[int], Len(1, 2)], [1, 2, 3]),
    (tuple[int, str], [1]),
    (set[int], {"a": 1}),
    (dict[str, int], {"a": "many"}),
    (dict[str, int], {"$replase": True}),
    (dict[Literal["a", "b"], int], {"c": 1}),
    (Point, {"x": "many"}),
    (int | None, "many"),
    (list[int | None], ["many"]),
)


@pytest.mark.parametrize(("annotation", "value"), WRONG, ids=str)
def test_what_no_file_could_mean_is_refused(annotation: Any, value: object) -> None:
    assert not takes(annotation, value)


@pytest.mark.parametrize("value", [{"$replace": True, "a": 1}, {"$delete": ["a"]}, {"$extends": "a.yaml"}, {"$$a": 1}])
def test_a_free_mapping_takes_instructions(value: object) -> None:
    assert takes(dict[str, int], value)


def test_a_reference_may_stand_within_a_list_or_mapping() -> None:
    assert takes(dict[str, list[int]], {"a": [1, "${here.b}"]})


def test_what_one_file_leaves_out_of_a_mapping_another_may_say() -> None:
    assert takes(Point, {"x": 1})


def test_a_type_with_a_schema_of_its_own_keeps_it() -> None:
    even = Annotated[Any, WithJsonSchema({"type": "integer", "multipleOf": 2})]

    assert takes(even, 4)
    assert takes(even, "${other}")
    assert not takes(even, 3)


def test_a_pattern_that_editors_cannot_read_is_left_out() -> None:
    assert takes(Annotated[str, StringConstraints(pattern=r"(?i)^A")], "b")


def test_text_that_numbers_may_stand_for_takes_numbers() -> None:
    class Params(ConfigTemplate, coerce_numbers_to_str=True):
        name: str = ""

    assert Draft202012Validator(json_schema_of(Params)).is_valid({"name": 12})
