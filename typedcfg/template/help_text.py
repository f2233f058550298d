"""Help for a shell: one panel for each section, columns aligned, no line wider than the terminal."""

from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from typing import Final, NamedTuple

from typedcfg.template.help_ink import Ink
from typedcfg.template.help_tree import FieldHelp, SectionHelp
from typedcfg.template.type_text import type_text

_GAP: Final = 2
_STEP: Final = 2
"""How far a panel is indented under its heading."""
_NARROWEST: Final = 24
"""No column of text is made narrower than this, even where a line then exceeds the width."""
_WIDEST_KEY: Final = 32


class _Columns(NamedTuple):
    """Where the parts of a row begin and end."""

    indent: int
    """Where keys begin."""
    texts: int
    """Where everything else begins."""
    types: int
    """How wide the types are."""


class HelpText(NamedTuple):
    """Lines of one width, in one ink."""

    width: int
    ink: Ink

    def section(self, section: SectionHelp) -> str:
        """A whole configuration, or the section that is the root of one."""
        head = [self.ink.heading(section.template.__qualname__), *self.paragraphs(section.description, 0)]
        return "\n".join([*head, *self._panel(tuple(section.fields()), 0)])

    def fields(self, fields: Sequence[FieldHelp]) -> str:
        """Fields that were asked for by their key."""
        return "\n".join(self._panel(fields, 0)).removeprefix("\n")

    # --- panels -----------------------------------------------------------------------------------------------------

    def _panel(self, fields: Sequence[FieldHelp], indent: int) -> Iterator[str]:
        """The fields of one section: its values as rows, then its sections as panels of their own."""
        leaves = [(field, type_text(field.entry)) for field in fields if field.entry.is_leaf]
        columns = self._columns(leaves, indent + _STEP)
        if leaves:
            yield ""
        for field, words in leaves:
            yield from self._row(field, words, columns)
        for field in fields:
            if not field.entry.is_leaf:
                yield ""
                yield from self._sections(field, indent)

    def _columns(self, leaves: Sequence[tuple[FieldHelp, str]], indent: int) -> _Columns:
        """Columns as wide as what stands in them, within reason."""
        keys = min(max((len(field.key) for field, _ in leaves), default=0), _WIDEST_KEY)
        texts = indent + keys + _GAP
        types = max((len(words) for _, words in leaves), default=0)
        return _Columns(indent, texts, min(types, max((self.width - texts) // 2, _NARROWEST)))

    def _row(self, field: FieldHelp, words: str, columns: _Columns) -> Iterator[str]:
        """A value: key, type and what counts without it; below them what is set, and what it means."""
        fallback = field.fallback
        line = f"{words:<{columns.types}}{' ' * _GAP}{fallback}" if fallback else words
        room = self.width - columns.texts
        body = [line]
        if len(words) > columns.types or len(line) > room:
            body = [*_wrapped(words, room), *_wrapped(fallback, room)]
        key, gap = " " * columns.indent + self.ink.key(field.key), columns.texts - columns.indent - len(field.key)
        if gap < _GAP:
            yield key
            key, gap = "", columns.texts
        yield f"{key}{' ' * gap}{body[0]}"
        yield from (" " * columns.texts + part for part in body[1:])
        yield from self.values(field, columns.texts)
        yield from self.paragraphs(field.description, columns.texts)
        notes = [
            *([f"({'; '.join(field.notes)})"] if field.notes else []),
            *([f"${field.variable}"] if field.variable else []),
        ]
        yield from self.paragraphs("  ".join(notes), columns.texts, self.ink.note)

    def values(self, field: FieldHelp, indent: int) -> Iterator[str]:
        """What a configuration has for a field."""
        for value in field.values:
            name = "now" if value.key == field.key else f"{value.key} ="
            yield from self.paragraphs(f"{name} {value.text}  ({value.origin})", indent, self.ink.value)

    def _sections(self, field: FieldHelp, indent: int) -> Iterator[str]:
        """A field that holds sections: its own heading, then a panel for each kind."""
        facts = "; ".join(part for part in (type_text(field.entry), field.fallback, *field.notes) if part)
        yield from self._heading(field.key, f"  {facts}", indent)
        yield from self.values(field, indent + _STEP)
        yield from self.paragraphs(field.description, indent + _STEP)
        for section in field.sections():
            below = indent
            if section.kind:
                below = indent + _STEP
                default = ", the default" if section.is_default_kind else ""
                chosen = f", chosen by {section.chosen_by}" if section.chosen_by else ""
                yield ""
                yield from self._heading(f"{section.key}.kind = {section.kind}", f"{default}{chosen}", below)
            if section.same_as is not None:
                place = section.same_as or "the whole configuration"
                yield f"{' ' * (below + _STEP)}{section.key}  {section.template.__qualname__} again, as {place}"
                continue
            yield from self.paragraphs(section.description, below + _STEP)
            fields = tuple(section.fields())
            yield from self._panel(fields, below)
            if not fields:
                yield f"{' ' * (below + _STEP)}no keys of its own"

    # --- lines ------------------------------------------------------------------------------------------------------

    def paragraphs(self, text: str, indent: int, ink: Callable[[str], str] = str) -> Iterator[str]:
        """A text, its paragraphs kept apart, wrapped and indented."""
        for position, paragraph in enumerate(text.split("\n\n") if text else ()):
            if position:
                yield ""
            yield from (" " * indent + ink(line) for line in _wrapped(paragraph, self.width - indent))

    def _heading(self, name: str, rest: str, indent: int) -> Iterator[str]:
        """A heading, its further lines indented."""
        first, *others = _wrapped(name + rest, self.width - indent)
        yield " " * indent + self.ink.heading(name) + first[len(name) :]
        yield from (" " * (indent + 2 * _STEP) + line for line in others)


def _wrapped(text: str, width: int) -> list[str]:
    if len(text) <= width and text.isprintable():
        return [text] if text else []
    return wrap(text, max(width, _NARROWEST), break_long_words=False, break_on_hyphens=False)
