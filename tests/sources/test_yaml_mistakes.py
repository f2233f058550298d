"""What is said of a text that is no YAML: where the slip is, and how to mend it."""

import pytest

from typedcfg.errors import ConfigError
from typedcfg.origin import Origin
from typedcfg.sources.yaml_reader import read_flow, read_yaml


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: b: c\n", ["mapping values are not allowed in this context", "f.yaml:1:5"]),
        ("a:\n\t- 1\n", ["f.yaml:2:1", "invalid YAML"]),
        ("a: [1\n", ["f.yaml:2:1", "invalid YAML"]),
        ("a: 'x\n", ["invalid YAML"]),
        ("a: 1\nb: é\x00\n", ["character U+0000", "f.yaml:2:5", '"\\u0000"']),
        ("a: \x1b[0m\n", ["character U+001B", "f.yaml:1:4"]),
        ("a: \udcff\n", ["character U+DCFF", "f.yaml:1:4"]),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_place(text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read_yaml(text, "f.yaml")

    message = str(caught.value)
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize(
    ("text", "what", "where", "fix"),
    [
        ("a:\n\tb: 1\n", "a tab in the indentation", "base.yaml:2:1", "indent with spaces"),
        ("a:\n  b: 1\n\tc: 2\n", "a tab in the indentation", "base.yaml:3:1", "indent with spaces"),
        (
            "a: [1, ${b}]\n",
            "expected ',' or ']'",
            "base.yaml:1:9\nbase.yaml:1:4 (where it opens)",
            "within brackets a reference stands in quotes: ['${key}']",
        ),
        (
            "a: [1, 2\nb: 3\n",
            "expected ',' or ']'",
            "base.yaml:2:2\nbase.yaml:1:4 (where it opens)",
            "close the bracket",
        ),
        ("a:\n   b: 3\n  c: 3\n", "expected key", "base.yaml:3:3", "put the keys of one mapping in one column"),
        ("a: 3\n  b: 3\n", "mapping values", "base.yaml:2:4", "put it in the column of the key above it"),
        ("a: b: c\n", "mapping values", "base.yaml:1:5", "put a text that holds a colon in quotes"),
        ("a:\n  b:3\n  c: 2\n", "mapping values", "base.yaml:3:4", "write a space after the colon: b: ..."),
    ],
)
def test_a_common_slip_is_told_where_it_is_and_how_to_mend_it(text: str, what: str, where: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_yaml(text, "base.yaml")

    [problem] = caught.value.problems
    assert what in problem.what
    assert problem.where.startswith(where)
    assert problem.fix.startswith(fix)


def test_a_value_that_ends_too_soon_is_pointed_at_behind_its_end() -> None:
    with pytest.raises(ConfigError, match=r"column 12 of the value\n(.|\n)*column 1 of the value \(where it opens\)"):
        read_flow("[{width: 3}", Origin("argument 3"))
