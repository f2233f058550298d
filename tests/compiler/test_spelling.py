"""How a value of the wrong type is written right."""

from typing import Any

import pytest

from typedcfg import ConfigError, ConfigTemplate
from typedcfg.errors import Problem


class Params(ConfigTemplate):
    seed: int = 1
    name: str = ""
    tags: list[str] = []
    grid: list[list[int]] = []
    rates: dict[str, Any] = {}
    free: dict[str, Any] = {"counts": [1]}


def problem(*arguments: str, **overrides: object) -> Problem:
    with pytest.raises(ConfigError) as caught:
        Params.compile(overrides=arguments or overrides)
    [only] = caught.value.problems
    return only


@pytest.mark.parametrize(
    ("argument", "fix"),
    [
        ("name=${seed}", "make a text of it: ${str(seed)}"),
        ("name=${ seed + 1 }", "make a text of it: ${str(seed + 1)}"),
        ("tags=['${seed}']", "make a text of it: ${str(seed)}"),
        ("tags=[1]", "put it in quotes: without them it is no text"),
        ("tags=${free.counts}", "${free.counts} brings it as it is: make it a text there"),
    ],
)
def test_a_number_is_made_a_text_where_it_was_written(argument: str, fix: str) -> None:
    assert problem(argument).fix == fix


@pytest.mark.parametrize(
    ("argument", "fix"),
    [
        ("seed=32,64", "one command is one configuration: for several, loop in the shell"),
        ("seed=???", "leave it out: a field without a default is required anyway"),
        ("tags=???", "leave it out: a field without a default is required anyway"),
    ],
)
def test_what_another_tool_reads_as_a_sweep_or_a_gap_is_told_what_to_do(argument: str, fix: str) -> None:
    assert problem(argument).fix.startswith(fix)


def test_text_with_a_comma_is_no_sweep() -> None:
    assert problem("seed=a b,c").fix == ""


def test_a_number_in_python_is_put_in_quotes() -> None:
    assert problem(name=7).fix == "put it in quotes: without them it is no text"


@pytest.mark.parametrize(
    ("argument", "fix"),
    [
        ("tags=x", "a list is written in brackets: [x]"),
        ("tags=${name}", "a list is written in brackets: ['${name}']"),
        ("grid=[[1], [2]", "close the bracket, or put the missing comma"),
        ("rates=x", ""),
    ],
)
def test_a_list_is_shown_with_its_brackets(argument: str, fix: str) -> None:
    assert problem(argument, *(["name=x"] if "{" in argument else [])).fix.startswith(fix)


@pytest.mark.parametrize("argument", ["grid=[[1], [${seed}]]", "rates={a: ${seed}}"])
def test_references_within_brackets_are_to_be_quoted(argument: str) -> None:
    fix = "within brackets a reference stands in quotes: ['${key}'], {name: '${key}'}"

    assert problem(argument).fix == fix


def test_what_a_reference_brings_is_told_item_by_item() -> None:
    told = problem("tags=${free.counts}")

    assert (told.what, told.where, told.expected) == ("tags[0] = 1 is wrong", "overrides[0]", "a text")


def test_a_list_in_parentheses_is_written_in_brackets() -> None:
    assert problem("tags=(64,64)").fix == "a list is written in brackets: [64, 64]"
