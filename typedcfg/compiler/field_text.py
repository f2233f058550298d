"""Field texts: what a bare text, from a command line or a variable, means for the field that it is written for."""

from math import isinf
from typing import Any, Final

from typedcfg.compiler.reading import Blocked, Reading
from typedcfg.compiler.slot import Slot, written_at
from typedcfg.compiler.texts import unreadable
from typedcfg.origin import Origin
from typedcfg.sources.yaml_value import NotAValue, read_value

_REFUSED: Final = object()
"""What a field makes of a value that does not fit."""


def read_text(text: str, slot: Slot, reading: Reading) -> Any:
    """What a bare text means for its field: the value that a file would mean by it, or the text itself."""
    try:
        value = read_value(text, Origin(""))
    except NotAValue:
        return _read_as_text(text, slot, reading)
    if value == text or _fits(value, slot, reading) or not _fits(text, slot, reading):
        return value
    return text


def _read_as_text(text: str, slot: Slot, reading: Reading) -> Any:
    """A text that no file could mean a value by; only a field that wants text says that it is meant as one."""
    taken = _taken(text, slot, reading)
    takes_anything = _fits(object(), slot, reading)
    if taken is not _REFUSED and not takes_anything and not (isinstance(taken, float) and isinf(taken)):
        return text
    try:
        read_value(text, Origin(written_at(slot, reading.descent)))
    except NotAValue as error:
        fix = "put it in quotes if it is meant as text" if takes_anything else ""
        reading.descent.report(*unreadable(error, slot.path, is_secret=slot.entry.is_secret, fix=fix))
    raise Blocked


def _fits(value: object, slot: Slot, reading: Reading) -> bool:
    return _taken(value, slot, reading) is not _REFUSED


def _taken(value: object, slot: Slot, reading: Reading) -> Any:
    """What a slot's field makes of a value."""
    try:
        if slot.path == slot.field:
            section = reading.section_of(slot.field)
            return reading.validated(section, slot.entry, {**section.tree, slot.entry.name: value})
        validator = slot.entry.validator_at(len(slot.path) - len(slot.field))
        return value if validator is None else validator.validate_python(value)
    except Exception:  # noqa: BLE001  # a validator that crashes is told of when the whole is validated
        return _REFUSED
