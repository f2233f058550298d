"""The grammar of expressions: what may stand inside `${...}`.

The syntax is Python's: `ast` parses it, after the text was cut into the few tokens that are allowed, and what it
finds is turned into a tree of our own, once for each text. Nothing is ever compiled or evaluated as Python.
"""

import ast
import re
from contextlib import suppress
from typing import Final

from typedcfg.compiler.expressions.arithmetic import FUNCTIONS
from typedcfg.compiler.expressions.printed import MOST_BITS
from typedcfg.compiler.expressions.references import Reference, reference_to
from typedcfg.compiler.expressions.tokens import MOST_NODES, QUOTED, Unreadable, check_tokens, too_many
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
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPathError, parse_key_path, render_key_path
from typedcfg.text import listed, nearest, shorten

_PATH: Final = re.compile(
    r"""
    (?! (?:true|false|null|True|False|None) \b )
    (?: [^\W\d]\w* | \["[^"\\]*"\] )
    (?: \.[^\W\d]\w* | \[-?[0-9]+\] | \["[^"\\]*"\] | \['[^'\\]*'\] )*
    \Z
    """,
    re.VERBOSE,
)
_NAMES: Final = re.compile(r"(?!(?:true|false|null|True|False|None)\b)[^\W\d]\w*(?:\.[^\W\d]\w*)*\Z")
"""What most paths are."""
_POSITION: Final = re.compile(r"(?:0|-?[1-9][0-9]{0,17})\Z")
"""As in every key path; no list has a position of more digits."""
_SPACE: Final = re.compile(rf"(?P<quoted>{QUOTED})|[^\S ]", re.VERBOSE)
# A quote that is never closed hides every brace behind it.
_STOP: Final = re.compile(rf"""{QUOTED} | ["'].* | [{{}}]""", re.VERBOSE | re.DOTALL)
_RELATIVE: Final = re.compile(r"(?P<dots>\.{1,9})(?P<path>[^\W\d][\w.]{0,200})\Z")
"""A path as other tools write one that does not begin at the top."""
_LIKELY_KEY: Final = re.compile(r"[\w-]{1,40}\Z")
_CONSTANTS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_PYTHON_WORDS: Final = {"True": "true", "False": "false", "None": "null"}
_BINARY: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
_COMPARED: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_ONE_TEXT: Final = "a text is one quoted text, with nothing before or behind it"
_REFUSED: Final[dict[type[ast.AST], tuple[str, str]]] = {
    ast.JoinedStr: (_ONE_TEXT, "write ${...} into the text around it"),
    ast.ListComp: ("nothing is repeated here", ""),
    ast.GeneratorExp: ("nothing is repeated here", ""),
    ast.List: ("lists are written outside of ${...}", ""),
    ast.Tuple: ("lists are written outside of ${...}", ""),
    ast.Starred: ("nothing is spread out here", ""),
    ast.In: ("`in` is not understood here", "write: a == 1 or a == 2"),
    ast.NotIn: ("`not in` is not understood here", "write: a != 1 and a != 2"),
    ast.Is: ("`is` is not understood here", "write: a == null"),
    ast.IsNot: ("`is not` is not understood here", "write: a != null"),
}
"""What Python has and an expression has not: what is wrong, and what to do instead."""


def closing_brace(text: str, position: int) -> int:
    """Where the brace that closes an expression stands: the first outside of quotes; -1 if none does.

    Example:
        >>> closing_brace('${groups["}"].lr} wide', 2)
        16
    """
    depth = 0
    while (found := _STOP.search(text, position)) is not None:
        position = found.end()
        match found[0]:
            case "{":
                depth += 1
            case "}" if depth == 0:
                return found.start()
            case "}":
                depth -= 1
    return -1


def parse_expression(text: str, column: int) -> Expression | Problem:
    """The tree of an expression, or what is wrong with it.

    Args:
        text: What stands between the braces.
        column: Where that begins in the value that holds it, counted from 1.
    """
    stripped = text.strip()
    start = column + text.find(stripped) if stripped else column
    if _NAMES.match(stripped):
        return reference_to(tuple(stripped.split(".")), start)
    if _PATH.match(stripped):
        # What is no key path after all, `tags[01]`, is told of below.
        with suppress(KeyPathError):
            return reference_to(parse_key_path(stripped), start)
    try:
        tree = _parsed(stripped)
        return _Reader(stripped, start).expression(tree.body)
    except Unreadable as wrong:
        fix = wrong.fix or ("" if wrong.suggestion else _as_a_path(stripped))
        return Problem(
            f"${{{shorten(text)}}} is no expression: {wrong.what} at column {start + wrong.offset}",
            expected="a key path, or arithmetic: loader.batch_size / 128 * 0.01"
            if not (fix or wrong.suggestion)
            else "",
            suggestion=wrong.suggestion,
            fix=fix,
        )


