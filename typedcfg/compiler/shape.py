"""Shape: which keys there are. From here on the tree of a configuration no longer changes its form, only its values.

Every place is visited from the root down; what comes out is one plain tree, ready for pydantic, and a list of what
is not a value yet: references, bare texts, formulas.
"""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, NamedTuple

from typedcfg.compiler.descent import Descent
from typedcfg.compiler.merge import LIST_EDITS
from typedcfg.compiler.misfits import missed_item, refuse_edit, refuse_missing_keys, refuse_value
from typedcfg.compiler.place import Place
from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.compiler.slot import Slot
from typedcfg.compiler.unknown_keys import refuse_unknown_keys
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import Appended, Branch, Positions, Removed, Text, is_unsettled
from typedcfg.template.catalog import Catalog
from typedcfg.template.nodes import LeafNode, ListNode, MapNode
from typedcfg.template.variants import KIND


class Absent(Enum):
    """Nothing stands at a place: the field's own default, or its lack of one, will speak."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


class Dropped(NamedTuple):
    """A setting that went with the variant it belonged to."""

    path: KeyPath
    origin: Origin
    reason: str

    def __str__(self) -> str:
        return f"{render_key_path(self.path)} ({self.origin}) does not count: {self.reason}"


class Shape(NamedTuple):
    """The form of a configuration, with holes where values are still to be found."""

    tree: dict[str, Any]
    slots: dict[KeyPath, Slot]
    dropped: tuple[Dropped, ...]
    """Settings that went with the variant they belonged to."""


def shape(descent: Descent) -> Shape:
    """The tree of a configuration; what is wrong with it is reported to the descent."""
    shaper = _Shaper(descent)
    tree = shaper.section(descent.root)
    return Shape(tree, shaper.slots, tuple(shaper.dropped))


def shape_at(place: Place) -> tuple[Any, dict[KeyPath, Slot]]:
    """What stands at one place and below, with what is not known yet; what is wrong is reported to the descent."""
    shaper = _Shaper(place.descent)
    return shaper.value(place), shaper.slots


class _Shaper:
    def __init__(self, descent: Descent) -> None:
        self.descent = descent
        self.slots: dict[KeyPath, Slot] = {}
        self.dropped: list[Dropped] = []

    def value(self, place: Place) -> Any:
        """What stands at a place: a tree, a value, or nothing."""
        if place.outvoted:
            self.note_dropped(place)
        if place.is_section:
            return self.section(place)
        if not place.live:
            return ABSENT
        last = place.live[-1].value
        match place.node:
            case LeafNode():
                return self.leaf(place)
            case ListNode() if place.is_list:
                return self.items(place, self.value)
            case MapNode() if place.is_mapping:
                return self.mapping(place, self.value)
        if any(isinstance(contribution.value, LIST_EDITS) for contribution in place.live):
            refuse_edit(place)
        elif last is not None or not place.node.is_optional:
            refuse_value(place)
        return last

    # --- sections ---------------------------------------------------------------------------------------------------

    def section(self, place: Place) -> dict[str, Any]:
        """A section: its leaves as the layers left them, its sections from their own places."""
        catalog = place.catalog
        tree, unsettled = self.leaves(place, catalog)
        for entry in catalog.branching:
            self.put(tree, entry.name, place)
        for name in catalog.free & tree.keys():
            if isinstance(tree[name], (Branch, Positions, Appended, Removed, Text)):
                self.put(tree, name, place)
        self.find_slots(place, catalog, tree, unsettled)
        for entry in catalog.formulas:
            if entry.name not in tree:
                self.slot(Slot((*place.path, entry.name), entry, tree, entry.name, None))
        if catalog.deprecated:
            self.warn_deprecated(place, catalog)
        return tree

    def leaves(self, place: Place, catalog: Catalog) -> tuple[dict[str, Any], dict[str, None]]:
        """What stands for each key, taken whole from the strongest layer; and the keys that may have no value yet."""
        tree: dict[str, Any] = {}
        unsettled: dict[str, None] = {}
        for contribution in place.live:
            branch = contribution.value
            assert isinstance(branch, Branch), "only mappings count for a section"
            tree.update(branch)
            if branch.unsettled:
                unsettled |= dict.fromkeys(branch)
        if not tree.keys() <= catalog.names:
            refuse_unknown_keys(place)
            for key in tree.keys() - catalog.names:
                del tree[key]
        if place.kind is not None:
            tree[KIND] = place.kind
        return tree, unsettled

    def put(self, tree: dict[str, Any], name: str, place: Place) -> None:
        """Set one key of a section from its own place."""
        child = place.child(name)
        assert child is not None, f"{name} is a field"
        value = self.value(child)
        if value is ABSENT:
            tree.pop(name, None)
        else:
            tree[name] = value

    def find_slots(self, place: Place, catalog: Catalog, tree: dict[str, Any], names: Iterable[str]) -> None:
        """Work on the leaves that a source could not settle."""
        for name in names:
            if name not in tree:
                continue
            entry, value = catalog.entries[name], tree[name]
            if not entry.is_leaf or (name == KIND and place.kind is not None) or not is_unsettled(value):
                continue
            if isinstance(value, str):
                top = _top_of(place, name, value)
            else:
                self.put(tree, name, place)
                value, top = tree.get(name), _top_below(place, name)
            if isinstance(value, str) and is_unsettled(value):
                self.slot(Slot((*place.path, name), entry, tree, name, value, top=top))

    def slot(self, slot: Slot) -> None:
        """Note a value that is not known yet."""
        self.slots[slot.path] = slot

    # --- lists and mappings -----------------------------------------------------------------------------------------

    def leaf(self, place: Place) -> Any:
        """A leaf's value; free lists and mappings are merged, and copied where something in them is not known yet."""
        last = place.live[-1].value
        if len(place.live) == 1 and (isinstance(last, str) or not is_unsettled(last)):
            return last
        if place.is_mapping:
            return self.mapping(place, self.free_value)
        if place.is_list:
            return self.items(place, self.free_value)
        if isinstance(last, (Positions, Appended, Removed)):
            refuse_edit(place)
            return ABSENT
        return last

    def free_value(self, place: Place) -> Any:
        """A value in a free list or mapping."""
        return self.leaf(place) if place.live else ABSENT

    def mapping(self, place: Place, value_of: Callable[[Place], Any]) -> dict[str, Any]:
        """A mapping, key by key."""
        refuse_missing_keys(place)
        tree: dict[str, Any] = {}
        for key in place.names():
            child = place.child(key)
            value = ABSENT if child is None else value_of(child)
            if value is not ABSENT:
                tree[key] = value
                self.slot_within(place, tree, key)
        return tree

    def items(self, place: Place, value_of: Callable[[Place], Any]) -> list[Any]:
        """A list, position by position."""
        for missed in place.arrangement.missed:
            self.descent.doubt(missed_item(place, missed))
        tree: list[Any] = [None] * place.length()
        for position in range(len(tree)):
            child = place.child(position)
            assert child is not None, "a list has places for its items"
            value = value_of(child)
            if value is not ABSENT:
                tree[position] = value
                self.slot_within(place, tree, position)
        return tree

    def slot_within(self, place: Place, tree: Any, key: Any) -> None:
        """Note a value in a list or mapping that is not known yet."""
        if isinstance(tree[key], str) and is_unsettled(tree[key]) and place.entry is not None:
            top = _top_below(place, key)
            self.slot(Slot((*place.path, key), place.entry, tree, key, tree[key], field=place.field, top=top))

    # --- what goes, and what is on its way out ---------------------------------------------------------------------

    def note_dropped(self, place: Place) -> None:
        """Remember which settings went with a variant, so that somebody can say so."""
        for fallen in place.outvoted:
            layer, value, *_ = fallen.contribution
            if layer.strength != DEFAULTS and isinstance(value, Branch):
                self.dropped += [
                    Dropped((*place.path, key), value.origins[key], fallen.reason) for key in value if key != KIND
                ]

    def warn_deprecated(self, place: Place, catalog: Catalog) -> None:
        """Say where a field is set that is on its way out."""
        for entry in catalog.deprecated:
            for layer, value, *_ in place.live:
                # A saved file says every value, whether anybody has set it or not.
                is_meant = layer.strength != DEFAULTS and layer.version is None
                if is_meant and isinstance(value, Branch) and entry.name in value:
                    mark = entry.deprecation
                    assert mark is not None, "the catalog lists deprecated fields"
                    key = render_key_path((*place.path, entry.name))
                    self.descent.warn(
                        f"{value.origins[entry.name]}: {key} is deprecated since {mark.since}: {mark.instead}", layer
                    )


def _top_of(place: Place, name: str, value: object) -> KeyPath:
    """The top of the document in which a section's key was given a value."""
    said = (c for c in reversed(place.live) if isinstance(c.value, Branch) and c.value.get(name) is value)
    return next((contribution.top for contribution in said), ())


def _top_below(place: Place, step: str | int) -> KeyPath:
    """The top of the document that gave a value its last word."""
    child = place.child(step)
    return child.live[-1].top if child is not None and child.live else ()
