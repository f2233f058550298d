import subprocess
import sys

import pytest

from typedcfg.origin import Origin
from typedcfg.sources.base import Branch, Items
from typedcfg.sources.yaml_value import NotAValue, read_value

HERE = Origin("argument 4")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("", None),
        ("on", "on"),
        ("a: b", "a: b"),
        ("- x", "- x"),
        ("!!str 1", "!!str 1"),
        ("'12'", "12"),
        ('"a\\n"', "a\n"),
        ("[1, [2], {a: x}]", [1, [2], {"a": "x"}]),
        ("{a: {b: 1e-3}}", {"a": {"b": 0.001}}),
        ("[]", []),
    ],
)
def test_a_value_is_flow_yaml_or_one_plain_scalar(text: str, value: object) -> None:
    assert read_value(text, HERE) == value


def test_mappings_and_lists_in_a_value_stand_where_it_does() -> None:
    value = read_value("{a: [1, {b: '${root.c}'}]}", HERE)

    assert isinstance(value, Branch)
    assert value.origins == {"a": HERE}
    assert isinstance(value["a"], Items)
    assert value["a"].origins == [HERE, HERE]
    assert value.unsettled


@pytest.mark.parametrize("text", ["[1", "{a: 1, a: 2}", "[1] x", "'x", "[1]\n---\n[2]", "9" * 5000, "[\x00]"])
def test_flow_text_that_cannot_be_read_is_not_a_value(text: str) -> None:
    with pytest.raises(NotAValue) as caught:
        read_value(text, HERE)

    assert all(problem.where.startswith("argument 4") for problem in caught.value.problems)


def test_a_bad_value_is_placed_within_itself() -> None:
    with pytest.raises(NotAValue) as caught:
        read_value("{a: 1, a: 2}", HERE)

    assert caught.value.problems[0].where.startswith("argument 4, column 8 of the value")


def test_a_plain_scalar_needs_no_parser() -> None:
    program = """if True:
        import sys
        from typedcfg.origin import Origin
        from typedcfg.sources.yaml_value import read_value
        read_value("1e-3", Origin("argument 4"))
        print("yaml" in sys.modules)
    """

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert run.stdout == "False\n"
