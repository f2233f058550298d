import datetime as dt
import re
from collections import Counter
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import pytest
from annotated_types import Ge, Gt, Interval, IsFinite, Le, Len, MinLen, MultipleOf
from pydantic import (
    FilePath,
    FiniteFloat,
    HttpUrl,
    JsonValue,
    NewPath,
    PositiveInt,
    SecretStr,
    StringConstraints,
    conint,
    create_model,
)

from typedcfg.sources.yaml_scalars import resolve_plain
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry, catalog_of
from typedcfg.template.marks import Unit
from typedcfg.template.type_text import choices_of, constraints_of, metadata_of, type_text, yaml_text
from typedcfg.template.words import Words

T = TypeVar("T")


class Activation(Enum):
    RELU = "relu"
    GELU = "gelu"


class Adam(ConfigTemplate):
    kind: Literal["adam", "adamw"] = "adam"


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"


def entry(annotation: Any) -> Entry:
    template = create_model("Params", __base__=ConfigTemplate, value=(annotation, ...))
    return catalog_of(template).entries["value"]


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "integer"),
        (bool, "true or false"),
        (str, "text"),
        (Path, "path"),
        (FilePath, "path of a file"),
        (NewPath, "path at which nothing is yet"),
        (Any, "anything"),
        (T, "anything"),
        (dict, "mapping"),
        (dt.timedelta, "duration"),
        (re.Pattern[str], "regular expression"),
        (HttpUrl, "HttpUrl"),
        (SecretStr | None, "secret text or null"),
        (int | str, "integer or text"),
        (Activation, "one of: relu, gelu"),
        (Activation | None, "one of: relu, gelu, null"),
        (Literal["on", "1", True], 'one of: "on", "1", true'),
        (Literal["only"], "only only"),
        (list[int], "list of integers"),
        (tuple[int, ...], "list of integers"),
        (set[bool], "list of true or false"),
        (tuple[int, str], "list of 2: integer, text"),
        (list[int | str], "list of (integer or text)"),
        (list[Activation], "list of (one of: relu, gelu)"),
        (dict[str, list[float]], "mapping of texts to lists of numbers"),
        (Counter[str], "mapping of texts to integers"),
        (Annotated[int, Gt(0), Unit("samples")], "integer > 0 [samples]"),
        (Annotated[float, Interval(gt=0, le=1), Unit("1/step")], "number, 0 < x <= 1 [1/step]"),
        (Annotated[float, Gt(0)] | None, "number > 0 or null"),
        (Annotated[float, Interval(gt=0, lt=1)] | None, "(number, 0 < x < 1) or null"),
        (Annotated[int | None, Le(3)], "integer or null, x <= 3"),
        (list[Annotated[int, Gt(0)]], "list of integers > 0"),
        (list[Annotated[float, Interval(gt=0, le=1)]], "list of (number, 0 < x <= 1)"),
        (Annotated[list[str], Len(1, 3)], "list of texts, 1 <= length <= 3"),
        (Annotated[str, StringConstraints(pattern="^a+$", min_length=2)], "text, length >= 2, matches ^a+$"),
        (Annotated[str, StringConstraints(pattern="^a+$"), Words("some a")], "some a"),
        (Annotated[str, StringConstraints(pattern="^a+$"), Words("some a")] | None, "some a or null"),
        (Annotated[int, MultipleOf(8), Ge(8)], "integer >= 8, multiple of 8"),
        (PositiveInt, "integer > 0"),
        (conint(lt=3), "integer < 3"),
        (FiniteFloat, "number, finite"),
        (Sgd, "section Sgd"),
        (Sgd | None, "section Sgd or null"),
        (Adam | Sgd, "section of kind adam, adamw or sgd"),
        (list[Adam | Sgd] | None, "list of sections of kind adam, adamw or sgd, or null"),
        (dict[str, Sgd], "mapping of texts to sections Sgd"),
        (Annotated[list[Sgd], MinLen(1)], "list of sections Sgd, length >= 1"),
    ],
    ids=str,
)
def test_a_type_reads_as_what_one_would_write(annotation: Any, text: str) -> None:
    assert type_text(entry(annotation)) == text


def test_a_type_that_holds_itself_is_called_by_its_name_within() -> None:
    assert type_text(entry(JsonValue)).startswith("list of JsonValue or mapping of texts to JsonValue")


@pytest.mark.parametrize(
    ("metadata", "texts"),
    [
        ([], ()),
        ([Len(2, 2)], ("length = 2",)),
        ([Interval(ge=1, le=1)], ("x = 1",)),
        ([Le(1e-5)], ("x <= 1e-5",)),
        ([MultipleOf(8), Interval(gt=0, le=256)], ("0 < x <= 256", "multiple of 8")),
        ([Len(0, 3)], ("length <= 3",)),
        ([IsFinite], ()),
    ],
)
def test_constraints_read_as_one_would_write_them_down(metadata: list[object], texts: tuple[str, ...]) -> None:
    assert constraints_of(metadata) == texts


def test_an_optional_value_has_the_constraints_that_it_has_if_not_null() -> None:
    assert constraints_of(metadata_of(entry(Annotated[int, Gt(0)] | None))) == ("x > 0",)
    assert constraints_of(metadata_of(entry(Annotated[int, Gt(0)] | str))) == ()


def test_choices_include_null_and_stand_for_nothing_less() -> None:
    assert choices_of(entry(Activation | None)) == ("relu", "gelu", None)
    assert choices_of(entry(Activation | int)) == ()
    assert choices_of(entry(Adam | Sgd)) == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1e-3, "0.001"),
        (1e-8, "1e-8"),
        (1e20, "1e20"),
        (float("-inf"), "-.inf"),
        (float("nan"), ".nan"),
        ("relu", "relu"),
        ("null", '"null"'),
        ("True", '"True"'),
        ("12", '"12"'),
        ("", '""'),
        ("a: b", '"a: b"'),
        ("naïve text", "naïve text"),
        (Path("data/train"), "data/train"),
        (Activation.GELU, "gelu"),
        ({"b": [1, None]}, "{b: [1, null]}"),
        ((1, "a"), "[1, a]"),
        ({"b", "a"}, "[a, b]"),
        (dt.date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_a_value_reads_as_yaml(value: object, text: str) -> None:
    assert yaml_text(value) == text


@pytest.mark.parametrize("text", ["on", "no", "a b", "./data", "../x", "/tmp/a-b", "x.y", "é", "e5", "inf", "nan", "_"])
def test_a_text_that_is_shown_bare_is_read_back_as_that_text(text: str) -> None:
    assert yaml_text(text) == text
    assert resolve_plain(text) == text
