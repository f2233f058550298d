"""`typedcfg help APP [KEY] [FILES] [key=value ...]`: what may be configured, and what it is where files say so."""

import os
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

from typedcfg.cli.context import Context
from typedcfg.cli.ink import ink_of_output
from typedcfg.cli.known import known_of
from typedcfg.key_path import KeyPathError, parse_key_path
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.help import render_help

Format: TypeAlias = Literal["text", "json", "markdown"]

_READ: Final = frozenset({".yaml", ".yml", ".json", ".toml"})
"""What files of settings end with."""


def run(context: Context) -> int:
    """Print the help of a template, or of what lies below one key."""
    app = context.app()
    key = context.word("KEY") if is_key(context.peek(), app.template) else ""
    form = cast("Format", context.choice("--format"))
    config = context.compile(app.template) if context.has_sources() else None
    known = known_of(context.prefix(app.template), config)
    print(render_help(app.template, format=form, key=key, known=known, ink=ink_of_output()))
    return 0


def is_key(word: str, template: type[ConfigTemplate]) -> bool:
    """Whether a word is meant as a key, rather than as a file or a setting."""
    if not word or word.startswith(("-", "~", ".", "/")):
        return False
    if os.path.exists(word):  # noqa: PTH110  # any text has an answer; Path.exists raises where one is too long
        return False
    try:
        path = parse_key_path(word.replace("[i]", "[0]"))
    except KeyPathError:
        # A key with a slip in it is told of as such; `key=value` is none.
        return "=" not in word and "/" not in word
    return Path(word).suffix not in _READ or path[0] in template.__pydantic_fields__
