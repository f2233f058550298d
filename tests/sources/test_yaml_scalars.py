import pytest

from typedcfg.sources.yaml_scalars import resolve_plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("true", True),
        ("FALSE", False),
        ("12", 12),
        ("+12", 12),
        ("-0", 0),
        ("012", 12),
        ("0o17", 15),
        ("0xfF", 255),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("1.", 1.0),
        ("-1.5E+3", -1500.0),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
    ],
)
def test_plain_scalars_follow_the_core_schema(text: str, value: object) -> None:
    found = resolve_plain(text)

    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    "text",
    [
        *("on", "off", "yes", "no", "y", "nULL", "tRUE", "nan", "inf", ".iNF", "=", "-", "+", ".", "-.nan"),
        *("12:30", "12:30:00", "1_000", "2020-01-01", "0b11", "-0x1", "-0o7", "1e", "1.5.2", "e3", "٣"),
    ],
)
def test_what_the_core_schema_does_not_name_is_text(text: str) -> None:
    assert resolve_plain(text) == text


def test_not_a_number_is_read() -> None:
    found = resolve_plain(".NaN")

    assert isinstance(found, float)
    assert found != found  # noqa: PLR0124 - the definition of NaN


def test_an_integer_without_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="an integer of 5000 digits"):
        resolve_plain("9" * 5000)
