"""Help for a page: a heading and a table for each section."""

from collections.abc import Iterator, Sequence
from typing import Final

from typedcfg.template.help_tree import FieldHelp, SectionHelp
from typedcfg.template.type_text import type_text

_DEEPEST: Final = 6
"""Markdown has no headings below this level."""


def section_markdown(section: SectionHelp) -> str:
    """A whole configuration, or the section that is the root of one."""
    head = [f"# {section.template.__qualname__}", *([section.description] if section.description else [])]
    return "\n\n".join([*head, *_blocks(tuple(section.fields()), 2)])


def fields_markdown(fields: Sequence[FieldHelp]) -> str:
    """Fields that were asked for by their key."""
    return "\n\n".join(_blocks(fields, 1))


def _blocks(fields: Sequence[FieldHelp], level: int) -> Iterator[str]:
    """The fields of one section: its values as a table, then its sections under headings of their own."""
    leaves = [field for field in fields if field.entry.is_leaf]
    if leaves:
        rows = ["| key | type | without it | meaning |", "|---|---|---|---|"]
        yield "\n".join([*rows, *(_row(field) for field in leaves)])
    for field in fields:
        if not field.entry.is_leaf:
            yield from _sections(field, level)


def _row(field: FieldHelp) -> str:
    meaning = [*([field.description] if field.description else []), *map(_sentence, field.notes), *_known(field)]
    word, _, value = field.fallback.partition(" ")
    fallback = f"{word} {_code(value)}" if value else word
    cells = (_code(field.key), _code(type_text(field.entry)), fallback, " ".join(" ".join(meaning).split()))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _known(field: FieldHelp) -> Iterator[str]:
    """The variable that sets a field, and what a configuration has there."""
    if field.variable:
        yield f"{_code(field.variable)}."
    for value in field.values:
        yield f"{_code(f'{value.key} = {value.text}')} ({value.origin})."


def _sections(field: FieldHelp, level: int) -> Iterator[str]:
    """A field that holds sections: a heading, and one more for each kind."""
    yield _heading(_code(field.key), level)
    facts = "; ".join(part for part in (type_text(field.entry), field.fallback, *field.notes) if part)
    yield _sentence(facts)
    if field.description:
        yield field.description
    for section in field.sections():
        below = level
        if section.kind:
            below = level + 1
            default = ", the default" if section.is_default_kind else ""
            chosen = f", chosen by {section.chosen_by}" if section.chosen_by else ""
            yield _heading(f"{_code(f'{section.key}.kind')} = {_code(section.kind)}{default}{chosen}", below)
        if section.same_as is not None:
            place = _code(section.same_as) if section.same_as else "the whole configuration"
            yield f"{_code(section.key)} holds {section.template.__qualname__} again, as {place} does."
            continue
        if section.description:
            yield section.description
        yield from _blocks(tuple(section.fields()), below + 1)


def _heading(text: str, level: int) -> str:
    return f"{'#' * min(level, _DEEPEST)} {text}"


def _code(text: str) -> str:
    """A text in backticks; more of them where it has some itself."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
