"""Help for a shell: one panel for each section, columns aligned, no line wider than the terminal."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final, NamedTuple

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
    width: int
    """Where lines end."""


def section_text(section: SectionHelp, width: int) -> str:
    """A whole configuration, or the section that is the root of one."""
    head = [section.template.__qualname__, *_paragraph(section.description, 0, width)]
    return "\n".join([*head, *_panel(tuple(section.fields()), 0, width)])


def fields_text(fields: Sequence[FieldHelp], width: int) -> str:
    """Fields that were asked for by their key."""
    return "\n".join(_panel(fields, 0, width)).removeprefix("\n")


def _panel(fields: Sequence[FieldHelp], indent: int, width: int) -> Iterator[str]:
    """The fields of one section: its values as rows, then its sections as panels of their own."""
    leaves = [field for field in fields if field.entry.is_leaf]
    columns = _columns(leaves, indent + _STEP, width)
    if leaves:
        yield ""
    for field in leaves:
        yield from _row(field, columns)
    for field in fields:
        if not field.entry.is_leaf:
            yield ""
            yield from _sections(field, indent, width)


def _columns(leaves: Sequence[FieldHelp], indent: int, width: int) -> _Columns:
    """Columns as wide as what stands in them, within reason."""
    keys = min(max((len(field.key) for field in leaves), default=0), _WIDEST_KEY)
    texts = indent + keys + _GAP
    types = max((len(type_text(field.entry)) for field in leaves), default=0)
    return _Columns(indent, texts, min(types, max((width - texts) // 2, _NARROWEST)), width)


def _row(field: FieldHelp, columns: _Columns) -> Iterator[str]:
    """A value: key, type and what counts without it; below them what it means."""
    words, fallback = type_text(field.entry), field.fallback
    line = f"{words:<{columns.types}}{' ' * _GAP}{fallback}" if fallback else words
    room = columns.width - columns.texts
    body = [line]
    if len(words) > columns.types or len(line) > room:
        body = [*_wrapped(words, room), *_wrapped(fallback, room)]
    key = " " * columns.indent + field.key
    if len(key) + _GAP > columns.texts:
        yield key
        key = ""
    yield f"{key:<{columns.texts}}{body[0]}"
    yield from (" " * columns.texts + part for part in body[1:])
    yield from _paragraph(field.description, columns.texts, columns.width)
    if field.notes:
        yield from _paragraph(f"({'; '.join(field.notes)})", columns.texts, columns.width)


def _sections(field: FieldHelp, indent: int, width: int) -> Iterator[str]:
    """A field that holds sections: its own heading, then a panel for each kind."""
    facts = "; ".join(part for part in (type_text(field.entry), field.fallback, *field.notes) if part)
    yield from _hanging(f"{field.key}  {facts}", indent, width)
    yield from _paragraph(field.description, indent + _STEP, width)
    for section in field.sections():
        below = indent
        if section.kind:
            below = indent + _STEP
            default = ", the default" if section.is_default_kind else ""
            yield ""
            yield f"{' ' * below}{section.key}.kind = {section.kind}{default}"
        if section.same_as is not None:
            place = section.same_as or "the whole configuration"
            yield f"{' ' * (below + _STEP)}{section.key}  {section.template.__qualname__} again, as {place}"
            continue
        yield from _paragraph(section.description, below + _STEP, width)
        fields = tuple(section.fields())
        yield from _panel(fields, below, width)
        if not fields:
            yield f"{' ' * (below + _STEP)}no keys of its own"


# --- lines ----------------------------------------------------------------------------------------------------------


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(text, max(width, _NARROWEST), break_long_words=False, break_on_hyphens=False)


def _paragraph(text: str, indent: int, width: int) -> Iterator[str]:
    """A text, its paragraphs kept apart, wrapped and indented."""
    for position, paragraph in enumerate(text.split("\n\n") if text else ()):
        if position:
            yield ""
        yield from (" " * indent + line for line in _wrapped(paragraph, width - indent))


def _hanging(text: str, indent: int, width: int) -> Iterator[str]:
    """A heading, its further lines indented."""
    first, *rest = _wrapped(text, width - indent)
    yield " " * indent + first
    yield from (" " * (indent + 2 * _STEP) + line for line in rest)
