import random
import struct
from collections import UserDict
from collections.abc import Iterator
from enum import Enum, IntEnum
from typing import Any

import numpy as np
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from typedcfg.errors import UnsupportedValue
from typedcfg.identity.jcs import DEEPEST, LARGEST_INTEGER, jcs, number_text

# RFC 8785, appendix B: the bits of a double, and its text.
APPENDIX_B = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}

Json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(("bits", "text"), APPENDIX_B.items())
def test_numbers_are_written_as_in_appendix_b(bits: str, text: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))

    assert jcs(number) == text


@pytest.mark.parametrize("bits", ["7fffffffffffffff", "7ff0000000000000", "fff0000000000000"])
def test_what_appendix_b_calls_an_error_is_refused(bits: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))

    with pytest.raises(UnsupportedValue, match=r"expected +a finite number"):
        jcs([number])


def test_the_sample_of_section_3_2_2_is_written_as_the_rfc_writes_it() -> None:
    sample = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }

    assert jcs(sample) == (
        '{"literals":[null,true,false],'
        '"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_keys_are_sorted_as_in_section_3_2_3() -> None:
    sample = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }

    assert jcs(sample) == (
        '{"\\r":"Carriage Return","1":"One","\u0080":"Control",'
        '"\u00f6":"Latin Small Letter O With Diaeresis","\u20ac":"Euro Sign",'
        '"\U0001f600":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}'
    )


def test_control_characters_have_the_short_escape_or_lower_case_hex() -> None:
    text = jcs("".join(map(chr, range(0x20))) + "\x7f/\u2028")

    assert text == (
        '"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e\\u000f'
        "\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001a\\u001b\\u001c\\u001d\\u001e\\u001f"
        '\x7f/\u2028"'
    )


@given(Json)
def test_any_json_value_is_written_as_another_implementation_writes_it(value: Any) -> None:
    assert jcs(value).encode() == rfc8785.dumps(value)


def some_doubles(count: int) -> Iterator[float]:
    """Half of any bits, half spread over the decades, where the notation changes."""
    chance = random.Random(8785)
    while count:
        (number,) = struct.unpack("<d", chance.randbytes(8))
        if abs(number) < float("inf"):
            yield number
            yield chance.uniform(-10, 10) * 10.0 ** chance.randint(-30, 30)
            count -= 2


def test_numbers_are_written_as_another_implementation_writes_them() -> None:
    for number in some_doubles(200_000):
        assert number_text(number) == rfc8785.dumps(number).decode(), number.hex()


def test_integers_go_as_far_as_every_reader_of_json_does() -> None:
    assert jcs([LARGEST_INTEGER, -LARGEST_INTEGER]) == "[9007199254740991,-9007199254740991]"
    for beyond in (LARGEST_INTEGER + 1, -LARGEST_INTEGER - 1, 10**5000):
        with pytest.raises(UnsupportedValue, match=r"integer of \d+ bits"):
            jcs(beyond)


def test_a_subclass_counts_as_what_it_extends() -> None:
    level = IntEnum("level", {"high": 3})
    colour = Enum("colour", {"red": "r"}, type=str)

    assert jcs([level["high"], colour["red"], np.float64(0.5), UserDict(a=(1,))]) == '[3,"r",0.5,{"a":[1]}]'


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, ["a\udc80b"]])
def test_a_lone_surrogate_is_refused(value: object) -> None:
    with pytest.raises(UnsupportedValue, match=r"lone surrogate U\+D"):
        jcs(value)


@pytest.mark.parametrize("value", [{1: "a"}, {None: "a"}, {b"a": 1}, b"bytes", {1, 2}, object(), 1j])
def test_what_json_does_not_have_is_refused(value: object) -> None:
    with pytest.raises(
        UnsupportedValue, match=r"of type (int|NoneType|bytes|set|object|complex) has no canonical text"
    ):
        jcs(value)


def test_a_refusal_names_the_place() -> None:
    with pytest.raises(UnsupportedValue) as caught:
        jcs({"layers": [{"width": 1}, {"width": float("nan")}]})

    assert caught.value.problems[0].where == "layers[1].width"


def test_a_list_that_holds_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append({"again": endless})

    with pytest.raises(UnsupportedValue, match=f"more than {DEEPEST} containers"):
        jcs(endless)


def test_containers_may_be_nested_deeply() -> None:
    nested: object = 1
    for _ in range(DEEPEST):
        nested = [nested]

    assert jcs(nested) == "[" * DEEPEST + "1" + "]" * DEEPEST
