"""Saving: a configuration as a file that gives it back, or no file at all.

Not every value can be said in every format, and whether a text is read as the value that was meant depends on the
type of its field. So nothing is assumed: what is about to be saved is compiled and compared first.
"""

import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from os import PathLike
from pathlib import Path
from stat import S_IMODE
from tempfile import TemporaryDirectory
from typing import Any, Final

from typedcfg.compiler.config import Config
from typedcfg.compiler.loaded import load_untyped, version_of
from typedcfg.compiler.shown import quoted
from typedcfg.compiler.untyped import UntypedConfig, values_of
from typedcfg.compiler.writing.document import to_json, to_toml, toml_of, writable
from typedcfg.compiler.writing.plain import plain_values
from typedcfg.compiler.writing.secrets import as_overrides, secrets_in
from typedcfg.errors import ConfigError, DeprecatedName, Problem, UnsupportedValue
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.sources.escapes import Instruction
from typedcfg.sources.instructions import VERSION
from typedcfg.storage import staged
from typedcfg.template.leaves import iter_leaves
from typedcfg.template.migrations import schema_version
from typedcfg.text import one_of, shorten

_EXACT: Final = (float, complex, Decimal)
_EMPTY: Final = re.compile(r"^\{\}\n", re.MULTILINE)
_NOTHING: Final = object()
_FIX_UNTYPED: Final = "hold a value that files have a word for, or declare a template: its fields say what a text means"
_FIX: Final = "give the field the type of its value instead of Any, or hold a value of another type"


def _yaml(config: Config[Any]) -> str:
    # A mapping without values stands as {} below the comments on its secrets; with a version it is not empty.
    values = re.sub(_EMPTY, "", config.to_yaml())
    return f"$version: {_version(config)}\n{values}"


def json_text(config: Config[Any]) -> str:
    """A configuration as JSON that gives it back; always the same text for the same values, and no secret in it."""
    first, rest = f'{{\n  "$version": {_version(config)}', to_json(config.params).removeprefix("{")
    return f"{first}\n{rest}" if rest.startswith("}") else f"{first},{rest}"


def _toml(config: Config[Any]) -> str:
    return f'"$version" = {_version(config)}\n{to_toml(config.params)}'


def _version(config: Config[Any]) -> int:
    return schema_version(type(config.params))


_TEXTS: Final[dict[str, Callable[[Config[Any]], str]]] = {
    ".yaml": _yaml,
    ".yml": _yaml,
    ".json": json_text,
    ".toml": _toml,
}
"""What a file of each format holds: the values, and the version of the schema that reads them as they are."""


def _untyped_yaml(tree: Mapping[str, Any]) -> str:
    from typedcfg.sources.yaml_writer import write_yaml

    return write_yaml(tree)


def _untyped_json(tree: Mapping[str, Any]) -> str:
    from typedcfg.sources.json_writer import write_json

    return write_json(tree)


_UNTYPED_TEXTS: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    ".yaml": _untyped_yaml,
    ".yml": _untyped_yaml,
    ".json": _untyped_json,
    ".toml": toml_of,
}
"""What a file of each format holds, where there is no template: the values, as nothing but a file says them."""


def save(config: Config[Any], path: str | PathLike[str]) -> None:
    """What `Config.save` does.

    Raises:
        ConfigError: The suffix names no format, or no file can have the name.
        UnsupportedValue: A value would not come back; each one is named, and nothing is written.
        RecordError: The file cannot be written. What was there still is.
    """
    suffix = _format_of(path)
    text = _TEXTS[suffix](config)
    if problems := losses(config, text, suffix):
        raise UnsupportedValue(*problems)
    _replace(path, text)


