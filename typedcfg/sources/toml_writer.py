"""A plain tree as TOML that `read_toml` reads as the same values, its keys in the same order.

A mapping becomes a table, `[optimizer]`, where only tables follow it; before a value, which a table would swallow,
its keys are dotted: `optimizer.lr = 0.1`. Mappings within lists are inline.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Final

from typedcfg.sources.escapes import written

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+\Z")
# TOML has it escaped, which JSON has not.
_DELETE: Final = "\x7f"


def write_toml(tree: Mapping[str, object], *, header: str = "") -> str:
    """The tree; text and keys with a `$` that would mean something are escaped as in YAML.

    Args:
        tree: Mappings, lists, tuples, text, numbers and truth values: TOML has no null.
        header: What to say above the whole.

    Raises:
        TypeError: A value has no TOML, as None has not.

    Example:
        >>> print(write_toml({"sizes": {"a": 1}, "lr": 0.1, "optimizer": {"betas": (0.9, 0.99), "on": "${x}"}}), end="")
        sizes.a = 1
        lr = 0.1
        <BLANKLINE>
        [optimizer]
        betas = [0.9, 0.99]
        on = "$${x}"
    """
    document = written(tree)
    assert isinstance(document, dict), "a mapping is written as one"
    lines = [f"# {line}" for line in header.splitlines()]
    return "".join(f"{line}\n" for line in [*lines, *_table(document, "")])


def _table(table: Mapping[str, object], name: str) -> Iterator[str]:
    """The lines of a table, those of the tables within it last."""
    entries = list(table.items())
    values = next((n for n in range(len(entries), 0, -1) if not _is_table(entries[n - 1][1])), 0)
    for key, value in entries[:values]:
        yield from _value(_key(key), value)
    for key, value in entries[values:]:
        assert isinstance(value, Mapping), "what follows the last value is a table"
        inner = f"{name}.{_key(key)}" if name else _key(key)
        lines = list(_table(value, inner))
        # A table that holds nothing but others is there without a line of its own.
        if not lines or lines[0]:
            yield from ("", f"[{inner}]")
        yield from lines


def _value(key: str, value: object) -> Iterator[str]:
    if _is_table(value) and isinstance(value, Mapping):
        for inner, item in value.items():
            yield from _value(f"{key}.{_key(inner)}", item)
    else:
        yield f"{key} = {_inline(value)}"


def _is_table(value: object) -> bool:
    """Whether a value can be a table of its own; an empty mapping says more as `{}`."""
    return isinstance(value, Mapping) and bool(value)


def _inline(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_key(key)} = {_inline(item)}' for key, item in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, str):
        return _text(value)
    raise TypeError(f"{type(value).__qualname__} has no TOML: {value!r}")


def _key(key: str) -> str:
    return key if _BARE_KEY.match(key) else _text(key)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace(_DELETE, "\\u007f")
