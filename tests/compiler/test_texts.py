"""Bare texts where a section, a list or a mapping belongs."""

import pytest
from pydantic import SecretStr
from refusals import refusal

from typedcfg import ConfigError, ConfigTemplate, section


class Layer(ConfigTemplate):
    width: int = 8
    act: str = "relu"


class Params(ConfigTemplate):
    first: Layer = section(Layer, width=16)
    layers: list[Layer] = [Layer(width=1)]
    rates: dict[str, float] = {"head": 0.5}
    free: dict[str, object] = {}


def values(*overrides: str) -> Params:
    return Params.compile(overrides=overrides).params


def test_an_inline_mapping_merges_over_a_default() -> None:
    assert values("first={act: gelu}").first == Layer(width=16, act="gelu")


def test_an_inline_mapping_may_replace_the_default() -> None:
    assert values("first={$replace: true, act: gelu}").first == Layer(act="gelu")


def test_instructions_work_at_every_depth_of_a_text() -> None:
    assert values("free={a: {x: 1}}", "free={a: {$replace: true, y: 2}}").free == {"a": {"y": 2}}


def test_a_list_in_a_text_replaces_the_whole() -> None:
    assert values("layers=[{width: 2}, {act: gelu}]").layers == [Layer(width=2), Layer(act="gelu")]


def test_a_key_that_begins_with_a_dollar_is_written_with_two() -> None:
    assert values("free={$$ref: 1}").free == {"$ref": 1}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("first={$extends: part.yaml}", "$extends names a file in a value that is no file's"),
        ("first={$extend: part.yaml}", "did you mean  $extends"),
        ("first={$version: 1}", "$version inside a section"),
        ("first={width: 1", "first cannot be read: invalid YAML"),
        ("layers+=[{width: 1}", "layers cannot be read: invalid YAML"),
        ("rates={head: 1, head: 2}", "rates cannot be read: key 'head' stands twice in one mapping"),
        ("layers+=[{width: 1}", "close the bracket"),
    ],
)
def test_what_a_text_cannot_say_is_told(override: str, message: str) -> None:
    assert message in refusal(Params, override)


def test_a_text_that_may_hold_a_secret_is_told_by_its_key_alone() -> None:
    class Login(ConfigTemplate):
        token: SecretStr = SecretStr("")

    class Logins(ConfigTemplate):
        one: Login
        many: list[Login] = []
        tokens: list[SecretStr] = []

    given = ["one={token: hunter2", "many+=[{token: hunter2", "tokens=[hunter2, hunter2"]
    with pytest.raises(ConfigError) as caught:
        Logins.compile(overrides=given)

    told = [problem.what for problem in caught.value.problems]
    assert told == [f"{key} cannot be read (a secret, not shown)" for key in ("one", "many", "tokens")]
    assert "hunter2" not in str(caught.value)
