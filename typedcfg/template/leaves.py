"""A section's leaves: every value of a finished configuration, with its key path and its field."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from typedcfg.key_path import KeyPath
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry, catalog_of


class Leaf(NamedTuple):
    """One value; a free list or mapping is one, and so is a section that is not there."""

    path: KeyPath
    entry: Entry
    value: Any
    is_in_identity: bool
    """Whether the field and all sections around it bear on the outcome."""


def iter_leaves(section: ConfigTemplate, path: KeyPath = (), *, is_in_identity: bool = True) -> Iterator[Leaf]:
    """The leaves below a section, in the order of declaration.

    Args:
        section: Where to begin.
        path: Where the section itself lies.
        is_in_identity: Whether all sections around it bear on the outcome.
    """
    return _below(section, path, is_in_identity=is_in_identity)


def _below(section: ConfigTemplate, path: KeyPath, *, is_in_identity: bool) -> Iterator[Leaf]:
    for name, entry in catalog_of(type(section)).entries.items():
        bears = is_in_identity and entry.is_in_identity
        value = getattr(section, name)
        if entry.is_leaf:
            yield Leaf((*path, name), entry, value, bears)
        else:
            yield from leaves_within(entry, value, (*path, name), is_in_identity=bears)


def leaves_within(entry: Entry, value: Any, path: KeyPath, *, is_in_identity: bool) -> Iterator[Leaf]:
    """The leaves of what a field of sections holds; an empty list, mapping or option is a leaf itself."""
    if isinstance(value, ConfigTemplate):
        yield from _below(value, path, is_in_identity=is_in_identity)
    elif value and isinstance(value, (list, tuple)):
        for position, item in enumerate(value):
            yield from leaves_within(entry, item, (*path, position), is_in_identity=is_in_identity)
    elif value and isinstance(value, dict):
        for key, item in value.items():
            yield from leaves_within(entry, item, (*path, str(key)), is_in_identity=is_in_identity)
    else:
        yield Leaf(path, entry, value, is_in_identity)


def value_at(section: ConfigTemplate, path: KeyPath) -> Any:
    """The value at a path that is known to exist."""
    value: Any = section
    for step in path:
        # Not by attribute: a key that nobody declared may have the name of a property.
        value = value.__dict__[str(step)] if isinstance(value, ConfigTemplate) else value[step]
    return value
