"""Values as ordinary data: dicts, lists, numbers and texts."""

from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

from pydantic_core import PydanticSerializationError

from typedcfg.errors import Problem, UnsupportedValue
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import catalog_of

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
            return section.model_dump(mode="json", include={name}, warnings=False)[name]
        except (PydanticSerializationError, UnicodeDecodeError):
            what = f"{type(section).__qualname__}.{name} holds a {type(value).__qualname__} that no file can hold"
            fix = "give the field a type that is text in a file, with a serializer and a validator of its own"
            raise UnsupportedValue(Problem(what, fix=fix)) from None


class _NeedsItsField(Exception):  # no error: another way is taken
    """A value that only its field knows how to write."""


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        value = value.value
    if type(value) in _ATOMS:
        return value
    match value:
        case ConfigTemplate():
            return plain(value)
        case set() | frozenset():
            # A set has no order of its own: give it one, so that equal values make equal texts.
            return sorted(map(_plain, value), key=lambda item: (type(item).__name__, item))
        case list() | tuple():
            return [_plain(item) for item in value]
        case Mapping():
            return {str(_plain(key)): _plain(item) for key, item in value.items()}
        case PurePath():
            return value.as_posix()
    raise _NeedsItsField
