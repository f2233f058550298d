"""How much whole references bring, and where that ends."""

from typing import Any

import pytest

from typedcfg import ConfigError, ConfigTemplate
from typedcfg.compiler.bulk import Bulk
from typedcfg.sources.base import MOST_EXPANDED


class Params(ConfigTemplate):
    free: dict[str, Any] = {}
    rows: list[list[int]] = []


def doubled(lines: int) -> dict[str, Any]:
    return {"a0": [1, 2], **{f"a{n}": [f"${{free.a{n - 1}}}"] * 2 for n in range(1, lines)}}


def test_entries_are_counted_as_if_they_were_written_out() -> None:
    pair, bulk = [1, 2], Bulk()

    bulk.take({"x": pair, "y": (pair, {3})})

    assert bulk.entries == 2 + 2 + 2 + 2 + 1


def test_a_value_that_is_brought_twice_counts_twice() -> None:
    pair, bulk = [1, 2], Bulk()

    bulk.take(pair)
    bulk.take(pair)

    assert bulk.entries == 4


@pytest.mark.parametrize("lines", [30, 200])
def test_lists_that_double_with_every_line_are_refused_where_it_is_too_much(lines: int) -> None:
    with pytest.raises(ConfigError) as caught:
        Params.compile(overrides={"free": doubled(lines)})

    [problem] = caught.value.problems
    assert problem.what == "free.a14[1] refers to one list or mapping too many"
    assert problem.where == "overrides['free']"
    assert problem.expected == "at most 100,000 entries that all references bring"


def test_what_references_bring_may_be_large() -> None:
    rows = ["${free.row}"] * (MOST_EXPANDED // 1000)

    config = Params.compile(overrides={"free": {"row": [7] * 1000}, "rows": rows})

    assert sum(map(len, config.params.rows)) == MOST_EXPANDED
    with pytest.raises(ConfigError, match=r"rows\[100\] refers to one list or mapping too many"):
        Params.compile(overrides={"free": {"row": [7] * 1000}, "rows": [*rows, "${free.row}"]})


def test_an_expression_that_chooses_a_list_brings_it_as_well() -> None:
    rows = ["${free.row if true else 1}"] * 101

    with pytest.raises(ConfigError, match=r"rows\[100\] refers to"):
        Params.compile(overrides={"free": {"row": [7] * 1000}, "rows": rows})
