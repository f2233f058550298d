"""Python text: a configuration as the code that builds it, with the imports it needs."""

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from pydantic_core import PydanticSerializationError

from typedcfg.errors import Problem, UnsupportedValue
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import catalog_of
from typedcfg.text import an

_INDENT: Final = "    "
_AS_THEY_ARE: Final = frozenset({int, bool, str, bytes, type(None)})
_FROM_TEXT: Final = frozenset({"Decimal", "Path", "PurePath", "UUID"})
_WIDTH: Final = 100


def to_python(section: ConfigTemplate) -> str:
    """Code that assigns an equal section to `params`, all values explicit and secrets left out."""
    writer = _Writer()
    expression = writer.section(section, "")
    lines = [*sorted(writer.imports), *([""] if writer.imports else []), *writer.notes]
    return "\n".join([*lines, f"params = {expression}", ""])


def mapping_to_python(values: Mapping[str, Any]) -> str:
    """Code that assigns an untyped configuration of equal values to `config`.

    Raises:
        UnsupportedValue: A value cannot be written as Python.
    """
    writer = _Writer()
    writer.imports.add("from typedcfg import Config")
    try:
        expression = writer.value(values, "")
    except _NeedsItsField:
        raise UnsupportedValue(Problem("a value cannot be written as Python")) from None
    return "\n".join([*sorted(writer.imports), "", f"config = Config.from_dict({expression})", ""])


class _Writer:
    def __init__(self) -> None:
        self.imports: set[str] = set()
        self.notes: list[str] = []
        self._names: dict[str, str] = {}
        """Which module each name comes from."""

    def section(self, section: ConfigTemplate, indent: str) -> str:
        """The call that makes a section, an argument to a line where they are many."""
        inner = indent + _INDENT
        arguments, comments = [], []
        for name, entry in catalog_of(type(section)).entries.items():
            if entry.is_kind:
                continue
            if entry.is_secret:
                comments.append(f"{inner}# {name} is a secret, and left out")
                continue
            value = getattr(section, name)
            try:
                arguments.append(f"{name}={self.value(value, inner)}")
            except _NeedsItsField:
                arguments.append(f"{name}={self.value(_by_field(section, name), inner)}")
        return self._call(self.name(type(section)), arguments, comments, indent)

    def _call(self, function: str, arguments: list[str], comments: list[str], indent: str) -> str:
        short = f"{function}({', '.join(arguments)})"
        if not comments and len(indent) + len(short) < _WIDTH and "\n" not in short:
            return short
        inner = indent + _INDENT
        lines = [*comments, *(f"{inner}{argument}," for argument in arguments)]
        return "\n".join([f"{function}(", *lines, f"{indent})"])

    def value(self, value: Any, indent: str) -> str:
        """The expression of one value."""
        kind = type(value)
        if kind in _AS_THEY_ARE:
            return repr(value)
        for kinds, write in _WAYS:
            if isinstance(value, kinds):
                return write(self, value, indent)
        if (kind.__module__, kind.__name__) == ("torch", "dtype"):  # by its name, so that torch need not be imported
            self.imports.add("import torch")
            return str(value)
        raise _NeedsItsField

    def write_flag(self, value: Flag, _: str) -> str:
        """Members of a flag, together."""
        return f"{self.name(type(value))}({value.value!r})"

    def write_member(self, value: Enum, _: str) -> str:
        """A member of an enumeration."""
        return f"{self.name(type(value))}.{value.name}"

    def write_tuple(self, value: Any, indent: str) -> str:
        """A tuple, or a named one."""
        if hasattr(value, "_fields"):
            return self._items(f"{self.name(type(value))}(", value, ")", indent)
        return self._items("(", value, ",)" if len(value) == 1 else ")", indent)

    def write_list(self, value: Any, indent: str) -> str:
        """A list."""
        return self._items("[", value, "]", indent)

    def write_mapping(self, value: Mapping[Any, Any], indent: str) -> str:
        """A mapping."""
        pairs = [f"{self.value(key, indent)}: {self.value(item, indent)}" for key, item in value.items()]
        return f"{{{', '.join(pairs)}}}"

    def write_text_of(self, value: Any, _: str) -> str:
        """A value that its class makes of its text."""
        base = next(one for one in type(value).__mro__ if one.__name__ in _FROM_TEXT)
        return f"{self.name(base)}({str(value)!r})"

    def write_set(self, value: Any, indent: str) -> str:
        """A set, frozen or not."""
        # It has no order of its own: give it one, so that equal values make equal texts.
        items = ", ".join(sorted(self.value(item, indent) for item in value))
        text = f"{{{items}}}" if items else "set()"
        if isinstance(value, frozenset):
            return f"frozenset({text})" if items else "frozenset()"
        return text

    def write_duration(self, value: timedelta, _: str = "") -> str:
        """A span of time."""
        parts = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
        return f"{self.name(timedelta)}({', '.join(f'{name}={part}' for name, part in parts.items() if part)})"

    def write_date(self, value: date, _: str) -> str:
        """A day."""
        return f"{self.name(date)}.fromisoformat({value.isoformat()!r})"

    def write_moment(self, value: Any, _: str) -> str:
        """A time, or a day and a time, in its zone."""
        base = datetime if isinstance(value, datetime) else time
        text = f"{self.name(base)}.fromisoformat({value.replace(tzinfo=None).isoformat()!r})"
        key = getattr(value.tzinfo, "key", None)
        if value.tzinfo is None:
            return text
        if key is not None:
            self.imports.add("from zoneinfo import ZoneInfo")
            return f"{text}.replace(tzinfo=ZoneInfo({key!r}))"
        return f"{text}.replace(tzinfo={self.name(timezone)}({self.write_duration(value.utcoffset())}))"

    def _items(self, opening: str, items: Any, closing: str, indent: str) -> str:
        texts = [self.value(item, indent + _INDENT) for item in items]
        short = f"{opening}{', '.join(texts)}{closing}"
        if len(indent) + len(short) < _WIDTH and "\n" not in short:
            return short
        inner = indent + _INDENT
        return "\n".join([opening, *(f"{inner}{text}," for text in texts), indent + closing.removeprefix(",")])

    def name(self, kind: type) -> str:
        """What a class is called, imported where it can be."""
        top, *within = kind.__qualname__.split(".")
        if kind.__module__ == "__main__" or "<locals>" in within:
            where = "__main__" if kind.__module__ == "__main__" else f"a function of {kind.__module__}"
            self._note(f"# {kind.__name__} is defined in {where}, and cannot be imported: run this where it is known")
            return kind.__name__ if "<locals>" in within else kind.__qualname__
        if self._names.setdefault(top, kind.__module__) != kind.__module__:
            # Two modules have something of that name.
            self.imports.add(f"import {kind.__module__}")
            return f"{kind.__module__}.{kind.__qualname__}"
        self.imports.add(f"from {kind.__module__} import {top}")
        return ".".join([top, *within])

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


