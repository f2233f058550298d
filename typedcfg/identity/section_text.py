"""The canonical text of sections: what of a configuration is identified, and under which names."""

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from typedcfg.errors import Problem, UnsupportedValue
from typedcfg.identity.canonical import canonical_text, canonical_text_of
from typedcfg.key_path import render_step
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
    return canonical_text_of(gathered.values)


def equality_text(section: ConfigTemplate) -> str:
    """The canonical text of every leaf but secrets: two configurations of one template are equal when theirs are.

    Raises:
        UnsupportedValue: A value is of a type that has no canonical text.
    """
    return canonical_text((leaf.path, leaf.value) for leaf in iter_leaves(section) if not leaf.entry.is_secret)


class _Identified(NamedTuple):
    """The fields of a template that bear on the outcome."""

    plain: tuple[str, ...]
    """The names of those that hold values and were never renamed, which are most: they are taken all at once."""
    endings: tuple[str, ...]
    """The same, as they end a key."""
    others: tuple[Entry, ...]


@cache
def _identified(template: type[ConfigTemplate]) -> _Identified:
    entries = [entry for entry in catalog_of(template).entries.values() if entry.is_in_identity]
    plain = tuple(entry.name for entry in entries if _is_plain(entry))
    return _Identified(plain, tuple(f".{n}" for n in plain), tuple(e for e in entries if e.name not in plain))


def _is_plain(entry: Entry) -> bool:
    return entry.is_leaf and not entry.old_names and entry.was is None and entry.mark(Kind) is None


class _Gathered:
    """Values that bear on the outcome, by the text of the path by which they are identified."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def section(self, section: ConfigTemplate, key: str) -> None:
        """Take what a section holds."""
        names, endings, others = _identified(type(section))
        # Whole rows at a time: in a configuration of thousands of sections this is what a fingerprint costs.
        keys: Iterable[str] = map(key.__add__, endings) if key else names
        known = len(self.values)
        self.values.update(zip(keys, map(section.__dict__.__getitem__, names), strict=True))
        if len(self.values) < known + len(names):
            raise _two_of_one_name(type(section))
        for entry in others:
            value = getattr(section, entry.name)
            if entry.was is None or not _equal(value, entry.was.was):
                self.field(_as_identified(entry, value), _known_as(entry, key))

    def field(self, value: Any, key: str) -> None:
        """Take a field's value: a section, a list or mapping of sections, or a value."""
        if isinstance(value, ConfigTemplate):
            self.section(value, key)
        elif isinstance(value, (list, tuple)) and any(isinstance(item, ConfigTemplate) for item in value):
            for position, item in enumerate(value):
                self.field(item, f"{key}[{position}]")
        elif isinstance(value, dict) and any(isinstance(item, ConfigTemplate) for item in value.values()):
            for name, item in value.items():
                self.field(item, key + render_step(str(name)))
        elif key in self.values:
            raise UnsupportedValue(Problem(f"two values are identified as {key}", expected="a name for each"))
        else:
            self.values[key] = value


def _two_of_one_name(template: type[ConfigTemplate]) -> UnsupportedValue:
    what = f"a field of {template.__qualname__} is identified by a name that another has"
    return UnsupportedValue(Problem(what, expected="a name for each", fix="look at the fields that bear RenamedFrom"))


def _known_as(entry: Entry, above: str) -> str:
    """The text of the path by which a field is identified: by its first name, where it was renamed."""
    first = entry.old_names[0] if entry.old_names else entry.name
    return f"{above}.{first}" if above and "." not in first else first


def _as_identified(entry: Entry, value: Any) -> Any:
    mark = entry.mark(Kind)
    return mark.renamed_from if entry.name == KIND and mark is not None else value


def _equal(value: Any, was: object) -> bool:
    """Whether a field that came later says what runs did before it existed."""
    return not isinstance(value, ConfigTemplate) and canonical_text([((), value)]) == canonical_text([((), was)])
