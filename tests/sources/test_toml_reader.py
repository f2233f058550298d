import pytest

from typedcfg.errors import ConfigError
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch
from typedcfg.sources.toml_reader import read_toml


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_toml(text, "f.toml")
    return str(caught.value)


def test_tables_and_arrays_of_tables_are_a_tree() -> None:
    tree = read_toml('seed = 1\n[loader]\nbatch_size = 0x10\n[[layers]]\nwidth = 64\nnames = ["a"]\n', "f.toml")

    assert tree == {"seed": 1, "loader": {"batch_size": 16}, "layers": [{"width": 64, "names": ["a"]}]}


def test_an_origin_is_the_file() -> None:
    tree = read_toml("[loader]\nbatch_size = 16\n", "f.toml")

    assert isinstance(tree["loader"], Branch)
    assert tree["loader"].origins == {"batch_size": Origin("f.toml")}


def test_dates_and_times_become_iso_text() -> None:
    tree = read_toml("a = 2026-01-31\nb = [07:32:00]\nc = {d = 1979-05-27T07:32:00Z}\ne = 1979-05-27 07:32:00\n", "f")

    assert tree == {
        "a": "2026-01-31",
        "b": ["07:32:00"],
        "c": {"d": "1979-05-27T07:32:00+00:00"},
        "e": "1979-05-27T07:32:00",
    }


def test_a_quoted_dollar_key_or_a_reference_leaves_the_tree_unsettled() -> None:
    assert read_toml('"$extends" = "base.toml"', "f.toml").unsettled
    assert read_toml("[[a]]\nb = '${root.c}'", "f.toml").unsettled
    assert not read_toml("[[a]]\nb = '$5'", "f.toml").unsettled


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = 1\na = 2\n", ["invalid TOML: cannot overwrite a value", "f.toml:2:"]),
        ("a = \n", ["invalid TOML: invalid value", "f.toml:1:5"]),
        ("[a]\nb = 'x", ["invalid TOML", "f.toml:2:"]),
        ("$extends = 'base.toml'", ["invalid TOML", "f.toml:1:1"]),
        ("a = " + "[" * 100_000, ["f.toml"]),
        ("a = " + "9" * 5000, ["f.toml", "invalid TOML"]),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, words: list[str]) -> None:
    message = refusal(text)

    assert [word for word in words if word not in message] == []
