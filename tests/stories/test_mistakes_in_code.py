"""Mistakes in a user's own validators, formulas and calls: told, with the key, and never a traceback of ours."""

from typing import Any, Literal

import pytest
from pydantic import SecretStr, field_validator, model_validator

from typedcfg import ConfigError, ConfigTemplate, derived, section
from typedcfg.errors import UnsupportedValue


class Forgetful(ConfigTemplate):
    width: int = 1

    @model_validator(mode="after")
    def _check(self) -> Any:
        return None


def test_a_validator_that_returns_nothing_is_named_as_such() -> None:
    class Params(ConfigTemplate):
        part: Forgetful = section(Forgetful)

    with pytest.raises(
        ConfigError, match="part: a validator of the section returns nothing: end it with `return self`"
    ):
        Params.compile()
    with pytest.raises(ConfigError, match="the configuration: a validator of the section returns nothing"):
        Forgetful.compile()


def test_a_formula_does_not_end_the_program() -> None:
    class Params(ConfigTemplate):
        width: int = derived(lambda _: exit(3))  # noqa: PLR1722  # the mistake that is tested

    with pytest.raises(ConfigError, match="width cannot be derived: SystemExit: 3"):
        Params.compile()


def test_a_pair_that_lacks_its_second_half_is_not_called_missing() -> None:
    class Params(ConfigTemplate):
        betas: tuple[float, float] = (0.9, 0.999)

    with pytest.raises(ConfigError, match=r"betas = \[1\] is wrong(.|\n)*list of 2: number, number"):
        Params.compile(overrides=["betas=[1]"])


def test_a_secret_that_begins_like_a_reference_is_not_repeated() -> None:
    class Params(ConfigTemplate):
        token: SecretStr = SecretStr("")

    with pytest.raises(ConfigError) as caught:
        Params.compile(overrides=["token=${hunter2}"])

    assert "hunter2" not in str(caught.value)
    assert "token is no text with references" in str(caught.value)


def test_an_assertion_without_words_still_names_its_key() -> None:
    class Params(ConfigTemplate):
        width: int = 1

        @field_validator("width")
        @classmethod
        def _check(cls, width: int) -> int:
            if width < 3:
                raise AssertionError  # as `assert` without words does
            return width

    with pytest.raises(ConfigError, match="width is refused by its validator"):
        Params.compile()


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"


class Adam(ConfigTemplate):
    kind: Literal["adam"] = "adam"


class Params(ConfigTemplate):
    optimizer: Sgd | Adam = section(Sgd)
    name: str = ""


def test_a_kind_that_is_a_list_is_called_a_list() -> None:
    with pytest.raises(ConfigError, match="unknown kind 'a list' for optimizer"):
        Params.compile(overrides=["optimizer={kind: [sgd]}"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"overrides": [3]}, "overrides= holds 3"),
        ({"overrides": {1: 2}}, "overrides= holds 1"),
        ({"presets": [None]}, r"presets\[0\] is NoneType"),
    ],
)
def test_arguments_of_the_wrong_type_are_named(arguments: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Params.compile(**arguments)


def test_half_a_character_cannot_be_written() -> None:
    with pytest.raises(UnsupportedValue, match="half of a surrogate pair"):
        Params.compile(overrides={"name": "\ud800"}).to_yaml()
