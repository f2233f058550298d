"""Slots: what is no value yet, a reference, a bare text or a formula, and where in the tree its value goes."""

from typing import TYPE_CHECKING, Any

from typedcfg.compiler.shown import HIDDEN
from typedcfg.key_path import KeyPath
from typedcfg.template.catalog import Entry
from typedcfg.text import shorten

if TYPE_CHECKING:
    from typedcfg.compiler.descent import Descent


class Slot:
    """A value that is not known yet, and where it goes."""

    __slots__ = ("copies", "entry", "field", "holder", "inputs", "is_known", "key", "path", "raw", "top", "variables")

    def __init__(  # noqa: PLR0913  # what a slot is, and nothing else
        self,
        path: KeyPath,
        entry: Entry,
        holder: Any,
        key: str | int,
        raw: str | None,
        *,
        field: KeyPath | None = None,
        top: KeyPath = (),
    ) -> None:
        self.path = path
        self.entry = entry
        """The field it belongs to."""
        self.field = field or path
        """That field's path; the value may lie within the field's list or mapping."""
        self.holder = holder
        """The dict or list of the tree that the value is put in."""
        self.key = key
        self.raw = raw
        """The text with references, or the bare text; None where the field's formula is asked."""
        self.top = top
        """Where the document that the text was written in has its top: a path without a leading word begins there."""
        self.copies: KeyPath | None = None
        """The key whose value it takes as it is, where the text is a plain reference."""
        self.inputs: tuple[KeyPath, ...] = ()
        """What was read to compute it, in order."""
        self.variables: tuple[str, ...] = ()
        """The environment variables that were read to compute it, in order."""
        self.is_known = False


def written_at(slot: Slot, descent: "Descent") -> str:
    """Where a slot's text was written, or its formula."""
    if slot.raw is None and slot.entry.derived is not None:
        return str(slot.entry.derived.origin)
    place = descent.place(slot.path)
    return str(place.live[-1].origin) if place is not None and place.live else ""


def written_in(slot: Slot, column: int, descent: "Descent") -> str:
    """Where a slot's text stands, and the column in it."""
    text = HIDDEN if slot.entry.is_secret else repr(shorten(str(slot.raw)))
    return f"{written_at(slot, descent)}\ncolumn {column} of {text}"
