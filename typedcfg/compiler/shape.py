"""Shape: which keys there are. From here on the tree of a configuration no longer changes its form, only its values.

Every place is visited from the root down; what comes out is one plain tree, ready for pydantic, and a list of what
is not a value yet: references, bare texts, formulas.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import Enum
from typing import Any, Final, NamedTuple

from typedcfg.compiler.choice import kinds_in
from typedcfg.compiler.declared import declared_at
from typedcfg.compiler.descent import Descent
from typedcfg.compiler.lists import Missed, position_in
from typedcfg.compiler.merge import LIST_EDITS, is_reset, removed_keys
from typedcfg.compiler.place import Place
from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.compiler.shown import quoted
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, KeyPathError, parse_key_path, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import Appended, Branch, Edit, Positions, Removed, Text, is_unsettled
from typedcfg.template.catalog import Catalog, Entry, catalog_of
from typedcfg.template.nodes import LeafNode, ListNode, MapNode, SectionNode, VariantsNode
from typedcfg.template.variants import KIND
from typedcfg.text import NO_SWEEPS, listed, nearest, one_of, placeholder, spaced


class Absent(Enum):
    """Nothing stands at a place: the field's own default, or its lack of one, will speak."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


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
            self.refuse_edit(place)
        elif last is not None or not place.node.is_optional:
            self.refuse(place)
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
            self.refuse_unknown(place, catalog)
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
            self.refuse_edit(place)
            return ABSENT
        return last

    def free_value(self, place: Place) -> Any:
        """A value in a free list or mapping."""
        return self.leaf(place) if place.live else ABSENT

    def mapping(self, place: Place, value_of: Callable[[Place], Any]) -> dict[str, Any]:
        """A mapping, key by key."""
        self.refuse_missing_keys(place)
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
            self.descent.doubt(_missed(place, missed))
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

    # --- what is wrong, and what goes -------------------------------------------------------------------------------

    def refuse_unknown(self, place: Place, catalog: Catalog) -> None:
        """Report each key that the template does not declare, wherever it was written."""
        for layer, branch, *_ in place.live:
            assert isinstance(branch, Branch), "only mappings count for a section"
            for key in [key for key in branch if key not in catalog.names]:
                # A key of another variant may be right once that is chosen.
                note = (
                    self.descent.doubt
                    if declared_at(self.descent.template, (*place.path, key))
                    else self.descent.report
                )
                note(unknown_key(place, key, branch.origins[key], layer.strength))

    def refuse(self, place: Place) -> None:
        """Report a value where a section, or a list or mapping of sections, belongs."""
        match place.node:
            case ListNode():
                what, expected = "list", "a list of sections"
            case MapNode():
                what, expected = "mapping", "a mapping of sections, each by its name"
            case VariantsNode(templates=templates):
                what, expected = "section", f"a kind, {one_of(kinds_in(templates))}, or a mapping"
            case _:
                what, expected = "section", "a mapping"
        value, origin, is_secret = place.live[-1].value, place.live[-1].origin, place.may_hold_secret
        shown = quoted(value, is_secret=is_secret)
        fix = "" if is_secret else _meant_as(place, value) if place.path else ""
        problem = Problem(f"{render_key_path(place.path)} = {shown} is no {what}", expected=expected, fix=fix)
        self.descent.report_at(problem, origin, broken=place.path)

    def refuse_edit(self, place: Place) -> None:
        """Report an edit to a list or mapping that is not there."""
        edit = next(contribution for contribution in place.live if isinstance(contribution.value, LIST_EDITS))
        key, formula = render_key_path(place.path), place.entry and place.entry.derived
        if isinstance(place.node, LeafNode) and not place.node.is_container:
            problem = Problem(
                f"{key} is no list, and cannot be edited as one",
                fix=f"write it whole: {key}=...; += adds an item to a list, -= takes one out",
            )
            self.descent.report_at(problem, edit.origin)
        elif formula is not None and place.path == place.field:
            fix = f"write it whole instead of the formula: {key}=[...]"
            what = f"{key} is computed, and is not known when lists are edited"
            self.descent.report_at(Problem(what, fix=fix), edit.origin, broken=place.path)
        elif isinstance(place.node, (SectionNode, VariantsNode)):
            problem = Problem(
                f"{key} is a section, and cannot be edited as a list",
                fix=f"set what it holds, each by its key: {key}.key=...",
            )
            self.descent.report_at(problem, edit.origin, broken=place.path)
        elif any(isinstance(fallen.contribution.value, Branch) for fallen in place.fallen):
            what = f"{key} is a mapping, and cannot be edited as a list"
            problem = Problem(what, fix=f"set what it holds, each by its key: {key}.key=...")
            self.descent.report_at(problem, edit.origin, broken=place.path)
        else:
            problem = Problem(f"there is no list at {key} to edit", fix=f"write it whole first: {key}=[...]")
            self.descent.doubt(replace(problem, where=str(edit.origin)), broken=place.path)

    def refuse_missing_keys(self, place: Place) -> None:
        """Report keys that are to be taken out of a mapping, and are not in it."""
        names: dict[str, None] = {}
        for _, value, origin, *_ in place.live:
            if isinstance(value, Branch):
                names |= dict.fromkeys(key for key, inner in value.items() if not is_reset(inner))
            elif isinstance(value, Removed):
                for key in removed_keys(value):
                    if key not in names:
                        what = f"{render_key_path((*place.path, key))} cannot be removed: there is no such key"
                        expected = f"one of the keys: {listed(names)}" if names else "a mapping that has keys"
                        self.descent.doubt(Problem(what, str(origin), expected, suggestion=nearest(key, names)))
                    names.pop(key, None)

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


