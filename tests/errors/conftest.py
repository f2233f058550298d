"""Where in the code a problem is put into words, and which of those places have spoken.

A *site* is a call that makes a `Problem`, or one of the smaller errors that a problem's text is made of. Where the text
is the caller's, because a function passes its argument `what` on, every call of that function is a site too.
"""

import ast
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import typedcfg
from typedcfg.compiler.expressions.arithmetic import Undefined
from typedcfg.compiler.expressions.tokens import Unreadable
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPathError

PACKAGE = Path(typedcfg.__file__).parent
WORDED: tuple[type[Any], ...] = (Problem, Undefined, Unreadable, KeyPathError)

Span = tuple[str, int, int]
"""A file, and the line and column at which a call begins in it."""


class Site(NamedTuple):
    """A call that words a problem."""

    name: str
    """The file and the function; with a number, where the function has several."""
    spans: frozenset[Span]


class Spoken(NamedTuple):
    """Something was worded while a command ran."""

    text: str
    stack: tuple[Span, ...]
    """The calls that led to it, all of those in the package."""


class _Calls(ast.NodeVisitor):
    """Every call in a module, with the functions that it stands in."""

    def __init__(self) -> None:
        self.functions: list[ast.FunctionDef] = []
        self.scope: list[str] = []
        self.found: list[tuple[ast.Call, str, tuple[ast.FunctionDef, ...]]] = []

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.scope.append(node.name)
        self.generic_visit(node)
        self.scope.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.scope.append(node.name)
        self.functions.append(node)
        self.generic_visit(node)
        self.functions.pop()
        self.scope.pop()

    def visit_Call(self, node: ast.Call) -> None:
        self.found.append((node, ".".join(self.scope), tuple(self.functions)))
        self.generic_visit(node)


def sites_in(path: Path, root: Path) -> Iterator[Site]:
    """The sites of one module."""
    calls = _Calls()
    calls.visit(ast.parse(path.read_text(encoding="utf-8")))
    makers = {kind.__name__ for kind in WORDED}
    while passed_on := {maker for call, _, within in calls.found if (maker := _passes_on(call, within, makers))}:
        makers |= passed_on
    worded = [(call, scope) for call, scope, within in calls.found if _called(call) in makers]
    file = path.relative_to(root).as_posix()
    scopes = [scope for _, scope in worded]
    for number, (call, scope) in enumerate(worded):
        nth = f" {scopes[: number + 1].count(scope)}" if scopes.count(scope) > 1 else ""
        yield Site(f"{file}:{scope}{nth}", frozenset({(file, call.lineno, call.col_offset)}))


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _passes_on(call: ast.Call, within: tuple[ast.FunctionDef, ...], makers: set[str]) -> str | None:
    """The function that passes its `what` on to a maker, if it is not known as one yet."""
    if _called(call) not in makers or not within or within[-1].name in makers:
        return None
    given = [*within[-1].args.args, *within[-1].args.kwonlyargs]
    is_passed = any(isinstance(node, ast.Name) and node.id == "what" for each in call.args for node in ast.walk(each))
    return within[-1].name if is_passed and any(argument.arg == "what" for argument in given) else None


@pytest.fixture(scope="module")
def sites() -> list[Site]:
    """Every site of the package."""
    return [site for path in sorted(PACKAGE.rglob("*.py")) for site in sites_in(path, PACKAGE)]


@pytest.fixture(scope="module")
def spoken() -> Iterator[list[Spoken]]:
    """What is worded from now on; whoever reads it may empty it."""
    heard: list[Spoken] = []
    with pytest.MonkeyPatch.context() as patch:
        for kind in WORDED:
            patch.setattr(kind, "__init__", _noting(kind, heard))
        _forget()
        yield heard


def _noting(kind: type[Any], heard: list[Spoken]) -> Any:
    made = kind.__init__

    def make(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        heard.append(Spoken(getattr(self, "what", None) or str(self), tuple(_stack())))

    return make


def _stack() -> Iterator[Span]:
    """The calls in the package that are under way."""
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith(str(PACKAGE)):
            file = Path(frame.f_code.co_filename).relative_to(PACKAGE).as_posix()
            line, _, column, _ = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None))
            yield file, line or 0, column or 0
        assert frame is not None, "the loop ends at the last one"
        frame = frame.f_back  # type: ignore[assignment]  # None ends the loop


def _forget() -> None:
    """Empty what functions remember: a problem that another test met would not be worded again."""
    for name, module in [*sys.modules.items()]:
        if name.startswith("typedcfg."):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
