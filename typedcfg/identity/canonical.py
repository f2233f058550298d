"""The canonical text of a configuration: what its identity is made from.

The text is RFC 8785 JSON of a flat map from key path to leaf value. What JSON cannot tell apart carries a tag, an
object of one key that begins with `$`. A change to what is written here changes every fingerprint: raise `VERSION`,
and keep the golden vectors of the old one. Writing a type that was refused before changes none.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from json import JSONDecoder
from math import copysign, isfinite, isnan
from pathlib import PurePath
from types import NoneType
from typing import Any, Final
from uuid import UUID

from typedcfg.errors import Problem, UnsupportedValue
from typedcfg.identity.jcs import LARGEST_INTEGER, check_depth, check_text, jcs, number_text, refusal, utf_16
from typedcfg.key_path import KeyPath, parse_key_path, render_key_path

_LISTS: Final = (list, tuple)
_OPENED: Final = (list, tuple, Mapping, Enum)
"""What may hold leaves that have keys of their own."""
_MOST_REMEMBERED: Final = 4096
_DECODER: Final = JSONDecoder()

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


class Members:
    """The same text, written section by section: in a small part of the time, for it is made for every run of a sweep.

    Example:
        >>> members = Members()
        >>> members.add("optimizer", [".lr", ".betas"], [0.01, (0.9, 0.999)])
        >>> members.text()
        '{"optimizer.betas[0]":0.9,"optimizer.betas[1]":0.999,"optimizer.lr":0.01}'
    """

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, above: str, endings: Sequence[str], values: Sequence[object]) -> None:
        """Take the leaves of one section.

        Args:
            above: The section's key path, as `render_key_path` writes it, and a user's own keys `escaped`.
            endings: What follows it in the key of each leaf: a step without quotes, or nothing.
            values: The value of each, as for `canonical_text`.

        Raises:
            UnsupportedValue: A value is of a type without a canonical text.
        """
        opening = jcs(above)[:-1] if '"' in above else f'"{above}'
        texts, take = _TEXTS, self._lines.append
        try:
            # Everything passes through here: what is done for a scalar is most of what a fingerprint costs.
            for ending, value in zip(endings, values, strict=True):
                kind = value.__class__
                if kind in texts:
                    take(f'{opening}{ending}":{texts[kind][value]}')
                elif isinstance(value, _LISTS) and _is_flat(value):
                    for place, item in enumerate(value):
                        take(f'{opening}{ending}[{place}]":{texts[item.__class__][item]}')
                elif isinstance(value, _OPENED) and value:
                    flat: dict[str, object] = {}
                    _flatten(parse_key_path(above + ending), value, flat)
                    self._lines += [f"{jcs(key)}:{jcs(json)}" for key, json in flat.items()]
                else:
                    take(f'{opening}{ending}":{jcs(_json(value, (), 0))}')
        except UnsupportedValue:
            # The long way knows where the value lies.
            canonical_text((parse_key_path(above + e), value) for e, value in zip(endings, values, strict=True))
            raise

    def refuse_repeated(self) -> None:
        """Make sure that no two leaves have one key.

        Raises:
            UnsupportedValue: Two have.
        """
        for key, following in pairwise(sorted(map(_key_in, self._lines))):
            if key == following:
                raise UnsupportedValue(Problem(f"two values are identified as {key}", expected="a name for each"))

    def text(self) -> str:
        """The text of all that was added, whatever the order."""
        self._lines.sort()
        text = ",".join(self._lines)
        if '[\\"' in text:
            # A key may be quoted. All others sort as their lines: the quote behind one is less than what a longer key
            # goes on with.
            text = ",".join(sorted(self._lines, key=lambda line: utf_16(_key_in(line))))
        return f"{{{text}}}"


def _key_in(line: str) -> str:
    key, _ = _DECODER.raw_decode(line)
    return str(key)


class _Texts(dict[Any, str]):
    """The JSON of scalars of one type, as far as it is remembered: the sections of a sweep repeat their values."""

    def __missing__(self, value: Any) -> str:
        text = jcs(_leaf(value, ()))
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        if value or value.__class__ is not float:  # 0.0 and -0.0 are one key and two texts
            self[value] = text
        return text


_TEXTS: Final = {kind: _Texts() for kind in (str, int, float, bool, NoneType)}


def _is_flat(value: list[object] | tuple[object, ...]) -> bool:
    """Whether a list has items, and all of them are plain scalars."""
    return bool(value) and _TEXTS.keys() >= set(map(type, value)) and not isinstance(value, Enum)


def _escaped_path(path: KeyPath) -> KeyPath:
    return tuple(step if isinstance(step, int) else escaped(step) for step in path)


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
    return escaped(json) if isinstance(json, str) else jcs(json)


def escaped(key: str) -> str:
    """A key that a user chose, as it stands in a key path: no tag, whatever it begins with."""
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
