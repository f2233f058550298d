"""The canonical text of a configuration: what its identity is made from.

The text is RFC 8785 JSON of a flat map from key path to leaf value. What JSON cannot tell apart carries a tag, an
object of one key that begins with `$`. A change to what is written here changes every fingerprint: raise `VERSION`,
and keep the golden vectors of the old one. Writing a type that was refused before changes none.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from math import copysign, isfinite, isnan
from pathlib import PurePath
from types import NoneType
from typing import Any, Final
from uuid import UUID

from typedcfg.errors import Problem, UnsupportedValue
from typedcfg.identity.jcs import LARGEST_INTEGER, check_depth, check_text, jcs, number_text, refusal
from typedcfg.key_path import KeyPath, parse_key_path, render_key_path

_ALIKE: Final = frozenset({str, int, bool, NoneType})
_MANY: Final = 500
"""Values from which on importing orjson is worth it."""

VERSION: Final = 1
"""The version of this algorithm; part of every fingerprint."""


def canonical_text(leaves: Iterable[tuple[KeyPath, object]]) -> str:
    """The one text of these leaves, whatever order they come in.

    Args:
        leaves: Key paths and validated values. A value may be a list, a tuple or a mapping: what it holds lies at
            key paths below. An empty one is a leaf itself, and so is a set. A tuple counts as a list, so that
            a field may be retyped from one to the other.

    Raises:
        UnsupportedValue: A value is of a type without a canonical text, or two values have one key path.

    Example:
        >>> canonical_text([(("optimizer", "lr"), 0.01), (("strides",), [2, 4]), (("clip",), 1.0)])
        '{"clip":{"$float":"1"},"optimizer.lr":0.01,"strides[0]":2,"strides[1]":4}'
    """
    flat: dict[str, object] = {}
    for path, value in leaves:
        _flatten(_escaped_path(path), value, flat)
    return jcs(flat)


def canonical_text_of(values: Mapping[str, object]) -> str:
    """The one text of leaves by the text of their key path: the same text, in less time where there are many.

    Raises:
        UnsupportedValue: As for `canonical_text`.
    """
    keys = "".join(values)
    if len(values) >= _MANY and keys.isascii() and "$" not in keys:
        # A text that UTF-8 cannot hold, or an integer beyond 2^53: the long way says which, or knows how.
        with suppress(TypeError):
            return _written_by_orjson(values)
    return canonical_text((parse_key_path(key), value) for key, value in values.items())


def _written_by_orjson(values: Mapping[str, object]) -> str:
    """The text as orjson writes it, where it and RFC 8785 agree; whatever they write differently is written here."""
    import orjson

    flat = dict(values)
    for key, value in [pair for pair in values.items() if not _is_alike(pair[1])]:
        if isinstance(value, float):
            flat[key] = orjson.Fragment(_written_float(value) if value else jcs(_float(value)))
            continue
        del flat[key]
        if isinstance(value, list) and value and all(map(_is_alike, value)):
            deeper: dict[str, object] = {f"{key}[{position}]": item for position, item in enumerate(value)}
        else:
            deeper = {}
            _flatten(parse_key_path(key), value, deeper)
            deeper = {inner: orjson.Fragment(jcs(json)) for inner, json in deeper.items()}
        known = len(flat)
        flat.update(deeper)
        if len(flat) < known + len(deeper):
            raise TypeError("two values have one key path")
    return orjson.dumps(flat, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER).decode()


@lru_cache(maxsize=4096)
def _written_float(value: float) -> str:
    """A float's canonical text; not for zeros, two of which are equal and differ in sign."""
    return jcs(_float(value))


def _is_alike(value: object) -> bool:
    """Whether orjson writes a value as RFC 8785 does: fractions only where neither has an exponent."""
    kind = value.__class__
    return kind in _ALIKE or (kind is float and 1e-4 <= value < 1e15 and value % 1 != 0)  # type: ignore[operator]


def _escaped_path(path: KeyPath) -> KeyPath:
    return tuple(step if isinstance(step, int) else _escaped(step) for step in path)


def _flatten(path: KeyPath, value: object, flat: dict[str, object]) -> None:
    value = _bare(value)
    if entries := _entries(value, path):
        check_depth(len(path), path)
        for step, entry in entries:
            _flatten((*path, step), entry, flat)
        return
    key = render_key_path(path)
    if key in flat:
        raise UnsupportedValue(Problem(f"two values have the key path {key!r}", expected="a key path for each"))
    flat[key] = _json(value, path, len(path))


def _bare(value: object) -> object:
    while isinstance(value, Enum):
        value = value.value
    return value


