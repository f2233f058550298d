"""Texts with references in them: how values print there, and which have no place there."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretBytes, SecretStr
from refusals import refusal

from typedcfg import ConfigError, ConfigTemplate


class Loader(ConfigTemplate):
    name: str = "mnist"
    token: SecretStr = SecretStr("hunter2")


class Params(ConfigTemplate):
    loader: Loader
    any: Any = None
    name: str = "run"
    lr: float = 0.1
    key: SecretBytes = SecretBytes(b"hunter2")
    password: SecretStr | None = None


def compiled(*overrides: str, **presets: Any) -> Any:
    return Params.compile(overrides=overrides, presets=[presets])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-05, "1e-05"),
        (1.0, "1.0"),
        (1e16, "1e+16"),
        (math.inf, "Infinity"),
        (10**30, "1" + "0" * 30),
        (-3, "-3"),
        (True, "true"),
        (False, "false"),
        ("text", "text"),
        (Path("a") / "b", "a/b"),
    ],
)
def test_within_a_text_values_print_as_in_json(value: object, text: str) -> None:
    assert compiled(any=value, name="x-${any}-y").params.name == f"x-{text}-y"


@pytest.mark.parametrize(
    ("value", "found"), [(None, "null"), ([1], "a list"), ({"a": 1}, "a mapping"), (b"x", "bytes")]
)
def test_what_is_no_text_has_no_place_within_one(value: object, found: str) -> None:
    assert f"any is {found}, which has no place within a text" in refusal(Params, any=value, name="x-${any}")


def test_an_escaped_reference_is_text() -> None:
    assert compiled(name="$${lr}").params.name == "${lr}"
    assert compiled(name="$${lr} is ${lr}").params.name == "${lr} is 0.1"


def test_an_unclosed_reference_is_told_with_its_place(write: Callable[..., None]) -> None:
    write(base='loader:\n  name: "x ${lr"')

    with pytest.raises(ConfigError) as caught:
        Params.compile("base.yaml")

    [problem] = caught.value.problems
    assert problem.what == "'x ${lr' opens a reference at column 3 and does not close it"
    assert problem.where == "base.yaml:2:3"


def test_a_text_built_from_a_secret_is_one() -> None:
    found = compiled("password=Bearer ${loader.token}").params.password

    assert isinstance(found, SecretStr)
    assert found.get_secret_value() == "Bearer hunter2"


def test_bytes_have_no_place_within_a_text() -> None:
    assert "key is bytes, which has no place within a text" in refusal(Params, "password=x ${key}")
