import pytest

from typedcfg.sources.escapes import Instruction, literal, written
from typedcfg.sources.instructions import take_apart
from typedcfg.sources.json_reader import read_json
from typedcfg.sources.json_writer import write_json


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("${a}", "$${a}"),
        ("$${a}", "$$${a}"),
        ("$5", "$5"),
        (["x ${a}", 1], ["x $${a}", 1]),
        ({"$a": 1, "$$b": 2, "c$": 3}, {"$$a": 1, "$$$b": 2, "c$": 3}),
        ({Instruction("$replace"): True}, {"$replace": True}),
        ({Instruction("$replace"): True, "$replace": 1.0}, {"$replace": True, "$$replace": 1.0}),
        (("${", None), ["$${", None]),
    ],
)
def test_what_would_mean_something_is_escaped(value: object, said: object) -> None:
    assert written(value) == said


def test_an_instruction_is_read_as_one_and_a_key_that_looks_like_it_is_not() -> None:
    text = write_json({Instruction("$version"): 2, "a": {"$version": 3}})

    document, problems = take_apart(read_json(text, "run.json"))

    assert not problems
    assert document.version == 2
    assert document.own["a"] == {"$version": 3}


def test_literal_texts_are_escaped_wherever_they_lie_and_all_else_stays() -> None:
    value = {"$a ${b}": ["${c}", ("x ${d}", 1)], "e": 2.5}

    assert literal(value) == {"$a ${b}": ["$${c}", ("x $${d}", 1)], "e": 2.5}
    assert literal("plain") == "plain"
