"""Formulas: the value that a derived field's function gives, and what is told of one that fails."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from typedcfg.compiler.crashes import crash
from typedcfg.compiler.reading import Reading, Refused
from typedcfg.compiler.shown import quoted
from typedcfg.compiler.slot import Slot
from typedcfg.compiler.views import ListView, MapView, SectionView
from typedcfg.errors import Problem
from typedcfg.key_path import render_key_path
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.derived import Derived


def derive(slot: Slot, reading: Reading) -> Any:
    """What a slot's formula gives, as its field takes it.

    Raises:
        Needs: It reads what is not known yet.
        Refused: It fails, or gives what the field does not take.
    """
    derived = slot.entry.derived
    assert derived is not None, "a slot without a text has a formula"
    section = reading.section_of(slot.field)
    try:
        value = derived.function(SectionView(reading, section))
    except Refused as refused:
        what = f"{render_key_path(slot.path)} cannot be derived: {refused.problem.what}"
        where = _place_of(derived, reading)
        raise type(refused)(replace(refused.problem, what=what, where=where)) from None
    except (Exception, SystemExit) as error:  # whatever a user's formula raises is told with its key and place
        # The text of an error may quote what was read.
        told = "" if reading.has_read_secret else f": {error}"
        raise _refused(slot, reading, f"cannot be derived: {type(error).__name__}{told}") from error
    reading.refuse_leaks(slot)
    if isinstance(value, Iterator):
        # Read once here, it would be empty for validation.
        value = list(value)
    if _holds_section(value):
        raise _refused(slot, reading, "is derived as a section, which would add keys when all keys are known")
    if isinstance(value, FieldInfo):
        raise _refused(slot, reading, "is derived as another formula, and a formula gives a value")
    try:
        reading.validated(section, slot.entry, {**section.tree, slot.entry.name: value})
    except ValidationError as error:
        reasons = dict.fromkeys(e["msg"] for e in error.errors(include_url=False, include_input=False))
        shown = quoted(value, is_secret=slot.entry.is_secret or reading.has_read_secret)
        raise _refused(slot, reading, f"is derived as {shown}: {'; '.join(reasons)}") from None
    except Exception as error:
        is_secret = slot.entry.is_secret or reading.has_read_secret
        raise Refused(
            crash(render_key_path(slot.path), error, written=str(derived.origin), is_secret=is_secret)
        ) from error
    return value


def _refused(slot: Slot, reading: Reading, what: str) -> Refused:
    derived = slot.entry.derived
    assert derived is not None, "only formulas have these problems"
    return Refused(Problem(f"{render_key_path(slot.path)} {what}", _place_of(derived, reading)))


def _place_of(derived: Derived, reading: Reading) -> str:
    """Where a formula stands, what it says, and what it has read."""
    seen = [
        f"it read {render_key_path(p)} = {quoted(read.value, is_secret=read.entry.is_secret)}"
        for p, read in reading.inputs.items()
    ]
    return "\n".join([str(derived.origin), f"the formula is {derived.formula}", *seen])


def _holds_section(value: Any) -> bool:
    """Whether a formula returned a section, be it within a list or mapping."""
    if isinstance(value, (dict, list, tuple)):
        return any(map(_holds_section, value.values() if isinstance(value, dict) else value))
    return isinstance(value, (SectionView, ListView, MapView, ConfigTemplate))
