"""The way down: from the root of a configuration to a key, with all that was said on the way.

A `Place` is one key with the contributions that count for it. Its `child` applies the rules in their fixed order:
the template's own default lies below, texts and references to sections are read, resets and replacements fall, and
of variants only those stay whose layer spoke for the kind that won. `shape` visits every place, `explain` the places
on one path.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final, NamedTuple

from typedcfg.compiler.choice import Choice, choose
from typedcfg.compiler.copies import Copies
from typedcfg.compiler.declared import declared_at, may_hold_secret, nearest_declared
from typedcfg.compiler.lists import Arrangement, arrange, meanings
from typedcfg.compiler.merge import WHOLE_LISTS, Contribution, Fallen, at_root, below, below_all, standing, taken_back
from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.compiler.renames import moves_of, now_called, with_moved, with_new_names
from typedcfg.compiler.texts import builds_on, is_flow, read_edit, read_flow, unreadable
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import (
    REFERENCE_MARK,
    Appended,
    Branch,
    Edit,
    Layer,
    Removed,
    Text,
    branch_from,
    is_unsettled,
)
from typedcfg.sources.instances import explicit_settings
from typedcfg.sources.yaml_value import NotAValue
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Catalog, Entry, catalog_of
from typedcfg.template.nodes import LeafNode, ListNode, MapNode, Node, SectionNode, VariantsNode
from typedcfg.template.variants import KIND
from typedcfg.text import nearest, one_of, shorten

_MOST_ELSEWHERE: Final = 3
_DEEPEST_ELSEWHERE: Final = 8
_VALUES_BELOW: Final = LeafNode(is_container=True)


class Dropped(NamedTuple):
    """A setting that went with the variant it belonged to."""

    path: KeyPath
    origin: Origin
    reason: str

    def __str__(self) -> str:
        return f"{render_key_path(self.path)} ({self.origin}) does not count: {self.reason}"


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


class Descent:
    """All layers of one compilation, and what was found wrong on the way down."""

    def __init__(self, template: type[ConfigTemplate], layers: Iterable[Layer], *, is_partial: bool = False) -> None:
        """Stand at the root.

        Args:
            template: What is configured.
            layers: Weakest first.
            is_partial: A source could not be read whole. What it would have said may put right what seems wrong
                without it: only problems that no further setting could undo are noted.
        """
        self.template = template
        self.layers = tuple(layers)
        self.is_partial = is_partial
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self.renamed: list[str] = []
        """What saved files say under names that were given up since."""
        self._renames: list[tuple[Origin, KeyPath, KeyPath]] = []
        """Where an old name was written, as it was, and what it is called today; from the top down."""
        self.broken: list[KeyPath] = []
        """Keys below which nothing is known; what fails there is only a consequence."""
        self._fresh: dict[Entry, Contribution | None] = {}
        self.copies = Copies(self)
        self.places: dict[KeyPath, Place] = {}
        """Every place that somebody has been to, but the root."""
        self.root = Place(self, (), SectionNode(template, is_optional=False), None, field=())
        self.root.settle(self._at_root())

    def _at_root(self) -> list[Contribution]:
        """What each layer says for the whole configuration, with every field at its present place."""
        said, moves = at_root(self.layers), moves_of(self.template)
        return [c for one in said for c in with_moved(one, moves, self.report, self.warn_renamed)] if moves else said

    def report(self, *problems: Problem) -> None:
        """Note problems, to be raised together."""
        self.problems += problems

    def report_at(self, problem: Problem, origin: Origin, *, broken: KeyPath | None = None) -> None:
        """Note a problem at a place, and optionally that nothing is known below a key."""
        self.report(Problem(problem.what, str(origin), problem.expected, problem.suggestion, problem.fix))
        if broken is not None:
            self.broken.append(broken)

    def doubt(self, problem: Problem, *, broken: KeyPath | None = None) -> None:
        """Note a problem that one more setting might undo: a kind, a list's length, a key to refer to."""
        if not self.is_partial:
            self.report(problem)
        if broken is not None:
            self.broken.append(broken)

    def warn(self, text: str, layer: Layer) -> None:
        """Note something that works today and should be changed."""
        told = self._told_of(layer)
        if text not in told:
            told.append(text)

    def _told_of(self, layer: Layer) -> list[str]:
        # A saved file is a record: nobody is to change it.
        return self.warnings if layer.version is None else self.renamed

    def warn_renamed(self, origin: Origin, old: KeyPath, new: KeyPath, layer: Layer) -> None:
        """Note an old name as it was written: one line for a place, though what it lies in had another name too."""
        above = ((was, now) for place, was, now in reversed(self._renames) if place == origin)
        for was, now in above:
            if old[: len(now)] == now:
                old = was + old[len(now) :]
                told, text = self._told_of(layer), now_called(origin, was, now)
                told[:] = [other for other in told if other != text]
                break
        self._renames.append((origin, old, new))
        self.warn(now_called(origin, old, new), layer)

    def default(self, entry: Entry) -> Contribution | None:
        """The template's own default for a field, as the weakest contribution to it."""
        if not entry.has_fresh_default:
            return _fixed_default(entry)
        if entry not in self._fresh:
            # Called once for each compilation, so that everybody who asks sees the same.
            self._fresh[entry] = _default(entry)
        return self._fresh[entry]

    def place(self, path: KeyPath) -> Place | None:
        """The place at a path; None if the templates know no such key."""
        known = self.places.get(path)
        if known is not None:
            return known
        place: Place | None = self.root
        for step in path:
            if place is None:
                return None
            place = place.child(step)
        return place

    def unknown_target(self, target: KeyPath, *, where: str = "") -> Problem:
        """The problem of a reference to a key that does not exist."""
        expected = "a key of the configuration, from the top; parent. and here. begin a relative path"
        place: Place | None = self.root
        near: KeyPath | None = None
        for depth, step in enumerate(target):
            assert place is not None
            if place.is_list and isinstance(step, int) and not -place.length() <= step < place.length():
                near, expected = None, f"{position_in(place.length())} of {render_key_path(place.path)}"
                break
            near = self._meant(place, target, depth)
            place = place.child(step)
            if place is None:
                break
        # While a copy is sought nobody may look around: what holds the copy is one of the places to look at.
        likely = [near] if near or self.copies.are_sought else self.elsewhere(target)
        return Problem(
            f"the reference to {shorten(render_key_path(target))} leads nowhere",
            where,
            expected,
            suggestion=one_of(render_key_path(path) for path in likely if path) or None,
        )

    def _meant(self, place: Place, target: KeyPath, depth: int) -> KeyPath | None:
        """The path that a reference most likely means, where one of its steps leads nowhere."""
        step = str(target[depth])
        renamed = place.catalog.renamed.get(step) if place.is_section else None
        name = renamed.name if renamed else nearest(step, map(str, known_keys(place)))
        if name is None:
            return None
        whole = (*target[:depth], name, *target[depth + 1 :])
        meant = whole if declared_at(self.template, whole) else whole[: depth + 1]
        return None if meant == target else meant

    def elsewhere(self, path: KeyPath) -> list[KeyPath]:
        """Where in the sections of the configuration a key of the last step's name does exist: up to three places."""
        found: list[KeyPath] = []
        todo = [self.root]
        while todo and len(found) < _MOST_ELSEWHERE:
            here = todo.pop(0)
            for entry in here.catalog.entries.values():
                child = here.child(entry.name)
                if entry.name == path[-1]:
                    found.append((*here.path, entry.name))
                if child is not None and child.is_section and len(child.path) < _DEEPEST_ELSEWHERE:
                    todo.append(child)
        return found


def known_keys(place: Place) -> Collection[str | int]:
    """The keys that may stand at a place, or the positions of a list."""
    if place.is_section:
        return place.catalog.entries
    return range(place.length()) if isinstance(place.node, ListNode) else place.names()


def position_in(length: int) -> str:
    """Which positions a list of a length has."""
    if length > 1:
        return f"a position from 0 to {length - 1}"
    return "position 0, the only one" if length else "a list that has items"


@cache
def _fixed_default(entry: Entry) -> Contribution | None:
    return _default(entry)


def _default(entry: Entry) -> Contribution | None:
    if not entry.has_default:
        return None
    name = f"default of {entry.template.__qualname__}.{entry.name}"
    origin = Origin(name)
    settings = explicit_settings(entry.default(), is_free=entry.is_leaf, path=(entry.name,))
    held = branch_from({entry.name: settings}, origin)[entry.name] if _is_tree(settings) else settings
    return Contribution(Layer(name, DEFAULTS, ()), held, origin)


def _is_tree(value: object) -> bool:
    return isinstance(value, (Mapping, list, tuple))