class _NeedsItsField(Exception):  # no error: another way is taken
    """A value that only its field knows how to write."""


def _float(value: float) -> str:
    return repr(value) if math.isfinite(value) else f"float({str(value)!r})"


_WAYS: Final[tuple[tuple[Any, Callable[[_Writer, Any, str], str]], ...]] = (
    (ConfigTemplate, _Writer.section),
    (Flag, _Writer.write_flag),  # before Enum, which it extends
    (Enum, _Writer.write_member),
    (float, lambda _, value, __: _float(value)),
    (complex, lambda _, value, __: f"complex({_float(value.real)}, {_float(value.imag)})"),
    (list, _Writer.write_list),
    (tuple, _Writer.write_tuple),
    ((set, frozenset), _Writer.write_set),
    (Mapping, _Writer.write_mapping),
    ((PurePath, Decimal, UUID), _Writer.write_text_of),
    ((datetime, time), _Writer.write_moment),  # before date, which datetime extends
    (date, _Writer.write_date),
    (timedelta, _Writer.write_duration),
)


def _by_field(section: ConfigTemplate, name: str) -> Any:
    """A value as pydantic writes the field for JSON, which the field reads back."""
    try:
        return section.model_dump(mode="json", include={name}, warnings=False)[name]
    except (PydanticSerializationError, UnicodeDecodeError):
        what = f"{type(section).__qualname__}.{name} holds {an(type(getattr(section, name)).__qualname__)}"
        fix = "give the field a type with a serializer and a validator of its own"
        raise UnsupportedValue(Problem(f"{what} that cannot be written as Python", fix=fix)) from None
