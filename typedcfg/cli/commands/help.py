"""`typedcfg help APP [KEY] [FILES] [key=value ...]`: what may be configured, and what it is where files say so."""

import os
import sys
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

from typedcfg.cli.context import Context, UsageError
from typedcfg.cli.ink import ink_of_output
from typedcfg.cli.known import known_of
from typedcfg.compiler.config import Config
from typedcfg.errors import ConfigError
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
    config = _config(context, app.template) if context.has_sources() else None
    told = config if isinstance(config, Config) else None
    known = known_of(context.prefix(app.template), told)
    print(render_help(app.template, format=form, key=key, known=known, ink=ink_of_output()))
    if not isinstance(config, ConfigError):
        return 0
    sys.stdout.flush()
    print(f"note: no values are shown, for the configuration does not compile\n{config}", file=sys.stderr)
    return config.exit_code


def _config(context: Context, template: type[ConfigTemplate]) -> Config[ConfigTemplate] | ConfigError:
    """The configuration that help is to tell of, or why there is none: that is when one asks for help."""
    try:
        return context.compile(template)
    except UsageError:
        raise
    except ConfigError as error:
        return error


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