def _as_a_path(text: str) -> str:
    """How to write what is a key path elsewhere, but no expression: dots before it, a key that is no identifier."""
    if (relative := _RELATIVE.match(text)) is not None:
        word = "parent." * (len(relative["dots"]) - 1) or "here."
        return f"write ${{{word}{relative['path']}}}: here. is beside, parent. is one section up"
    try:
        path = parse_key_path(text)
    except KeyPathError:
        return ""
    is_likely = str(path[0])[0].isalpha() and all(isinstance(step, int) or _LIKELY_KEY.match(step) for step in path)
    if not is_likely or render_key_path(path) == text:
        return ""
    quoted = f"${{{render_key_path(path)}}}"
    counted = tuple(int(step) if str(step).isdecimal() else step for step in path)
    if counted == path:
        return f"put a key that is no identifier in quotes: {quoted}"
    return f"put a position in brackets: ${{{render_key_path(counted)}}}, and a key in quotes: {quoted}"


def _parsed(text: str) -> ast.Expression:
    """What Python's parser makes of a text that holds allowed tokens alone."""
    check_tokens(text)
    # Outside of quotes a line break is as good as a space.
    flat = _SPACE.sub(lambda found: found["quoted"] or " ", text)
    try:
        return ast.parse(flat, mode="eval")
    except SyntaxError as error:
        # Where the text ends too early, Python names no place, or one behind it.
        offset = min(error.offset - 1, len(text)) if error.offset and error.lineno == 1 else len(text)
        raise Unreadable("something is missing" if offset >= len(text) else "unexpected text", offset) from None
    except (ValueError, MemoryError, RecursionError):
        raise Unreadable("too much lies within one another", 0) from None