def _missed(place: Place, missed: Missed) -> Problem:
    where = str(missed.contribution.origin)
    if isinstance(missed.contribution.value, Positions) and isinstance(missed.item, int):
        is_reset = isinstance(missed.contribution.value[missed.item], Edit)
        return Problem(
            f"{render_key_path((*place.path, missed.item))} does not exist",
            str(missed.contribution.value.origins[missed.item]),
            expected=position_in(missed.length),
            fix="" if is_reset else f"add an item behind the others: {render_key_path(place.path)}+=...",
        )
    is_secret, key = place.may_hold_secret, render_key_path(place.path)
    return Problem(
        f"{quoted(missed.item, is_secret=is_secret)} cannot be removed: {key} holds no such item",
        where,
        expected="" if is_secret else f"one of the items: {listed(_literal_items(place))}",
    )


def _meant_as(place: Place, value: object) -> str:
    """What to write where a section, or a list or mapping of sections, was meant, and something else was said."""
    if value is None:
        empty = "[]" if isinstance(place.node, ListNode) else "{}"
        return f"write what it holds below it, indented; or {place.path[-1]}: {empty}; or leave it out"
    if isinstance(value, Branch) and isinstance(place.node, ListNode) and (step := next(iter(value), "")).isdecimal():
        return f"a position stands in brackets: {render_key_path((*place.path, int(step)))}"
    return placeholder(value) or (spaced(value) if isinstance(value, str) else "")


def _literal_items(place: Place) -> list[str]:
    return [quoted(said[-1].value) for said in place.arrangement.items]


def unknown_key(place: Place, key: str, origin: Origin, strength: str) -> Problem:
    """The problem of a key that no section declares."""
    known = list(place.catalog.entries)
    near = nearest(key, known)
    what = f"unknown key {render_key_path((*place.path, key))!r}"
    section = f"a key of {place.template.__qualname__}: {listed(known)}" if place.template else "a key"
    return Problem(
        what,
        str(origin),
        expected=section,
        suggestion=near if strength in ("files", "presets") or near is None else render_key_path((*place.path, near)),
        fix=of_another_kind(place, key)
        or _of_another_tool(key)
        or spaced(key)
        or ("" if near else _as_a_path(place, key)),
    )


_HABITS: Final = {
    "multirun": NO_SWEEPS,
    "defaults": "write $extends: [base.yaml], with paths relative to this file",
    "extends": "write $extends: base.yaml",
    "_base_": "write $extends: base.yaml",
    "_target_": "no file names a class: write kind: and one of the kinds that the field declares",
}
"""Keys that do in other tools what has another spelling here."""


def _of_another_tool(key: str) -> str:
    return _HABITS.get(key, "")


def of_another_kind(place: Place, key: str) -> str:
    """Which variants have a key that the one in force has not, and how to choose one; empty where none has."""
    if not isinstance(place.node, VariantsNode):
        return ""
    kinds = [kind for kind in kinds_in(place.node.templates) if key in catalog_of(place.node.templates[kind]).entries]
    chosen = f"{render_key_path(place.path)}={kinds[0]}" if kinds else ""
    return f"it is a key of kind {one_of(kinds)}: {chosen}" if kinds else ""


def _as_a_path(place: Place, key: str) -> str:
    """How to write a key that was taken for one step and is several, or the other way round."""
    try:
        steps = parse_key_path(key)
    except KeyPathError:
        steps = ()
    if len(steps) > 1 and declared_at(place.descent.template, (*place.path, *steps)):
        nested = "".join(f"{step}: {{" for step in steps[:-1])
        return f"nest it: {nested}{steps[-1]}: ...{'}' * (len(steps) - 1)}"
    around = place.descent.place(place.path[:-1]) if place.path else None
    if around is not None and isinstance(around.node, MapNode):
        dotted = render_key_path((*around.path, f"{place.path[-1]}.{key}"))
        return f"a name with a dot in it is quoted, and the whole argument again for a shell: '{dotted}'"
    found = [render_key_path(path) for path in place.descent.elsewhere((key.replace("-", "_"),))]
    return f"there is {' and '.join(found)}" if found else ""
