import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcfg import ConfigTemplate
from typedcfg.errors import ConfigError
from typedcfg.template.numeral import Numeral, number

DIGITS = "0.1234567890123456789012345"


class Params(ConfigTemplate):
    price: Decimal = Decimal(0)
    prices: list[Decimal] = []
    rate: float = 0.0
    value: Any = None


def files(tmp_path: Path, text: str) -> list[Path]:
    """A file of each format in which every field is that number."""
    said = {
        "a.yaml": f"price: {text}\nprices: [{text}]\nrate: {text}\nvalue: [{text}, {{x: {text}}}]\n",
        "a.json": f'{{"price": {text}, "prices": [{text}], "rate": {text}, "value": [{text}, {{"x": {text}}}]}}',
        "a.toml": f"price = {text}\nprices = [{text}]\nrate = {text}\nvalue = [{text}, {{x = {text}}}]\n",
    }
    for name, content in said.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return [tmp_path / name for name in said]


@pytest.mark.parametrize("text", [DIGITS, "1.0e-400", "12345678901234567.25", "-9007199254740993.0"])
def test_a_decimal_keeps_every_digit_and_all_else_is_a_float(tmp_path: Path, text: str) -> None:
    for file in files(tmp_path, text):
        params = Params.compile(file).params

        assert params.price == params.prices[0] == Decimal(text)
        found = [params.rate, params.value[0], params.value[1]["x"]]
        assert [(type(value), value) for value in found] == [(float, float(text))] * 3


@pytest.mark.parametrize("name", ["price", "value", "rate"])
def test_overrides_keep_them_too(name: str) -> None:
    value = Params.compile(overrides=[f"{name}={DIGITS}"])[name]

    assert (type(value), str(value)) == ((Decimal, DIGITS) if name == "price" else (float, "0.12345678901234568"))


def test_a_number_beyond_floats_is_refused_and_read_as_text(tmp_path: Path) -> None:
    for file in files(tmp_path, "1e999"):
        with pytest.raises(ConfigError, match="1e999 is beyond what a float holds"):
            Params.compile(file)
    quoted = tmp_path / "quoted.yaml"
    quoted.write_text('price: "1e999"', encoding="utf-8")

    assert Params.compile(quoted).params.price == Decimal("1e999")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_float_is_that_float(value: float) -> None:
    assert (type(number(repr(value))), repr(number(repr(value)))) == (float, repr(value))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**300), max_value=10**300))
def test_no_digit_is_lost(value: Decimal) -> None:
    assert Decimal(str(number(f"{value:e}"))) == value


def test_one_survives_pickling() -> None:
    twin = pickle.loads(pickle.dumps(Numeral(DIGITS)))

    assert (type(twin), str(twin), twin) == (Numeral, DIGITS, float(DIGITS))
