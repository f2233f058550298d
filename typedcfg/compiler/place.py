"""A place: one key of a configuration, and what counts for it of all that was said.

Its `child` applies the rules in their fixed order: the template's own default lies below, texts and references to
sections are read, resets and replacements fall, and of variants only those stay whose layer spoke for the kind that
won. `shape` visits every place, `explain` the places on one path.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from typedcfg.compiler.choice import Choice, choose
from typedcfg.compiler.declared import declared_at, may_hold_secret, nearest_declared
from typedcfg.compiler.lists import Arrangement, arrange, meanings
from typedcfg.compiler.merge import WHOLE_LISTS, Contribution, Fallen, below, below_all, standing, taken_back
from typedcfg.compiler.renames import with_new_names
from typedcfg.compiler.texts import builds_on, is_flow, read_edit, read_flow, unreadable
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import REFERENCE_MARK, Appended, Branch, Edit, Removed, Text, is_unsettled
from typedcfg.sources.yaml_value import NotAValue
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Catalog, Entry, catalog_of
from typedcfg.template.nodes import LeafNode, ListNode, MapNode, Node, SectionNode, VariantsNode
from typedcfg.template.variants import KIND

if TYPE_CHECKING:
    from typedcfg.compiler.descent import Descent

_VALUES_BELOW: Final = LeafNode(is_container=True)


class Place:
    """One key, and what counts for it."""

    __slots__ = (
        "_arrangement",
        "_said",
        "copies",
        "descent",
        "entry",
        "fallen",
        "field",
        "kind",
        "live",
        "node",
        "outvoted",
        "path",
        "template",
    )

    def __init__(self, descent: "Descent", path: KeyPath, node: Node, entry: Entry | None, *, field: KeyPath) -> None:
        self.descent = descent
        self.path = path
        self.node = node
        self.entry = entry
        """The field that this place is, or that it lies in."""
        self.field = field
        """That field's path."""
        self.template: type[ConfigTemplate] | None = None
        """The template in force, where the place is a section."""
        self.kind: str | None = None
        """The kind that was chosen, where there was a choice."""
        self.live: list[Contribution] = []
        self.fallen: list[Fallen] = []
        """What was replaced or reset."""
        self.copies: tuple[tuple[str, Origin], ...] = ()
        """The references, as they were written, that brought something to this place or to one above it."""
        self.outvoted: list[Fallen] = []
        """What was said for another kind than the one that won."""
        self._arrangement: Arrangement | None = None
        self._said: dict[str, list[Contribution]] | None = None

    @property
    def is_section(self) -> bool:
        """Whether the place is a section, and somebody, if only a default, wants it there."""
        return self.template is not None

    @property
    def catalog(self) -> Catalog:
        """The catalog of the template in force."""
        assert self.template is not None, f"{self.path} is no section"
        return catalog_of(self.template)

    @property
    def may_hold_secret(self) -> bool:
        """Whether what is written here may be a secret, or hold one."""
        return may_hold_secret(self.descent.template, self.path)

    @property
    def is_mapping(self) -> bool:
        """Whether what counts is a mapping, with what was taken out of it."""
        return bool(self.live) and isinstance(self.live[0].value, Branch)

    @property
    def is_list(self) -> bool:
        """Whether what counts is a list, with the edits to it."""
        return bool(self.live) and isinstance(self.live[0].value, WHOLE_LISTS)

    @property
    def arrangement(self) -> Arrangement:
        """The items of the list at this place, and the edits that missed."""
        if self._arrangement is None:
            self._arrangement = arrange(self.live, meanings=self._meanings)
        return self._arrangement

    def length(self) -> int:
        """How many items the list at this place has."""
        return len(self.arrangement.items) if self.live else 0

    def names(self) -> Collection[str]:
        """The keys that mappings set here, in the order in which they first appear."""
        # Only what is unsettled can take a key back, and hardly any mapping is.
        is_edited = any(isinstance(c.value, Branch) and c.value.unsettled for c in self.live)
        return [name for name in self._said_by_key if self._has(name)] if is_edited else self._said_by_key

    def _has(self, name: str) -> bool:
        """Whether a mapping has a key after all that was said for it; taken back, it has what is its default."""
        return bool(standing(self._said_by_key.get(name, [])).live)

    @property
    def _said_by_key(self) -> dict[str, list[Contribution]]:
        """What mappings say for each of their keys: there may be many keys, and many who speak of one each."""
        if self._said is None:
            self._said = below_all(self.live)
        return self._said

    def _said_for_key(self, key: str) -> list[Contribution]:
        # Of a section most keys are leaves, which `shape` takes whole from each layer: few are asked for here.
        return below(self.live, key) if self.is_section else self._said_by_key.get(key, [])

    def child(self, step: str | int) -> "Place | None":
        """The place one step down; None if the templates know no such key."""
        if isinstance(step, int) and step < 0:
            step += self.length()
        path = (*self.path, step)
        known = self.descent.places.get(path)
        if known is not None:
            return known
        node, entry = self._child_node(step)
        if node is None:
            return None
        place = Place(self.descent, path, node, entry, field=path if self.is_section else self.field)
        place.copies = self.copies
        said = self._said_for_key(step) if isinstance(step, str) else self._said_for_item(step)
        if entry is not None and self.is_section:
            default = self.descent.default(entry)
            if default is not None and (not entry.is_leaf or builds_on(said)):
                said = [default, *said]
        place.settle(said)
        self.descent.places[path] = place
        return place

    def _said_for_item(self, position: int) -> list[Contribution]:
        items = self.arrangement.items
        return [self._at_position(c, position) for c in items[position]] if position < len(items) else []

    def _at_position(self, contribution: Contribution, position: int) -> Contribution:
        """What was said for an item, as of where that is by now: a part mounted in it has gone with it."""
        depth, top = len(self.path), contribution.top
        if len(top) > depth and top[:depth] == self.path and top[depth] != position:
            return contribution._replace(top=(*top[:depth], position, *top[depth + 1 :]))
        return contribution

    def _meanings(self, item: object) -> Sequence[object]:
        """What an item of this list may mean, or one that is to be removed: what its type makes of what was written."""
        if is_unsettled(item) and not isinstance(item, Text):
            return ()
        validator = None
        if isinstance(self.node, LeafNode) and self.entry is not None:
            validator = self.entry.validator_at(len(self.path) + 1 - len(self.field))
        return meanings(item, validator)

    def _child_node(self, step: str | int) -> tuple[Node | None, Entry | None]:
        if self.is_section:
            entry = self.catalog.entries.get(step) if isinstance(step, str) else None
            return (entry.node, entry) if entry else (None, None)
        match self.node, step:
            case LeafNode(), _:
                return _VALUES_BELOW, self.entry
            case ListNode(item=item), int() if 0 <= step < self.length():
                return item, self.entry
            case MapNode(value=value), str() if self._has(step):
                return value, self.entry
        return None, None

    # --- the rules, in order ----------------------------------------------------------------------------------------

    def settle(self, said: list[Contribution]) -> None:
        """Decide what counts of all that was said for this key."""
        if isinstance(self.node, LeafNode):
            if len(said) > 1 or isinstance(said[0].value if said else None, (Edit, Text, Appended, Removed)):
                self.live, self.fallen, _ = standing(self._read_leaf(said))
            else:
                self.live = said
            return
        self.live, self.fallen, idle = standing(self._read_section(said))
        if idle and isinstance(self.node, SectionNode) and not self.node.is_optional and self.path == self.field:
            # A section that has to be there is there, even where what is said of it first takes something back.
            self.live = idle + self.live
        if isinstance(self.node, VariantsNode):
            if self.live and self._is_mapped():
                self._take_choice(choose(self, self.node))
        elif isinstance(self.node, SectionNode) and self._is_mapped():
            self.template = self.node.template
        if idle and not self.is_section:
            self._refuse_idle(idle)
        if self.template is not None and self.catalog.renamed:
            report, warn = self.descent.report, self.descent.warn_renamed
            self.live = [with_new_names(c, self.path, self.catalog, report, warn) for c in self.live]

    def _refuse_idle(self, idle: list[Contribution]) -> None:
        """Report keys that no template declares where they are taken back, and no section is there to miss them."""
        for path, origin in (found for one in idle for found in taken_back(one.value, self.path)):
            if declared_at(self.descent.template, path):
                continue
            near = nearest_declared(self.descent.template, path)
            problem = Problem(f"unknown key {render_key_path(path)!r}", str(origin))
            self.descent.report(replace(problem, suggestion=render_key_path(near) if near else None))

    def _is_mapped(self) -> bool:
        """Whether nothing but mappings counts."""
        return all(isinstance(contribution.value, Branch) for contribution in self.live)

    def _take_choice(self, choice: Choice | None) -> None:
        if choice is None:
            self.live = []
        else:
            self.template, self.kind, self.live, self.outvoted = choice

    def _read_leaf(self, said: list[Contribution]) -> list[Contribution]:
        """Texts at a free list or mapping, where something else has to be merged with what they mean."""
        if not (isinstance(self.node, LeafNode) and self.node.is_container):
            return said
        read: list[Contribution] = []
        for position, contribution in enumerate(said):
            text = contribution.value
            if isinstance(text, (Appended, Removed)):
                read += read_edit(self, contribution)
            elif is_flow(text):
                try:
                    read += read_flow(self, contribution)
                except NotAValue:
                    read.append(contribution)
            elif isinstance(text, str) and REFERENCE_MARK in text and builds_on(said[position + 1 :]):
                read += self.descent.copies.of(self, contribution)
            else:
                read.append(contribution)
        return read

    def _read_section(self, said: list[Contribution]) -> list[Contribution]:
        """Texts at a section: an inline mapping, a kind, null, or a reference to another section."""
        if not any(isinstance(c.value, (str, Appended, Removed)) for c in said):
            return said
        read: list[Contribution] = []
        for contribution in said:
            text = contribution.value
            if isinstance(text, (Appended, Removed)):
                read += read_edit(self, contribution)
            elif not isinstance(text, str):
                read.append(contribution)
            elif REFERENCE_MARK in text and not is_flow(text):
                read += self.descent.copies.of(self, contribution)
            else:
                read += self._read_text(contribution)
        return read

    def _read_text(self, contribution: Contribution) -> list[Contribution]:
        read = [contribution]
        if isinstance(contribution.value, Text):
            try:
                read = read_flow(self, contribution)
            except NotAValue as error:
                self.descent.report(*unreadable(error, self.path, is_secret=self.may_hold_secret))
                self.descent.broken.append(self.path)
                return []
        return [self._with_kind(one) for one in read]

    def _with_kind(self, contribution: Contribution) -> Contribution:
        """A bare word at a choice of variants as the mapping that names the kind."""
        if not (isinstance(contribution.value, str) and isinstance(self.node, VariantsNode)):
            return contribution
        chosen = Branch(contribution.origin)
        chosen.put(KIND, contribution.value, contribution.origin)
        return contribution._replace(value=chosen)


def known_keys(place: Place) -> Collection[str | int]:
    """The keys that may stand at a place, or the positions of a list."""
    if place.is_section:
        return place.catalog.entries
    return range(place.length()) if isinstance(place.node, ListNode) else place.names()
