from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest
from pydantic import SecretStr

from typedcfg import ConfigTemplate, derived
from typedcfg.compiler.writing.plain import plain


class Size(Enum):
    BIG = "big"
    SMALL = ("s", 1)


class Level(IntEnum):
    LOW = 1


class Inner(ConfigTemplate):
    width: int = 1
    token: SecretStr = SecretStr("hunter2")


class Params(ConfigTemplate):
    value: Any = None
    inner: Inner
    inners: list[Inner] = [Inner()]
    named: dict[str, Inner] = {"a": Inner()}
    half: float = derived(lambda c: c.inner.width / 2)
    day: date = date(2026, 1, 2)
    price: Decimal = Decimal("1.50")
    sizes: set[Size] = {Size.BIG}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        (1.0, 1.0),
        (True, True),
        ("text", "text"),
        (None, None),
        ((1, (2,)), [1, [2]]),
        ([{"a": (1,)}], [{"a": [1]}]),
        ({1: "a", None: "b"}, {"1": "a", "None": "b"}),
        ({3, 1, 2}, [1, 2, 3]),
        ({"b", 1, "a"}, [1, "a", "b"]),
        (frozenset({2, 1}), [1, 2]),
        ({(1, "a"), ("a", 1), None}, [None, ["a", 1], [1, "a"]]),
        (Path("a") / "b", "a/b"),
        (PureWindowsPath("a\\b"), "a/b"),
        (Size.BIG, "big"),
        (Size.SMALL, ["s", 1]),
        (Level.LOW, 1),
        (date(2026, 1, 2), "2026-01-02"),
        (complex(-0.0, 1e-300), "-0.0+1e-300j"),
    ],
)
def test_values_become_ordinary_data(value: object, expected: object) -> None:
    found = Params.compile(overrides={"value": value}).plain()["value"]

    assert found == expected
    assert type(found) is type(expected)


def test_containers_are_ordinary_ones() -> None:
    found = Params.compile(overrides={"value": {"a": [1]}}).plain()

    assert [type(v) for v in (found, found["value"], found["value"]["a"], found["inners"])] == [dict, dict, list, list]


def test_sections_are_mappings_without_their_secrets() -> None:
    assert plain(Params.compile().params) == {
        "value": None,
        "inner": {"width": 1},
        "inners": [{"width": 1}],
        "named": {"a": {"width": 1}},
        "half": 0.5,
        "day": "2026-01-02",
        "price": "1.50",
        "sizes": ["big"],
    }


def test_texts_that_look_like_references_are_read_back_as_they_are(tmp_path: Path) -> None:
    config = Params.compile(overrides={"value": {"$a": "$${b}", "$$c": ["x $${d}"]}})
    file = tmp_path / "run.yaml"
    file.write_text(config.to_yaml(origins=True), encoding="utf-8")

    twin = Params.load(file)

    assert twin.params.value == {"$a": "${b}", "$$c": ["x ${d}"]}
    assert twin == config


def test_origins_stand_behind_the_values() -> None:
    text = Params.compile(overrides=["value=3", "inner.width=4"]).to_yaml(origins=True)

    lines = {line.split(":")[0].strip(): line.partition("#")[2].strip() for line in text.splitlines() if "#" in line}
    assert lines["value"] == "overrides[0]"
    assert lines["half"] == "derived: inner.width / 2  <- overrides[1]"
    assert lines["day"] == "default"
