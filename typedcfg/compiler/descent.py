"""The way down: from the root of a configuration to its places, with all layers and what was found wrong with them."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from typedcfg.compiler.copies import Copies
from typedcfg.compiler.declared import declared_at
from typedcfg.compiler.lists import position_in
from typedcfg.compiler.merge import Contribution, at_root
from typedcfg.compiler.place import Place, known_keys
from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.compiler.renames import moves_of, now_called, with_moved
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import Layer, branch_from
from typedcfg.sources.instances import explicit_settings
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry
from typedcfg.template.nodes import SectionNode
from typedcfg.text import nearest, one_of, shorten

_MOST_ELSEWHERE: Final = 3
_DEEPEST_ELSEWHERE: Final = 8


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