def _entries(value: object, path: KeyPath) -> list[tuple[str | int, object]]:
    """What a list, a tuple or a mapping holds, with the step to each; nothing for all else."""
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    return list(_object(value, path).items()) if isinstance(value, Mapping) else []


def _object(mapping: Mapping[object, object], path: KeyPath) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in mapping.items():
        text = _key_text(key, path)
        if text in found:
            raise UnsupportedValue(
                Problem(f"two keys are both written {text!r}", render_key_path(path), "keys that differ as text")
            )
        found[text] = value
    return found


def _key_text(key: object, path: KeyPath) -> str:
    """Text as it is, any other key as its canonical text: 2 is `2`, True is `true`."""
    json = _json(key, path, len(path))
    return _escaped(json) if isinstance(json, str) else jcs(json)


def _escaped(key: str) -> str:
    # Within a set a mapping stays an object, and `{"$float": "1"}` must not be both a tag and a user's mapping.
    # Key paths follow the same rule, which is that of files: a user's own `$` is written `$$`.
    return f"${key}" if key.startswith("$") else key


def _json(value: object, path: KeyPath, depth: int) -> object:
    """The JSON that stands for one value, which lies at `path` or in a set there."""
    value = _bare(value)
    if isinstance(value, list | tuple | Mapping | set | frozenset):
        check_depth(depth, path)
        return _container(value, path, depth + 1)
    json = _leaf(value, path)
    if isinstance(json, str):
        check_text(json, path)
    return json


def _container(
    value: list[object] | tuple[object, ...] | Mapping[object, object] | set[object] | frozenset[object],
    path: KeyPath,
    depth: int,
) -> object:
    if isinstance(value, Mapping):
        return {key: _json(item, path, depth) for key, item in _object(value, path).items()}
    items = [_json(item, path, depth) for item in value]
    # Sorted by their own text: the order a set is read in changes with PYTHONHASHSEED.
    return {"$set": sorted(items, key=jcs)} if isinstance(value, set | frozenset) else items


def _leaf(value: object, path: KeyPath) -> object:
    for kind, write in _LEAVES:
        if isinstance(value, kind):
            return write(value)
    kind = type(value)
    if (kind.__module__, kind.__name__) == ("torch", "dtype"):  # by its name, so that torch need not be imported
        return str(value).removeprefix("torch.")
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    raise refusal(
        f"a value of type {name}",
        path,
        expected="None, bool, int, float, complex, str, bytes, a path, an enum, a date or time, a Decimal, a UUID,\n"
        "a torch dtype, or a list, tuple, mapping or set of these",
        fix="give the field one of these types",
    )


def _integer(value: int) -> object:
    if abs(value) <= LARGEST_INTEGER:
        return value
    # Not str(value): Python writes no integer of more than 4300 digits, or fewer if the environment says so.
    return {"$int": f"{Decimal(value):f}"}


def _float(value: float) -> object:
    return value if isfinite(value) and not value.is_integer() else {"$float": _float_text(value)}


def _float_text(value: float) -> str:
    if isfinite(value):
        return number_text(value) if value or copysign(1.0, value) > 0 else "-0"
    return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _duration_text(value: timedelta) -> str:
    """ISO 8601 in seconds alone: days, hours and minutes would leave a choice."""
    seconds, microseconds = divmod(abs(value) // timedelta(microseconds=1), 1_000_000)
    fraction = f".{microseconds:06}".rstrip("0") if microseconds else ""
    return f"{'-' if value < timedelta() else ''}PT{seconds}{fraction}S"


def _as_it_is(value: object) -> object:
    return value


_LEAVES: Final[tuple[tuple[type, Callable[[Any], object]], ...]] = (
    (NoneType, _as_it_is),
    (bool, _as_it_is),  # before int, which it extends
    (str, _as_it_is),
    (int, _integer),
    (float, _float),
    (PurePath, lambda value: value.as_posix()),
    (bytes, lambda value: {"$bytes": b64encode(value).decode("ascii")}),
    (complex, lambda value: {"$complex": [_float_text(value.real), _float_text(value.imag)]}),
    (datetime, lambda value: {"$datetime": value.isoformat()}),  # before date, which it extends
    (date, lambda value: {"$date": value.isoformat()}),
    (time, lambda value: {"$time": value.isoformat()}),
    (timedelta, lambda value: {"$timedelta": _duration_text(value)}),
    (Decimal, lambda value: {"$decimal": str(value).replace("e", "E")}),  # a context may ask for a small e
    (UUID, lambda value: {"$uuid": str(value)}),
)
