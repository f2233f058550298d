"""The canonical text of sections: what of a configuration is identified, and under which names."""

from functools import cache
from typing import Any, NamedTuple

from typedcfg.identity.canonical import Members, canonical_text, escaped
from typedcfg.key_path import parse_key_path, render_step
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry, catalog_of
from typedcfg.template.leaves import iter_leaves
from typedcfg.template.marks import Kind
from typedcfg.template.variants import KIND


def identity_text(section: ConfigTemplate) -> str:
    """The canonical text of all that bears on the outcome: what a fingerprint and a run's UUID are made from.

    Raises:
        UnsupportedValue: A value is of a type that has no canonical text, or two values have one name.
    """
    gathered = _Gathered()
    gathered.section(section, "")
    if gathered.has_renamed:
        gathered.members.refuse_repeated()
    return gathered.members.text()


def equality_text(section: ConfigTemplate) -> str:
    """The canonical text of every leaf but secrets: equal configurations of one template have one.

    Raises:
        UnsupportedValue: A value is of a type that has no canonical text.
    """
    return canonical_text((leaf.path, leaf.value) for leaf in iter_leaves(section) if not leaf.entry.is_secret)


class _Other(NamedTuple):
    """A field that holds sections, or bears a mark that its identity depends on."""

    entry: Entry
    ending: str
    """What it is known by, as it ends a key: its first name, where it was renamed."""
    is_from_top: bool
    """Whether that is a whole key, for the field used to lie elsewhere."""
    kind: str | None
    """What stands for its value: the name that a variant had."""


class _Identified(NamedTuple):
    """The fields of a template that bear on the outcome."""

    plain: tuple[str, ...]
    """The names of those that hold values and were never renamed, which are most: they are taken all at once."""
    endings: tuple[str, ...]
    """The same, as they end a key."""
    others: tuple[_Other, ...]
    has_renamed: bool


@cache
def _identified(template: type[ConfigTemplate]) -> _Identified:
    entries = [entry for entry in catalog_of(template).entries.values() if entry.is_in_identity]
    plain = tuple(entry.name for entry in entries if _is_plain(entry))
    others = tuple(_other(entry) for entry in entries if not _is_plain(entry))
    return _Identified(plain, tuple(map(render_step, plain)), others, any(entry.old_names for entry in entries))


def _is_plain(entry: Entry) -> bool:
    is_marked = entry.old_names or entry.was is not None or entry.mark(Kind) is not None
    return entry.is_leaf and not is_marked and entry.name.isascii()


def _other(entry: Entry) -> _Other:
    first = parse_key_path(entry.old_names[0]) if entry.old_names else (entry.name,)
    mark = entry.mark(Kind) if entry.name == KIND else None
    return _Other(entry, "".join(map(render_step, first)), len(first) > 1, mark.renamed_from if mark else None)


class _Gathered:
    """Values that bear on the outcome, by the text of the path by which they are identified."""

    def __init__(self) -> None:
        self.members = Members()
        self.has_renamed = False

    def section(self, section: ConfigTemplate, key: str) -> None:
        """Take what a section holds."""
        names, endings, others, has_renamed = _identified(type(section))
        values = list(map(section.__dict__.__getitem__, names))
        self.members.add(key, endings if key else names, values)
        self.has_renamed = self.has_renamed or has_renamed
        for entry, ending, is_from_top, kind in others:
            value = getattr(section, entry.name) if kind is None else kind
            if entry.was is None or not _equal(value, entry.was.was):
                path = (ending if is_from_top else key + ending).removeprefix(".")
                if entry.is_leaf:
                    self.members.add(path, ("",), (value,))
                else:
                    self.sections(value, path)

    def sections(self, value: Any, key: str) -> None:
        """Take what a field of sections holds; an empty list, mapping or option is a value."""
        if isinstance(value, ConfigTemplate):
            self.section(value, key)
        elif value and isinstance(value, (list, tuple)):
            for position, item in enumerate(value):
                self.sections(item, f"{key}[{position}]")
        elif value and isinstance(value, dict):
            for name, item in value.items():
                self.sections(item, key + render_step(escaped(str(name))))
        else:
            self.members.add(key, ("",), (value,))


def _equal(value: Any, was: object) -> bool:
    """Whether a field that came later says what runs did before it existed."""
    return not isinstance(value, ConfigTemplate) and canonical_text([((), value)]) == canonical_text([((), was)])
