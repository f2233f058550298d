"""Evaluation: what an expression comes to, once what it reads is known."""

from typing import Any, Protocol, assert_never

from typedcfg.compiler.expressions.arithmetic import Undefined, calculate, call, compare, sign, truth
from typedcfg.compiler.expressions.references import Reference
from typedcfg.compiler.expressions.tree import (
    Call,
    Choice,
    Comparison,
    Constant,
    Expression,
    Logic,
    Operation,
    Variable,
)


class Scope(Protocol):
    """Where an expression finds what it reads."""

    def value(self, reference: Reference) -> Any:
        """The value that a reference means."""
        ...

    def measured(self, reference: Reference) -> Any:
        """What a reference means where only its length is asked for: a list or mapping of sections, too."""
        ...

    def variable(self, name: str) -> str | None:
        """The text of an environment variable; None if it is not set."""
        ...


def evaluate(expression: Expression, scope: Scope) -> Any:
    """The value of an expression; only what it needs is read.

    Raises:
        Undefined: It has none.
    """
    match expression:
        case Reference():
            return scope.value(expression)
        case Constant(value):
            return value
    try:
        return _computed(expression, scope)
    except Undefined as error:
        error.column = error.column or expression.column
        raise


def _computed(  # noqa: C901, PLR0911  # one case for each kind of node
    expression: Variable | Operation | Call | Comparison | Logic | Choice, scope: Scope
) -> Any:
    match expression:
        case Operation("not", (operand,)):
            return not truth(evaluate(operand, scope), "not")
        case Operation(symbol, (operand,)):
            return sign(symbol, evaluate(operand, scope))
        case Operation(symbol, (left, right)):
            return calculate(symbol, evaluate(left, scope), evaluate(right, scope))
        case Call("len", (Reference() as reference,)):
            return call("len", [scope.measured(reference)])
        case Call(name, arguments):
            return call(name, [evaluate(argument, scope) for argument in arguments])
        case Comparison():
            return _holds(expression, scope)
        case Logic(symbol, operands):
            # As in Python: what follows a decision is not read.
            decisive = symbol == "or"
            return decisive if any(truth(evaluate(o, scope), symbol) is decisive for o in operands) else not decisive
        case Choice(condition, then, otherwise):
            return evaluate(then if truth(evaluate(condition, scope), "a condition") else otherwise, scope)
        case Variable():
            return _variable(expression, scope)
        case Operation():
            raise AssertionError("an operator stands before one value or between two")
    assert_never(expression)


def _holds(comparison: Comparison, scope: Scope) -> bool:
    first, *rest = comparison.operands
    left = evaluate(first, scope)
    for symbol, operand in zip(comparison.symbols, rest, strict=True):
        right = evaluate(operand, scope)
        if not compare(symbol, left, right):
            return False
        left = right
    return True


def _variable(variable: Variable, scope: Scope) -> str:
    text = scope.variable(variable.name)
    if text is None and variable.default is None:
        fix = f'set it, or give a default: env("{variable.name}", "...")'
        raise Undefined(f"the variable {variable.name} is not set", fix=fix)
    if text is None:
        assert variable.default is not None, "the case without a default is above"
        text = evaluate(variable.default, scope)
        if not isinstance(text, str):
            fix = "a variable is text: quote the default, and write int(...) or float(...) around env(...)"
            raise Undefined(f"the default of the variable {variable.name} is no text", expected="a text", fix=fix)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Undefined(f"the variable {variable.name} holds what is no UTF-8") from None
    return text
