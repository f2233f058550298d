"""Expressions: what `${...}` holds, as a small tree; `grammar` makes it, and `evaluation` walks it."""

from typing import NamedTuple, TypeAlias

from typedcfg.compiler.expressions.references import Reference


class Constant(NamedTuple):
    """A value that is written out."""

    value: bool | int | float | str | None


class Variable(NamedTuple):
    """An environment variable; its text, or the default's where it is not set."""

    name: str
    default: "Expression | None"
    column: int
    """Where it begins in the value that holds it, counted from 1, as everywhere below."""


class Operation(NamedTuple):
    """An operator between two numbers, or before one value."""

    symbol: str
    operands: tuple["Expression", ...]
    column: int


class Call(NamedTuple):
    """A function and what it is called with."""

    name: str
    arguments: tuple["Expression", ...]
    column: int


class Comparison(NamedTuple):
    """Values with an order or equality between each and the next: `0 < a <= b`."""

    symbols: tuple[str, ...]
    operands: tuple["Expression", ...]
    column: int


class Logic(NamedTuple):
    """`and` or `or` between truth values, read from the left as far as it takes."""

    symbol: str
    operands: tuple["Expression", ...]
    column: int


class Choice(NamedTuple):
    """`then if condition else otherwise`; the branch that is not taken is not read."""

    condition: "Expression"
    then: "Expression"
    otherwise: "Expression"
    column: int


Expression: TypeAlias = Reference | Constant | Variable | Operation | Call | Comparison | Logic | Choice
