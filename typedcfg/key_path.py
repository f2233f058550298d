"""Key paths: how one value in the tree is named, `layers[2].width` or `groups["backbone.0"].lr`."""

import json
import re
from typing import Final, TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the root down; `()` is the whole configuration."""

# ASCII only: what counts as a Unicode identifier changes with the Unicode version, and these texts are hashed.
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_STEP: Final = re.compile(
    r"""
    \[ (?P<index> 0 | -?[1-9][0-9]{0,17} ) \]        # layers[2]; no list has a position of more digits
    | \[ (?P<quoted> "(?:[^"\\]|\\.)*" ) \]          # groups["backbone.0"]
    | \[ '(?P<single> [^'\\]* )' \]                  # groups['backbone.0'], kinder to a shell
    | (?P<plain> [^.\[\]=\s"'{}~+$]+ )               # optimizer, my-key
    """,
    re.VERBOSE,
)


_SHOWN: Final = 200
"""Characters of what is no key path."""


class KeyPathError(ValueError):
    """A text is no key path; `column` is where it stops being one, counted from 0."""

    def __init__(self, text: str, column: int) -> None:
        """Say which text, and point into it."""
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        super().__init__(f"{shown!r} is not a key path: unexpected text at column {column + 1}")
        self.text = text
        self.column = column


def parse_key_path(text: str) -> KeyPath:
    """The key path written in a text.

    Raises:
        KeyPathError: The text is empty, or a step of it is neither a key, `[2]` nor `["key"]`.

    Example:
        >>> parse_key_path('groups["backbone.0"].lr')
        ('groups', 'backbone.0', 'lr')
        >>> parse_key_path("layers[2].width")
        ('layers', 2, 'width')
    """
    steps: list[str | int] = []
    position = 0
    while position < len(text) or not steps:
        match = _STEP.match(text, position)
        is_plain = match is not None and match["plain"] is not None
        # A plain key opens the path or follows a dot; a bracket follows a step directly.
        if match is None or (is_plain and steps and text[position - 1] != "."):
            raise KeyPathError(text, position)
        steps.append(_step(match))
        position = match.end()
        if text[position : position + 1] == ".":
            position += 1
            if _STEP.match(text, position) is None or text[position] == "[":
                raise KeyPathError(text, position)
    return tuple(steps)


def _step(match: re.Match[str]) -> str | int:
    if match["index"] is not None:
        return int(match["index"])
    if match["quoted"] is not None:
        try:
            return str(json.loads(match["quoted"]))
        except ValueError:
            raise KeyPathError(match.string, match.start()) from None
    return match["plain"] if match["plain"] is not None else match["single"]


def render_key_path(path: KeyPath) -> str:
    """The text of a key path; `parse_key_path` reads it back.

    Keys that are no ASCII identifiers are quoted as JSON strings. The canonical text of a configuration is
    built from these, so a change here changes every fingerprint.

    Example:
        >>> render_key_path(("groups", "backbone.0", "lr"))
        'groups["backbone.0"].lr'
        >>> render_key_path(("layers", 2, "width"))
        'layers[2].width'
    """
    return "".join(map(render_step, path)).removeprefix(".")


def render_step(step: str | int) -> str:
    """The text of one step behind others: `.lr`, `[2]`, `["backbone.0"]`."""
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN_KEY.match(step) else f"[{json.dumps(step, ensure_ascii=False)}]"
