"""A plain tree as YAML that every reader reads the same, of YAML 1.2 and of 1.1.

Text that some reader could take for something else is quoted, so `on`, `1e-3`, `12:30` and `2020-01-01` stay text
everywhere; floats always bear a point, because YAML 1.1 reads `1e-05` as text.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final

from typedcfg.key_path import KeyPath
from typedcfg.sources.escapes import Instruction, written_key, written_text

_PLAIN_TEXT: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+@-]*(?: [A-Za-z0-9_./+@]+)*\Z")
_WORDS: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
# What JSON lets stand in a quoted text and YAML does not, or breaks lines at.
_ESCAPED: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_NOT_IN_A_COMMENT: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")

_FLOW_WIDTH: Final = 80
_ALIGNED_WIDTH: Final = 48
# A reader need not look further than 1024 characters for the colon after a key.
_LONGEST_KEY: Final = 1000

_Line = tuple[str, str]
"""The text of a line, and its comment or nothing."""


def write_yaml(tree: Mapping[str, object], *, comments: Mapping[KeyPath, str] | None = None) -> str:
    """The tree in block style; `FileSource` reads it back as the same values.

    Text with `${` in it is written `$${`, and a key that begins with `$` as `$$`: both come back as they were.

    Args:
        tree: Mappings, lists, tuples, text, numbers, truth values and None.
        comments: What to say after the value at a key path; at `()`, above the whole.

    Raises:
        TypeError: A value has no YAML that is not a tag.
        ValueError: A text holds half of a surrogate pair.

    Example:
        >>> print(
        ...     write_yaml(
        ...         {"optimizer": {"lr": 0.02, "betas": (0.9, 0.999)}, "on": "1e-3"},
        ...         comments={("optimizer", "lr"): "derived"},
        ...     ),
        ...     end="",
        ... )
        optimizer:
          lr: 0.02  # derived
          betas: [0.9, 0.999]
        "on": "1e-3"
    """
    writer = _Writer(comments or {})
    header = [(f"# {_printable(line)}".rstrip(), "") for line in writer.comments.get((), "").splitlines()]
    body = list(writer.block(tree, ())) if tree else [("{}", "")]
    return "".join(f"{line}\n" for line in _with_comments([*header, *body]))


class _Writer:
    def __init__(self, comments: Mapping[KeyPath, str]) -> None:
        self.comments = comments
        self._commented_below = {path[:length] for path in comments for length in range(len(path))}

    def block(self, container: object, path: KeyPath) -> Iterator[_Line]:
        """The lines of a mapping or a list that is not empty, unindented."""
        if isinstance(container, Mapping):
            for key, value in container.items():
                yield from self._entry(_key(key), value, (*path, key))
            return
        assert isinstance(container, (list, tuple))
        for position, item in enumerate(container):
            yield from self._item(item, (*path, position))

    def _entry(self, key: str, value: object, path: KeyPath) -> Iterator[_Line]:
        if len(key) > _LONGEST_KEY:
            yield f"? {key}", ""
            key = ""
        comment = self.comments.get(path, "")
        inline = self._inline(value, path)
        if inline is not None:
            yield f"{key}: {inline}", comment
            return
        yield f"{key}:", comment
        yield from ((f"  {text}", comment) for text, comment in self.block(value, path))

    def _item(self, item: object, path: KeyPath) -> Iterator[_Line]:
        comment = self.comments.get(path, "")
        inline = self._inline(item, path)
        if inline is not None:
            yield f"- {inline}", comment
            return
        if comment:
            yield f"# {_one_line(comment)}", ""
        for number, (text, inner) in enumerate(self.block(item, path)):
            yield f"{'  ' if number else '- '}{text}", inner

    def _inline(self, value: object, path: KeyPath) -> str | None:
        """A value on one line: a scalar, an empty container, a short list of scalars."""
        if isinstance(value, Mapping):
            return None if value else "{}"
        if not isinstance(value, (list, tuple)):
            return _scalar(value)
        if path in self._commented_below or any(isinstance(item, (Mapping, list, tuple)) for item in value):
            return None
        text = f"[{', '.join(map(_scalar, value))}]"
        return text if len(text) <= _FLOW_WIDTH else None


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key is text, not {key!r}")
    return str(key) if isinstance(key, Instruction) else _text(written_key(key))


def _scalar(value: object) -> str:
    # By the base type's own methods: an enumeration or a NumPy scalar prints itself otherwise.
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(written_text(value))
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _float(value)
    raise TypeError(f"{type(value).__qualname__} has no YAML: {value!r}")


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    digits, exponent, power = float.__repr__(value).partition("e")
    return f"{digits}{'' if '.' in digits else '.0'}{exponent}{power}"


def _text(text: str) -> str:
    if _PLAIN_TEXT.match(text) and text.lower() not in _WORDS:
        return text
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"half of a surrogate pair at column {error.start + 1} has no YAML") from error
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))


def _one_line(comment: str) -> str:
    return _printable(" ".join(line.strip() for line in comment.splitlines()))


def _printable(comment: str) -> str:
    return _NOT_IN_A_COMMENT.sub("?", comment)


def _with_comments(lines: list[_Line]) -> Iterator[str]:
    """Comments after their values; those on neighbouring lines begin in one column."""
    for is_commented, group in groupby(lines, key=lambda line: bool(line[1])):
        if not is_commented:
            yield from (text for text, _ in group)
            continue
        together = list(group)
        width = max((len(text) for text, _ in together if len(text) <= _ALIGNED_WIDTH), default=0)
        yield from (f"{text:<{width}}  # {_one_line(comment)}" for text, comment in together)
