"""Interpolated texts: what one comes to that is a reference, an expression, or text around several of them."""

from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from typedcfg.compiler.expressions.interpolation import Interpolation, read_interpolation
from typedcfg.compiler.expressions.printed import NotPrintable, printed
from typedcfg.compiler.expressions.references import Reference
from typedcfg.compiler.reading import Needs, Refused
from typedcfg.compiler.scope import Scope
from typedcfg.compiler.slot import Slot
from typedcfg.errors import Problem
from typedcfg.key_path import render_key_path

if TYPE_CHECKING:
    from typedcfg.compiler.expressions.tree import Expression

_LONGEST_TEXT: Final = 1_000_000
"""Characters; ten lines that each refer ten times to the one above would otherwise be gigabytes."""


def interpolated(text: str, scope: Scope) -> Any:
    """The value of a text with references.

    Raises:
        Needs: It reads what is not known yet.
        Refused: It cannot be read, or leads to what it may not be made of.
    """
    read = read_interpolation(text)
    if isinstance(read, Problem):
        raise Refused(read)
    whole = read.whole
    if isinstance(whole, Reference):
        return scope.referenced(whole)
    return _text_of(read, scope) if whole is None else _computed(whole, scope)


def _text_of(interpolation: Interpolation, scope: Scope) -> Any:
    text, is_secret = "", False
    for part, value in zip(interpolation.parts, _values_of(interpolation, scope), strict=True):
        if isinstance(value, SecretStr):
            value, is_secret = value.get_secret_value(), True  # noqa: PLW2901  # what stands within the text
        try:
            text += printed(value)
        except NotPrintable as error:
            raise Refused(_without_text(part, error, scope)) from None
        if len(text) > _LONGEST_TEXT:
            what = f"{render_key_path(scope.slot.path)} becomes a text of more than {_LONGEST_TEXT:,} characters"
            raise Refused(Problem(what, fix="look for references that double what they refer to, again and again"))
    return SecretStr(text) if is_secret else text


def _values_of(interpolation: Interpolation, scope: Scope) -> list[Any]:
    """The values of all parts; what they need is asked for together."""
    values: list[Any] = []
    needed: list[Slot] = []
    for part in interpolation.parts:
        try:
            if isinstance(part, Reference):
                values.append(scope.referenced_within(part))
            else:
                values.append(part if isinstance(part, str) else _computed(part, scope))
        except Needs as needs:
            needed += needs.slots
    if needed:
        raise Needs(needed)
    return values


def _computed(expression: "Expression", scope: Scope) -> Any:
    # As for the grammar, without which there is no expression to compute.
    from typedcfg.compiler.expressions.arithmetic import Undefined
    from typedcfg.compiler.expressions.evaluation import evaluate

    try:
        return evaluate(expression, scope)
    except Undefined as error:
        what = f"{render_key_path(scope.slot.path)} cannot be computed: {error.what}"
        where = scope.where(error.column)
        raise Refused(Problem(what, where, expected=error.expected, fix=error.fix)) from None


def _without_text(part: "str | Expression", error: NotPrintable, scope: Scope) -> Problem:
    if isinstance(part, Reference):
        what = f"{render_key_path(scope.path(part))} is {error}, which has no place within a text"
        fix = "refer to it as a whole value, without text around it"
    else:
        what, fix = f"{render_key_path(scope.slot.path)} comes to {error}, which has no place within a text", ""
    column = 0 if isinstance(part, str) else getattr(part, "column", 0)
    where = scope.where(column)
    return Problem(what, where, expected="a number, a text or a truth value", fix=fix)


def is_of_references(text: str) -> bool:
    """Whether a text holds references, each by itself, and no expression."""
    read = read_interpolation(text)
    return isinstance(read, Interpolation) and all(isinstance(part, (str, Reference)) for part in read.parts)
