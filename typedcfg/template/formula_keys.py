"""Formulas with keys: `c.root.loader.batch_size / 128` reads `loader.batch_size`, wherever it stands."""

import re
from collections.abc import Iterator
from types import CodeType
from typing import TYPE_CHECKING, Final, NamedTuple

from typedcfg.key_path import render_step

if TYPE_CHECKING:
    import ast

    from typedcfg.template.derived import Derived

_LAST_STEP: Final = re.compile(r"(?:^|\.)\w+(?:\[[^\]]*\])*\Z")
"""A section's own name in its key, with the positions behind it: what `parent` takes away."""


class _Read(NamedTuple):
    """A key, and which bytes of the formula name it."""

    start: int
    end: int
    key: str


def with_keys(derived: "Derived", key: str) -> str:
    """A formula's text as somebody reads it who knows keys, and not what `c` is.

    Args:
        derived: The formula.
        key: The key of the field that it is the default of.

    Example:
        >>> from typedcfg.template.derived import Derived
        >>> with_keys(Derived(lambda c: c.root.loader.batch_size / 128 * c.scale), "optimizer.lr")
        'loader.batch_size / 128 * optimizer.scale'
    """
    text = derived.formula.encode()
    for read in reversed(_reads(derived, key)):
        text = text[: read.start] + read.key.encode() + text[read.end :]
    return text.decode()


def keys_read(derived: "Derived", key: str) -> tuple[str, ...]:
    """The keys that a formula's own text names; what a function that it calls reads is not seen."""
    return tuple(dict.fromkeys(read.key for read in _reads(derived, key)))


def _reads(derived: "Derived", key: str) -> list[_Read]:
    """What a formula reads, in order; nothing where its text is no expression of its own."""
    import ast

    code = getattr(derived.function, "__code__", None)
    if not isinstance(code, CodeType) or not code.co_argcount:
        return []
    try:
        tree = ast.parse(derived.formula, mode="eval")
    except SyntaxError:
        return []
    return sorted(_found(tree, code.co_varnames[0], above(key)))


def _found(node: "ast.AST", view: str, section: str) -> Iterator[_Read]:
    import ast

    read = _read(node, view, section) if isinstance(node, (ast.Attribute, ast.Subscript)) else None
    if read is not None:
        yield read
        return
    for child in ast.iter_child_nodes(node):
        # Of `c.name.upper()` the last word is a method, and no key.
        is_method = isinstance(node, ast.Call) and child is node.func and isinstance(child, ast.Attribute)
        yield from _found(child.value if is_method and isinstance(child, ast.Attribute) else child, view, section)


def _read(node: "ast.Attribute | ast.Subscript", view: str, section: str) -> _Read | None:
    """A chain of attributes and positions that begins with the view; None for any other expression."""
    import ast

    steps: list[str | int] = []
    inner: ast.expr = node
    while isinstance(inner, (ast.Attribute, ast.Subscript)):
        if isinstance(inner, ast.Attribute):
            steps.insert(0, inner.attr)
        elif isinstance(inner.slice, ast.Constant) and isinstance(inner.slice.value, (str, int)):
            steps.insert(0, inner.slice.value)
        else:
            return None
        inner = inner.value
    if not isinstance(inner, ast.Name) or inner.id != view or node.end_col_offset is None:
        return None
    while steps and steps[0] in ("root", "parent"):
        section = "" if steps.pop(0) == "root" else above(section)
    key = (section + "".join(map(render_step, steps))).removeprefix(".")
    return _Read(node.col_offset, node.end_col_offset, key) if steps else None


def above(key: str) -> str:
    """The key of the section that holds a key; empty at the top.

    Example:
        >>> above("encoder.layers[i].width"), above("encoder.layers[i]")
        ('encoder.layers[i]', 'encoder')
    """
    return _LAST_STEP.sub("", key)
