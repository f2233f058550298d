"""Bare texts at fields: which are values, which are texts, and which are neither."""

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from refusals import refusal

from typedcfg import ConfigError, ConfigTemplate


class Texts(ConfigTemplate):
    free: Any = None
    mapping: dict[str, Any] = {}
    text: str = ""
    folder: Path = Path()
    either: str | list[int] = ""
    number: float | None = None
    numbers: list[float] = []
    exact: Decimal = Decimal(0)
    password: SecretStr = SecretStr("")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        *(("text", "[a-z"), ("folder", "{a"), ("either", "[1, 2"), ("password", "[x")),
        *(("text", "1e999"), ("either", "1e999"), ("exact", "1e999"), ("password", "1e999"), ("text", "'a")),
    ],
)
def test_a_field_that_wants_text_takes_what_reads_as_nothing_else(key: str, text: str) -> None:
    value = Texts.compile(overrides=[f"{key}={text}"])[key]

    assert value in (text, Path(text), Decimal("1e999")) or value == SecretStr(text)


@pytest.mark.parametrize("text", ["[1, 2", "{a: 1", "{a: 1, a: 2}", "'a"])
@pytest.mark.parametrize("key", ["free", "mapping", "mapping.x", "numbers"])
def test_a_broken_list_or_mapping_is_no_text_where_nothing_says_so(key: str, text: str) -> None:
    told = refusal(Texts, f"{key}={text}")

    assert told.startswith(f"{key} cannot be read: ")
    assert "at            overrides[0], column " in told
    assert ("put it in quotes if it is meant as text" in told) == (key in ("free", "mapping.x"))


def test_quotes_say_that_a_text_is_meant() -> None:
    assert Texts.compile(overrides=["free='[1, 2'", 'mapping.x="{a"'])["free"] == "[1, 2"


@pytest.mark.parametrize("key", ["number", "numbers[0]", "free", "mapping.x"])
def test_a_number_beyond_floats_is_no_infinity(key: str) -> None:
    told = refusal(Texts, "numbers=[1]", f"{key}=1e999")

    assert told.startswith(f"{key} cannot be read: 1e999 is beyond what a float holds")
    assert Texts.compile(overrides=["numbers=[1]", f"{key}=.inf"])[key] == math.inf


def test_a_broken_text_from_a_variable_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T__NUMBER", "1e999")

    with pytest.raises(ConfigError, match=r"number cannot be read.*\n  at            variable T__NUMBER"):
        Texts.compile(env_prefix="T__")
