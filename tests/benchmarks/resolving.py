"""Resolving: references in the order they need, against a sort of the same graph and a call for each."""

from collections.abc import Callable, Iterator
from functools import partial
from graphlib import TopologicalSorter
from random import Random
from typing import Any, Final, NamedTuple

from pydantic import create_model
from stopwatch import Row, race

from typedcfg import ConfigTemplate
from typedcfg.compiler.descent import Descent
from typedcfg.compiler.expressions.interpolation import plain_reference, read_interpolation
from typedcfg.compiler.expressions.variables import Variables
from typedcfg.compiler.shape import Shape, shape
from typedcfg.compiler.values import Resolver
from typedcfg.origin import Origin
from typedcfg.sources.base import Layer, branch_from

_LEAVES_OF_A_PART: Final = 50
_LITERAL: Final = 7

Values = dict[int, int]


class Graph(NamedTuple):
    """Values by number, all but one of which refer to another, and the same graph as a configuration."""

    edges: dict[int, tuple[int]]
    functions: dict[int, Callable[[Values], int]]
    descent: Descent
    shape: Shape


def resolve_references(counts: tuple[int, ...], seconds: float) -> Iterator[Row]:
    """The stage that finds values, for a file in which every value but one refers to another, in no order."""
    count = counts[-1]
    graph = _graph(count)
    floor = partial(_sorted_and_called, graph)
    _resolve(graph)
    values = floor()
    assert list(_found(graph)) == [values[number] for number in range(count)], "both find the same values"
    what = f"resolve {count:,} references"
    yield race(what, partial(_resolve, graph), floor, seconds=seconds, target=1.0)
    yield race(f"{what}, read anew", partial(_read_and_resolve, graph), floor, seconds=seconds)


def _resolve(graph: Graph) -> None:
    # As after `shape`: nothing that is referred to is known.
    for slot in graph.shape.slots.values():
        slot.is_known = False
    Resolver(graph.descent, graph.shape, Variables()).resolve()


def _read_and_resolve(graph: Graph) -> None:
    read_interpolation.cache_clear()
    plain_reference.cache_clear()
    _resolve(graph)


def _sorted_and_called(graph: Graph) -> Values:
    values: Values = {}
    for number in TopologicalSorter(graph.edges).static_order():
        values[number] = graph.functions[number](values)
    return values


def _graph(count: int) -> Graph:
    """Every value refers to one of those before it in a shuffled order: chains of all lengths, in no order."""
    random = Random(1)
    order = list(range(count))
    random.shuffle(order)
    sources = {order[position]: order[random.randrange(position)] for position in range(1, count)}
    functions: dict[int, Callable[[Values], int]] = {n: partial(_copy, source) for n, source in sources.items()}
    functions[order[0]] = lambda _: _LITERAL
    descent = Descent(_template(), [_layer(count, sources)])
    return Graph({number: (source,) for number, source in sources.items()}, functions, descent, shape(descent))


def _copy(source: int, values: Values) -> int:
    return values[source]


def _template() -> type[ConfigTemplate]:
    fields: dict[str, Any] = {f"width_{number}": (int, 1) for number in range(_LEAVES_OF_A_PART)}
    part = create_model("Part", __base__=ConfigTemplate, **fields)
    held: dict[str, Any] = {"parts": (dict[str, part], {})}
    return create_model("Root", __base__=ConfigTemplate, **held)


def _layer(count: int, sources: dict[int, int]) -> Layer:
    parts: dict[str, dict[str, object]] = {}
    for number in range(count):
        part, leaf = _steps(number)
        value = f"${{parts.{'.'.join(_steps(sources[number]))}}}" if number in sources else _LITERAL
        parts.setdefault(part, {})[leaf] = value
    origin = Origin("base.yaml")
    return Layer(str(origin), "files", (branch_from({"parts": parts}, origin),))


def _steps(number: int) -> tuple[str, str]:
    part, leaf = divmod(number, _LEAVES_OF_A_PART)
    return f"part_{part}", f"width_{leaf}"


def _found(graph: Graph) -> Iterator[int]:
    for part in graph.shape.tree["parts"].values():
        yield from part.values()
