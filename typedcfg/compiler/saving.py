"""Saving: a configuration as a file that gives it back, or no file at all.

Not every value can be said in every format, and whether a text is read as the value that was meant depends on the
type of its field. So nothing is assumed: what is about to be saved is compiled and compared first.
"""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from os import PathLike
from pathlib import Path
from stat import S_IMODE
from tempfile import TemporaryDirectory
from typing import Any, Final

from typedcfg.compiler.config import Config
from typedcfg.compiler.document import to_json, to_toml
from typedcfg.compiler.secrets import as_overrides, secrets_in
from typedcfg.compiler.shown import quoted
from typedcfg.errors import ConfigError, DeprecatedName, Problem, UnsupportedValue
from typedcfg.key_path import render_key_path
from typedcfg.storage import staged
from typedcfg.template.leaves import Leaf, iter_leaves
from typedcfg.text import one_of, shorten

_TEXTS: Final[dict[str, Callable[[Config[Any]], str]]] = {
    ".yaml": lambda config: config.to_yaml(),
    ".yml": lambda config: config.to_yaml(),
    ".json": lambda config: to_json(config.params),
    ".toml": lambda config: to_toml(config.params),
}
_EXACT: Final = (float, complex, Decimal)
_FIX: Final = "give the field the type of its value instead of Any, or hold a value of another type"


def save(config: Config[Any], path: str | PathLike[str]) -> None:
    """What `Config.save` does.

    Raises:
        ConfigError: The suffix names no format.
        UnsupportedValue: A value would not come back; each one is named, and nothing is written.
        RecordError: The file cannot be written. What was there still is.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _TEXTS:
        what = f"{shorten(repr(os.fspath(path)))} has no format: the suffix is {suffix!r}"
        raise ConfigError(Problem(what, expected=one_of(_TEXTS)))
    text = _TEXTS[suffix](config)
    if problems := losses(config, text, suffix):
        raise UnsupportedValue(*problems)
    # What a link names is replaced, not the link.
    target = Path(os.path.realpath(path))
    with staged(target) as file:
        if target.exists():
            os.fchmod(file.fileno(), S_IMODE(target.stat().st_mode))
        file.write(text.encode())


def losses(config: Config[Any], text: str, suffix: str) -> tuple[Problem, ...]:
    """What a document does not give back of the configuration that it was made of; secrets are not looked for.

    Args:
        config: The configuration.
        text: The document.
        suffix: Its format: `.yaml`.
    """
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecatedName)  # whoever compiled the configuration was told
        file = Path(folder, f"saved{suffix}")
        file.write_bytes(text.encode())
        try:
            # Secrets are not in the document, and a field may require one.
            read = type(config.params).compile(file, overrides=as_overrides(secrets_in(config.params)))
        except ConfigError as error:
            return tuple(Problem(f"{p.what}, once it is saved", expected=p.expected, fix=_FIX) for p in error.problems)
    return tuple(_lost(config, read))


def _lost(config: Config[Any], read: Config[Any]) -> Iterator[Problem]:
    back = {leaf.path: leaf for leaf in iter_leaves(read.params)}
    for leaf in iter_leaves(config.params):
        found = back.pop(leaf.path, None)
        if not leaf.entry.is_secret and not (found and is_same(leaf.value, found.value)):
            yield Problem(f"{_named(leaf)} would come back as {_named(found) if found else 'nothing'}", fix=_FIX)
    for path in back:
        yield Problem(f"{render_key_path(path)} would be there once it is saved, and is not now", fix=_FIX)


def _named(leaf: Leaf) -> str:
    return f"{render_key_path(leaf.path)} = {quoted(leaf.value)} ({type(leaf.value).__qualname__})"


def is_same(one: Any, other: Any) -> bool:
    """Whether nothing can tell two values apart: of one type all the way down, NaN the same as NaN.

    Example:
        >>> is_same([1, float("nan")], [1, float("nan")]), is_same((1,), [1]), is_same(0.0, -0.0)
        (True, False, False)
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, Mapping):
        return list(map(_typed, one)) == list(map(_typed, other)) and all(map(is_same, one.values(), other.values()))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, (set, frozenset)):
        return set(map(_typed, one)) == set(map(_typed, other))
    if isinstance(one, _EXACT):
        # By their text, which has a sign before zero, says NaN of NaN, and keeps the digits of a Decimal.
        return repr(one) == repr(other)
    return bool(one == other)


def _typed(value: object) -> tuple[type, str]:
    return type(value), repr(value)
