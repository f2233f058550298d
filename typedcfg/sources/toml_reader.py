r"""TOML as a tree of settings.

The standard library's parser tells no positions, so an origin is the file alone. Dates and times become the ISO text
that YAML and JSON would have said, so that one field reads the same from every format.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, Final

from typedcfg.errors import ConfigError, Problem
from typedcfg.origin import Origin
from typedcfg.sources.base import INSTRUCTION_MARK, Branch, Items, branch_from
from typedcfg.template.numeral import TooLarge, number

# The parser has attributes for these only from Python 3.14 on.
_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")


def read_toml(text: str, source: str) -> Branch:
    r"""The tree that a TOML document says; `$` keys, quoted as TOML wants them, stand in it as they were written.

    Raises:
        ConfigError: The text is no TOML; the parser stops at the first error.

    Example:
        >>> tree = read_toml("[loader]\nbatch_size = 16\nsince = 2026-01-31", "base.toml")
        >>> tree, str(tree["loader"].origins["batch_size"])
        ({'loader': {'batch_size': 16, 'since': '2026-01-31'}}, 'base.toml')
    """
    try:
        values = tomllib.loads(text, parse_float=number)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_invalid(str(error), text, source)) from None
    except RecursionError:
        raise ConfigError(Problem("nested too deeply", where=source, fix="flatten it")) from None
    except TooLarge as error:
        raise ConfigError(Problem(f"invalid TOML: {error}", where=source)) from None
    except ValueError:  # an integer beyond what Python converts
        raise ConfigError(
            Problem(f"invalid TOML: an integer of more than {sys.get_int_max_str_digits()} digits", where=source)
        ) from None
    tree = branch_from(values, Origin(source))
    for container, key, value in list(_dates(tree)):
        container[key] = value.isoformat()
    return tree


def _dates(tree: Branch) -> Iterator[tuple[Any, str | int, date | datetime | time]]:
    todo: list[Branch | Items] = [tree]
    while todo:
        container = todo.pop()
        for key, value in container.items() if isinstance(container, Branch) else enumerate(container):
            if isinstance(value, (Branch, Items)):
                todo.append(value)
            elif isinstance(value, (date, time)):
                yield container, key, value


def _invalid(message: str, text: str, source: str) -> Problem:
    place = _PLACE.search(message)
    lines = text.splitlines() or [""]
    # "at end of document" carries no numbers: count them.
    line, column = (int(place[1]), int(place[2])) if place and place[1] else (len(lines), len(lines[-1]) + 1)
    begun = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    key = begun.partition("=")[0].strip() if begun.startswith(INSTRUCTION_MARK) else ""
    return Problem(
        f"invalid TOML: {_PLACE.sub('', message).lower()}",
        where=str(Origin(source, line, column)),
        fix=f"put the key in quotes: {json.dumps(key)} = ..." if key else "",
    )