def save_untyped(config: UntypedConfig, path: str | PathLike[str]) -> None:
    """The same, of a configuration without a template.

    Raises:
        ConfigError: The suffix names no format, or no file can have the name.
        UnsupportedValue: A value would not come back; each one is named, and nothing is written.
        RecordError: The file cannot be written. What was there still is.
    """
    suffix = _format_of(path)
    values, version = values_of(config), version_of(config)
    tree = writable(plain_values(values))
    text = _UNTYPED_TEXTS[suffix](tree if version is None else {Instruction(VERSION): version, **tree})
    with _written(text, suffix) as file:
        back = values_of(load_untyped(file))
    if problems := tuple(_told_apart((), values, back, _FIX_UNTYPED)):
        raise UnsupportedValue(*problems)
    _replace(path, text)


def _format_of(path: str | PathLike[str]) -> str:
    name, suffix = shorten(repr(os.fspath(path))), Path(path).suffix.lower()
    if "\0" in os.fspath(path):
        what, expected = f"{name} is the name of no file: it holds a NUL character", "a name without it"
    elif suffix not in _TEXTS:
        what, expected = f"{name} has no format: the suffix is {suffix!r}", one_of(_TEXTS)
    else:
        return suffix
    raise ConfigError(Problem(what, expected=expected))


def _replace(path: str | PathLike[str], text: str) -> None:
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
    with _written(text, suffix) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecatedName)  # whoever compiled the configuration was told
        try:
            # Secrets are not in the document, and a field may require one.
            read = type(config.params).compile(file, overrides=as_overrides(secrets_in(config.params)))
        except ConfigError as error:
            return tuple(Problem(f"{p.what}, once it is saved", expected=p.expected, fix=_FIX) for p in error.problems)
    return tuple(_lost(config, read))


@contextmanager
def _written(text: str, suffix: str) -> Iterator[Path]:
    """A text in a file that is gone afterwards."""
    with TemporaryDirectory() as folder:
        file = Path(folder, f"saved{suffix}")
        file.write_bytes(text.encode())
        yield file


def _lost(config: Config[Any], read: Config[Any]) -> Iterator[Problem]:
    back = {leaf.path: leaf.value for leaf in iter_leaves(read.params)}
    for leaf in iter_leaves(config.params):
        value = back.pop(leaf.path, _NOTHING)
        if not leaf.entry.is_secret:
            yield from _told_apart(leaf.path, leaf.value, value, _FIX)
    for path in back:
        yield Problem(f"{render_key_path(path)} is not there, and would be once it is saved", fix=_FIX)


def _told_apart(path: KeyPath, now: Any, back: Any, fix: str) -> Iterator[Problem]:
    """What can be told apart of two values: they are of one type all the way down, and NaN is the same as NaN."""
    is_alike = type(now) is type(back)
    if is_alike and isinstance(now, Mapping) and list(map(_typed, now)) == list(map(_typed, back)):
        for key, value in now.items():
            yield from _told_apart((*path, str(key)), value, back[key], fix)
    elif is_alike and isinstance(now, (list, tuple)) and len(now) == len(back):
        for position, (value, other) in enumerate(zip(now, back, strict=True)):
            yield from _told_apart((*path, position), value, other, fix)
    elif not (is_alike and _is_same(now, back)):
        other = "nothing" if back is _NOTHING else _named(back)
        yield Problem(f"{render_key_path(path)} = {_named(now)} would come back as {other}", fix=fix)


def _is_same(now: Any, back: Any) -> bool:
    if isinstance(now, (set, frozenset)):
        return set(map(_typed, now)) == set(map(_typed, back))
    if isinstance(now, _EXACT):
        # By their text, which has a sign before zero, says NaN of NaN, and keeps the digits of a Decimal.
        return repr(now) == repr(back)
    return bool(now == back)


def _typed(value: object) -> tuple[type, str]:
    return type(value), repr(value)


def _named(value: object) -> str:
    """A value with its type, as users know that: what a configuration froze is a list to them."""
    kind = next(kind for kind in type(value).__mro__ if kind.__module__ != "typedcfg.template.frozen")
    return f"{quoted(value)} ({kind.__qualname__})"
