"""Descriptions: the docstrings below a template's fields, read from its source when somebody asks.

Not at import: parsing the source is more than half of what creating a class with pydantic's
`use_attribute_docstrings` costs. Where there is no source (a shell, code made at run time, bytecode alone) only
`Field(description=...)` is known.
"""

import sys
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from typedcfg.origin import Origin, in_code

if TYPE_CHECKING:
    import ast


_BLOCKS: Final = ("body", "orelse", "finalbody", "handlers", "cases")
"""The parts of a statement that hold statements, or handlers and cases that hold some."""


class Declaration(NamedTuple):
    """One field as its class declares it."""

    origin: Origin
    docstring: str
    """Empty where nothing stands below the field."""


def descriptions_of(template: type[Any]) -> dict[str, str]:
    """What each field of a template is, in the author's words; a field that nobody described is left out.

    `Field(description=...)` counts before a docstring, and a class before the classes that it derives from.

    Example:
        >>> from pydantic import Field
        >>> from typedcfg import ConfigTemplate
        >>> class Loader(ConfigTemplate):
        ...     batch_size: int = Field(128, description="Samples per step and rank.")
        >>> descriptions_of(Loader)
        {'batch_size': 'Samples per step and rank.'}
    """
    found: dict[str, str] = {}
    for name, info in template.__pydantic_fields__.items():
        declared = (_declarations(cls).get(name) for cls in template.__mro__)
        written = info.description or next((d.docstring for d in declared if d is not None and d.docstring), "")
        if written:
            found[name] = written
    return found


def declared_at(template: type[Any], name: str) -> Origin | None:
    """The line that declares a field, in the template or the nearest class that it derives from.

    Returns:
        The file and line; None where there is no source.
    """
    for cls in template.__mro__:
        declaration = _declarations(cls).get(name)
        if declaration is not None:
            return declaration.origin
    return None


def place_of(template: type[Any], name: str = "") -> str:
    """Where a field is declared, for a message; the class itself without a name, and nothing without a source."""
    origin = declared_at(template, name)
    if origin is None and (found := _statement(template)) is not None:
        statement, file = found
        origin = Origin(file, statement.lineno)
    return "" if origin is None or origin.line is None else str(in_code(origin.source, origin.line))


def summary_of(template: type[Any]) -> str:
    """The first paragraph of a template's own docstring, on one line."""
    lines = (template.__dict__.get("__doc__") or "").strip().split("\n\n", 1)[0]
    return " ".join(lines.split())


@cache
def _declarations(cls: type[Any]) -> Mapping[str, Declaration]:
    """The fields that a class itself declares, as far as its source can be found."""
    if vars(cls).get("__pydantic_fields__") == {}:
        return {}  # pydantic's own source is long, and need not be parsed to see that its classes have no fields
    found = _statement(cls)
    return {} if found is None else dict(_read(*found))


def _statement(cls: type[Any]) -> "tuple[ast.ClassDef, str] | None":
    """The statement that made a class, and its file; None where there is no source."""
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None)
    if cls is object or not file:
        return None
    from linecache import getlines

    # The module's globals lead to its loader: sources within a zip are found too.
    lines = getlines(file, vars(module))
    candidates = [c for c in _classes("".join(lines)).get(cls.__qualname__, ()) if _may_be(c, cls)]
    # One name may be bound twice, under `if` for instance; what stands further down is what stayed.
    return (max(candidates, key=lambda c: c.lineno), file) if candidates else None


def _may_be(node: "ast.ClassDef", cls: type[Any]) -> bool:
    """Whether a class was made from a declaration: its file may have been edited since, or its name reused."""
    if "__pydantic_fields__" not in vars(cls):
        return True  # it is being made, and nothing is known of it yet
    known = {*getattr(cls, "__pydantic_fields__", ()), *getattr(cls, "__private_attributes__", ())}
    known |= getattr(cls, "__class_vars__", set())
    return not known or known.issuperset(_targets(node))


@lru_cache(maxsize=8)
def _classes(source: str) -> dict[str, list["ast.ClassDef"]]:
    """Every class in a file by its qualified name."""
    import ast

    found: dict[str, list[ast.ClassDef]] = {}
    try:
        module = ast.parse(source)
    except SyntaxError:
        # The file was edited since it was imported.
        return found
    todo: list[tuple[str, ast.AST]] = [("", module)]
    while todo:
        above, node = todo.pop()
        for child in _statements(node):
            inner = above
            if isinstance(child, ast.ClassDef):
                found.setdefault(above + child.name, []).append(child)
                inner = f"{above}{child.name}."
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                inner = f"{above}{child.name}.<locals>."
            todo.append((inner, child))
    return found


def _statements(node: "ast.AST") -> Iterator["ast.AST"]:
    """What stands in the blocks of a statement; no class lies in an expression, and those are most of a tree."""
    for block in _BLOCKS:
        yield from getattr(node, block, ())


def _targets(node: "ast.ClassDef") -> Iterator[str]:
    import ast

    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield statement.target.id


def _read(node: "ast.ClassDef", file: str) -> Iterator[tuple[str, Declaration]]:
    """The fields of a class, each with the text that stands directly below it."""
    import ast
    from inspect import cleandoc

    for statement, following in zip(node.body, [*node.body[1:], None], strict=True):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        text = ""
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            text = cleandoc(following.value.value) if isinstance(following.value.value, str) else ""
        yield statement.target.id, Declaration(Origin(file, statement.lineno), text)
