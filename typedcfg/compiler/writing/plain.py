"""Values as ordinary data: dicts, lists, numbers and texts."""

from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

from pydantic_core import PydanticSerializationError, to_jsonable_python

from typedcfg.errors import Problem, UnsupportedValue
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import catalog_of
from typedcfg.text import an

_ATOMS: Final = frozenset({int, float, bool, str, type(None)})


def plain(section: ConfigTemplate) -> dict[str, Any]:
    """A section as ordinary dicts, lists, numbers and texts; secrets are left out."""
    values: dict[str, Any] = {}
    for name, entry in catalog_of(type(section)).entries.items():
        if not entry.is_secret:
            values[name] = _of_field(getattr(section, name), section, name)
    return values


def _of_field(value: Any, section: ConfigTemplate, name: str) -> Any:
    try:
        return _plain(value)
    except _NeedsItsField:
        # Dates, and types that bring a serializer: as pydantic writes the field for JSON.
        try:
            dumped = section.model_dump(mode="json", include={name}, warnings=False)[name]
        except (PydanticSerializationError, UnicodeDecodeError):
            what = f"{type(section).__qualname__}.{name} holds {an(type(value).__qualname__)} that no file can hold"
            fix = "give the field a type that is text in a file, with a serializer and a validator of its own"
            raise UnsupportedValue(Problem(what, fix=fix)) from None
        return _in_order(dumped) if isinstance(value, (set, frozenset)) else dumped


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """A nested mapping as ordinary data; what JSON has no word for as pydantic writes it.

    Raises:
        UnsupportedValue: It writes nothing for a value.
    """
    found: dict[str, Any] = _without_field(values, ())
    return found


def _without_field(value: Any, path: KeyPath) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_field(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_field(item, (*path, position)) for position, item in enumerate(value)]
    try:
        return to_jsonable_python(value, inf_nan_mode="constants")
    except (PydanticSerializationError, UnicodeDecodeError):
        what = f"{render_key_path(path)} holds {an(type(value).__qualname__)} that no file can hold"
        raise UnsupportedValue(Problem(what, fix="hold a text that stands for it")) from None


class _NeedsItsField(Exception):  # no error: another way is taken
    """A value that only its field knows how to write."""


def _plain(value: Any) -> Any:  # noqa: PLR0911  # a return for each type
    if isinstance(value, Enum):
        value = value.value
    if type(value) in _ATOMS:
        return value
    match value:
        case ConfigTemplate():
            return plain(value)
        case set() | frozenset():
            return _in_order(map(_plain, value))
        case list() | tuple():
            return [_plain(item) for item in value]
        case Mapping():
            return {str(_plain(key)): _plain(item) for key, item in value.items()}
        case PurePath():
            return value.as_posix()
        case complex():
            # Not str(), which may lose the sign of a zero.
            return f"{value.real!r}{value.imag:+}j"
    raise _NeedsItsField


def _in_order(items: Iterable[Any]) -> list[Any]:
    """The items of a set, which has no order of its own: equal values make equal texts."""
    return sorted(items, key=lambda i: (type(i).__name__, i if isinstance(i, (int, float, str)) else repr(i)))
