import pytest
from pydantic import ValidationError, ValidationInfo, field_validator

from typedcfg import ConfigTemplate
from typedcfg.compiler.one_field import fields_before, validated
from typedcfg.template.catalog import catalog_of


class Inner(ConfigTemplate):
    x: int = 0


class Params(ConfigTemplate):
    low: int = 0
    inner: Inner
    high: int = 5
    last: int

    @field_validator("high")
    @classmethod
    def _above(cls, value: int, info: ValidationInfo) -> int:
        if value <= info.data["low"]:
            raise ValueError("not above")
        return value

    @field_validator("low")
    @classmethod
    def _positive(cls, value: int) -> int:
        return abs(value)


ENTRIES = catalog_of(Params).entries


def test_only_a_validator_that_asks_for_others_has_fields_before_it() -> None:
    assert [one.name for one in fields_before(ENTRIES["high"])] == ["low"]
    assert fields_before(ENTRIES["low"]) == ()


def test_a_value_is_validated_as_its_section_would() -> None:
    assert validated(ENTRIES["high"], {"low": "-3", "high": "4"}) == 4
    with pytest.raises(ValidationError, match="not above"):
        validated(ENTRIES["high"], {"low": "-3", "high": "2"})


def test_a_default_is_validated_too() -> None:
    assert validated(ENTRIES["high"], {}) == 5
    assert validated(ENTRIES["low"], {"low": -1}) == 1
    with pytest.raises(ValidationError, match="not above"):
        validated(ENTRIES["high"], {"low": 5})


def test_a_field_without_value_and_default_has_none() -> None:
    with pytest.raises(LookupError, match="last"):
        validated(ENTRIES["last"], {})