class _Reader:
    """Turns what `ast` found into the tree, from the text that it was found in."""

    def __init__(self, text: str, column: int) -> None:
        self.text = text
        self.column = column
        self.source = text.encode()
        self.nodes = 0

    def expression(self, node: ast.expr) -> Expression:  # noqa: C901, PLR0911  # one case for each kind of node
        """The tree of one node and all below."""
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise too_many(self.offset(node))
        match node:
            case ast.Constant():
                return self.constant(node)
            case ast.Name() if self.raw(node) in _CONSTANTS:
                return Constant(_CONSTANTS[self.raw(node)])
            case ast.Name() | ast.Attribute() | ast.Subscript() | ast.List(elts=[ast.Constant(value=str())]):
                return self.reference(node)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Not()):
                symbol = {ast.USub: "-", ast.UAdd: "+", ast.Not: "not"}[type(node.op)]
                return Operation(symbol, (self.expression(node.operand),), self.at(node))
            case ast.BinOp() if type(node.op) in _BINARY:
                operands = (self.expression(node.left), self.expression(node.right))
                return Operation(_BINARY[type(node.op)], operands, self.at(node))
            case ast.Compare():
                return self.comparison(node)
            case ast.BoolOp():
                symbol = "and" if isinstance(node.op, ast.And) else "or"
                return Logic(symbol, tuple(map(self.expression, node.values)), self.at(node))
            case ast.IfExp():
                parts = (self.expression(node.test), self.expression(node.body), self.expression(node.orelse))
                return Choice(*parts, self.at(node))
            case ast.Call():
                return self.call(node)
        raise self.refused(node)

    def constant(self, node: ast.Constant) -> Constant:
        """A number or a text; Python's own words are spelt otherwise here."""
        word = _PYTHON_WORDS.get(self.raw(node))
        if word is not None:
            raise Unreadable(f"{self.raw(node)} is Python's word", self.offset(node), suggestion=word)
        value = node.value
        if isinstance(value, str) and not re.fullmatch(QUOTED, self.raw(node), re.VERBOSE):
            raise Unreadable(_ONE_TEXT, self.offset(node))
        if isinstance(value, int) and value.bit_length() > MOST_BITS:
            raise Unreadable(f"an integer of more than {MOST_BITS} bits", self.offset(node))
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            raise Unreadable("a number that is larger than a float can be", self.offset(node))
        if not isinstance(value, int | float | str):
            raise self.refused(node)
        return Constant(value)

    def reference(self, node: ast.expr) -> Reference:
        """A path: names, positions and quoted keys, all of them written out."""
        steps: list[str | int] = []
        inner = node
        while True:
            match inner:
                case ast.Name():
                    steps.append(self.raw(inner))
                    break
                case ast.List(elts=[ast.Constant(value=str(key))]):
                    steps.append(key)
                    break
                case ast.Attribute():
                    # From the text: `ast` spells identifiers in a normal form of Unicode, and keys are as written.
                    steps.append(self.raw(inner).rpartition(".")[2].strip())
                    inner = inner.value
                case ast.Subscript():
                    steps.append(self.step(inner.slice))
                    inner = inner.value
                case _:
                    raise Unreadable("this has no keys: a path begins with a key", self.offset(inner))
        if steps[-1] in _PYTHON_WORDS or steps[-1] in _CONSTANTS:
            raise Unreadable(f"{steps[-1]} has no keys", self.offset(node))
        return reference_to(tuple(reversed(steps)), self.at(node))

    def step(self, node: ast.expr) -> str | int:
        """What stands between square brackets."""
        match node:
            case ast.Constant(value=str(key)):
                return key
            case _ if _POSITION.match(self.raw(node)):
                return int(self.raw(node))
            case ast.Constant(value=int()) | ast.UnaryOp(operand=ast.Constant(value=int())):
                fix = "count from the start, [0] is the first, or from the end, [-1] is the last"
                raise Unreadable(f"{shorten(self.raw(node))} is no position", self.offset(node), fix=fix)
        raise Unreadable("a position or a quoted key is expected, written out", self.offset(node))

    def comparison(self, node: ast.Compare) -> Comparison:
        """A chain of comparisons."""
        for operator in node.ops:
            if type(operator) not in _COMPARED:
                what, fix = _REFUSED[type(operator)]
                raise Unreadable(what, self.offset(node), fix=fix)
        symbols = tuple(_COMPARED[type(operator)] for operator in node.ops)
        return Comparison(symbols, tuple(map(self.expression, (node.left, *node.comparators))), self.at(node))

    def call(self, node: ast.Call) -> Call | Variable:
        """A call of one of the functions there are."""
        name = self.raw(node.func)
        if not isinstance(node.func, ast.Name) or name not in (*FUNCTIONS, "env"):
            fix = f"the functions are {listed([*FUNCTIONS, 'env'])}"
            near = nearest(name, [*FUNCTIONS, "env"]) if isinstance(node.func, ast.Name) else None
            raise Unreadable(f"there is no function {shorten(name)}", self.offset(node), suggestion=near, fix=fix)
        if node.keywords:
            raise Unreadable(f"{name}() takes no named values", self.offset(node))
        if name == "env":
            return self.variable(node)
        return Call(name, tuple(map(self.expression, node.args)), self.at(node))

    def variable(self, node: ast.Call) -> Variable:
        """A variable, whose name is written out so that one sees what is read."""
        match node.args:
            case [ast.Constant(value=str(name)), *rest] if len(rest) <= 1 and name and not set("=\0") & set(name):
                return Variable(name, self.expression(rest[0]) if rest else None, self.at(node))
        what = 'env() takes the name of a variable, in quotes, and a default: env("HOME", "/tmp")'
        raise Unreadable(what, self.offset(node))

    def refused(self, node: ast.AST) -> Unreadable:
        """What is Python, but no expression here."""
        what, fix = _REFUSED.get(type(node), ("this is not understood here", ""))
        return Unreadable(what, self.offset(node), fix=fix)

    def raw(self, node: ast.expr) -> str:
        """A node as it was written."""
        return self.source[node.col_offset : node.end_col_offset].decode()

    def offset(self, node: ast.AST) -> int:
        """Where a node begins, in characters; `ast` counts bytes."""
        return len(self.source[: getattr(node, "col_offset", 0)].decode())

    def at(self, node: ast.expr) -> int:
        """Where a node begins in its text."""
        return self.column + self.offset(node)
