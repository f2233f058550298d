"""Validators that raise what is no complaint: told as problems, with the key, the validator and its line."""

from typing import Annotated, Any, Self

import pytest
from pydantic import AfterValidator, SecretStr, ValidationInfo, field_validator, model_validator

from typedcfg import ConfigError, ConfigTemplate, derived
from typedcfg.errors import Problem


def inverse(value: int) -> int:
    1 // value
    return value


class Inner(ConfigTemplate):
    width: Annotated[int, AfterValidator(inverse)] = 1
    depth: int = 1

    @model_validator(mode="after")
    def has_room(self) -> Self:
        {1: "one"}[self.depth]
        return self


class Params(ConfigTemplate):
    inner: Inner
    layers: list[Inner] = []
    epochs: int = 3
    warmup: int = 1

    @field_validator("warmup")
    @classmethod
    def below_epochs(cls, warmup: int, info: ValidationInfo) -> int:
        epochs: int = info.data["epochs"]
        return min(warmup, epochs)


def problems(template: type[ConfigTemplate], *overrides: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        template.compile(overrides=overrides)
    return caught.value.problems


def test_a_crash_in_a_field_validator_names_the_key_and_the_line_of_the_validator() -> None:
    [problem] = problems(Params, "layers=[{}, {width: 0}]")

    assert problem.what.startswith("layers[1].width: inverse raised ZeroDivisionError: ")
    assert problem.where.startswith("overrides[0]\n")
    assert problem.where.endswith(f"test_crashes.py:{inverse.__code__.co_firstlineno + 1} (the validator)")


def test_a_crash_in_a_section_validator_names_the_section() -> None:
    [problem] = problems(Params, "inner.depth=2")

    assert problem.what == "inner: Inner.has_room raised KeyError: 2"


def test_other_problems_are_told_beside_a_crash() -> None:
    found = problems(Params, "inner.width=0", "layers=[{width: x}]")

    assert {problem.what.split(":")[0] for problem in found} == {"inner.width", "layers[0].width = 'x' is wrong"}


def test_a_validator_that_asks_for_a_value_that_is_wrong_is_not_blamed() -> None:
    [problem] = problems(Params, "epochs=x")

    assert problem.what == "epochs = 'x' is wrong"


def test_a_crash_on_a_derived_value_names_its_key() -> None:
    class Derives(ConfigTemplate):
        zero: int = 0
        width: Annotated[int, AfterValidator(inverse)] = derived(lambda c: c.zero)

    [problem] = problems(Derives)

    assert problem.what.startswith("width: inverse raised ZeroDivisionError")


def test_a_formula_that_reads_a_value_whose_validator_crashes_is_not_blamed() -> None:
    class Reads(ConfigTemplate):
        width: Annotated[int, AfterValidator(inverse)] = 1
        double: int = derived(lambda c: 2 * c.width)

    [problem] = problems(Reads, "width=0")

    assert problem.what.startswith("width: inverse raised")


def test_the_words_of_a_crash_on_a_secret_are_not_shown() -> None:
    def show(token: SecretStr) -> SecretStr:
        raise RuntimeError(token.get_secret_value())

    class Holds(ConfigTemplate):
        token: Annotated[SecretStr, AfterValidator(show)]

    [problem] = problems(Holds, "token=hush")

    assert problem.what == "token: show raised RuntimeError"
    assert "hush" not in str(problem)


def test_a_validator_without_lines_of_its_own_is_told_too() -> None:
    class Builtin(ConfigTemplate):
        name: Annotated[Any, AfterValidator(abs)] = 1

    [problem] = problems(Builtin, "name=x")

    assert problem.what == "name: a validator raised TypeError: bad operand type for abs(): 'str'"
