"""Edits: what a draft changes, kept as one more layer of settings above those that a configuration was made from."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from typedcfg.compiler.compile import compile_layers
from typedcfg.compiler.complaints import problems_of_failure
from typedcfg.compiler.config import Config, told_by
from typedcfg.compiler.crashes import Failure
from typedcfg.compiler.descent import Descent
from typedcfg.compiler.drafts.assigned import settings_at
from typedcfg.compiler.drafts.caller import line_of_caller
from typedcfg.compiler.one_field import fields_before
from typedcfg.compiler.place import Place, known_keys
from typedcfg.compiler.precedence import DRAFT
from typedcfg.compiler.shape import ABSENT, shape_at
from typedcfg.compiler.slot import Slot
from typedcfg.compiler.story import Story
from typedcfg.compiler.unknown_keys import unknown_key
from typedcfg.errors import ConfigError, Frozen, MissingKey, Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import (
    Appended,
    Branch,
    Edit,
    Items,
    Layer,
    Positions,
    branch_at,
    branch_from,
    is_unsettled,
)
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.nodes import ListNode, MapNode, VariantsNode
from typedcfg.template.old_names import present_path
from typedcfg.template.variants import KIND
from typedcfg.text import nearest


class Change(NamedTuple):
    """One edit."""

    path: KeyPath
    value: object
    """A setting, as a source would give it, or `Edit.RESET`."""
    origin: Origin
    root: Branch
    """The tree that says it."""

    @property
    def rearranges(self) -> bool:
        """Whether it takes an item out of a list: what was said before counts the items otherwise than what follows."""
        return self.value is Edit.RESET and isinstance(self.path[-1], int)

    @property
    def moves(self) -> bool:
        """Whether a path to what it is about, or below, may mean something else from then on."""
        return isinstance(self.value, (Branch, Items, Edit))

    def moved(self, path: KeyPath) -> bool:
        """Whether that is so of one path."""
        depth = len(self.path)
        if path[:depth] == self.path:
            # A key that goes back to its default is still that key; the items of a list are others.
            return self.value is not Edit.RESET or isinstance((*path, self.path[-1])[depth], int)
        if not self.rearranges or path[: depth - 1] != self.path[:-1] or len(path) < depth:
            return False
        step, gone = path[depth - 1], self.path[-1]
        return isinstance(step, int) and isinstance(gone, int) and step > gone


class Edits:
    """All that a draft changes. An edit that a later one makes void is forgotten, so that drafts do not grow."""

    def __init__(self, config: Config[Any]) -> None:
        """Begin with a configuration's layers, and go on with the edits of an earlier draft."""
        story, _ = told_by(config)
        self.template = type(story.root)
        self.variables = story.variables
        *below, last = story.layers or (Layer("", "", ()),)
        is_draft = last.strength == DRAFT
        self.below = tuple(below if is_draft else story.layers)
        self.changes: list[Change] = list(map(_change_in, last.roots)) if is_draft else []
        self.moves: list[Change] = []
        """The edits after which a path may mean something else than before: an item went, or all was put anew."""
        self.is_locked = False
        self._descent: Descent | None = story.descent
        self._config: Config[Any] | None = _whole(config, story)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What the draft would be compiled from."""
        roots = tuple(change.root for change in self.changes)
        return (*self.below, Layer("draft", DRAFT, roots)) if roots else self.below

    @property
    def descent(self) -> Descent:
        """The way down through the settings as they are now."""
        if self._descent is None:
            self._descent = Descent(self.template, self.layers)
        return self._descent

    def config(self) -> Config[Any]:
        """The configuration that the settings make as they are now.

        Raises:
            ConfigError: With everything that is wrong.
        """
        if self._config is None:
            self._config = compile_layers(self.template, self.layers, variables=self.variables.anew())
        return self._config

    def put(self, path: KeyPath, value: object) -> None:
        """Set what stands at a path; it is all there is to be there.

        Raises:
            Frozen: The draft is locked.
            ConfigError: There is no such key, or the value does not fit; nothing has changed then.
        """
        origin = line_of_caller()
        place = self.descent.place(path[:-1])
        if path[-1] == KIND and place is not None and isinstance(place.node, VariantsNode):
            path = path[:-1]
        self._make(_change(path, setting_from(self.template, path, value, origin), origin))

    def append(self, path: KeyPath, values: Sequence[object]) -> None:
        """Add items to the list at a path.

        Raises:
            Frozen: The draft is locked.
            ConfigError: A value does not fit; nothing has changed then.
        """
        origin, items = line_of_caller(), Items(origin=line_of_caller())
        place = self.descent.place(path)
        length = place.length() if place is not None else 0
        for position, value in enumerate(values, length):
            items.put(setting_from(self.template, (*path, position), value, origin), origin)
        self._make(_change(path, Appended(items), origin))

    def take_back(self, path: KeyPath) -> None:
        """Let a key go back to its default or formula; an item of a list or mapping without one goes.

        Raises:
            Frozen: The draft is locked.
            ConfigError: There is no such key.
        """
        place = self.descent.place(path)
        # Below a free list or mapping there is a place for every step, whether something stands there or not.
        if place is None or (place.path != place.field and not place.live and not place.is_section):
            raise ConfigError(self._unknown(self.descent, path, str(line_of_caller())))
        self._make(_change(path, Edit.RESET, line_of_caller()))

    def _make(self, change: Change) -> None:
        if self.is_locked:
            key = render_key_path(change.path)
            raise Frozen(Problem(f"{key} cannot change: the draft is locked", str(change.origin), fix="draft.unlock()"))
        before = self.changes
        self.changes = [*self._kept(change), change]
        descent = Descent(self.template, self.layers)
        try:
            problems = list(self._problems(descent, change))
        except BaseException:
            self.changes = before
            raise
        if problems:
            self.changes = before
            raise ConfigError(*problems)
        self._descent, self._config = descent, None
        if change.moves:
            self.moves = [*self.moves, change]

    def _kept(self, change: Change) -> list[Change]:
        """The edits that still count beside a new one: all but those at its path and below."""
        if isinstance(change.value, Appended):
            return self.changes
        place = self.descent.place(change.path)
        if place is not None and place.kind is not None and place.kind == change.value:
            # Choosing the kind in force once more takes nothing away that was said for it.
            return [earlier for earlier in self.changes if earlier[:2] != change[:2]]
        kept: list[Change] = []
        is_void = True
        for earlier in reversed(self.changes):
            is_void = is_void and not (earlier.rearranges and change.path[: len(earlier.path) - 1] == earlier.path[:-1])
            if not (is_void and earlier.path[: len(change.path)] == change.path):
                kept.append(earlier)
        return kept[::-1]

    def still(self, path: KeyPath, since: int) -> KeyPath:
        """A path that was taken after so many moves, if it means what it meant.

        Raises:
            MissingKey: What stood there is not there any more, or not there alone.
        """
        for change in self.moves[since:]:
            if change.moved(path):
                key = render_key_path(path)
                what = f"what was taken as {key} has gone, moved or been replaced since ({change.origin})"
                raise MissingKey(Problem(what, str(line_of_caller()), fix=f"take it from the draft again: draft.{key}"))
        return path

    @contextmanager
    def together(self) -> "Iterator[Edits]":
        """Edits to make several of, which count if none of them is refused."""
        trial = self.copy()
        yield trial
        self.take_over(trial)

    def copy(self) -> "Edits":
        """The same edits, to go on with apart."""
        twin = Edits.__new__(Edits)
        twin.__dict__.update(self.__dict__)
        return twin

    def take_over(self, other: "Edits") -> None:
        """Hold what another holds.

        Raises:
            Frozen: The draft is locked.
        """
        self.__dict__.update(other.__dict__)

    # --- what is wrong with an edit ---------------------------------------------------------------------------------

    def _problems(self, descent: Descent, change: Change) -> list[Problem]:
        """What is wrong with an edit, as far as it can be told without the values of other keys."""
        place = descent.root
        field = place
        for depth, step in enumerate(change.path):
            child = place.child(step)
            if descent.problems:
                return descent.problems
            if child is None and change.value is Edit.RESET and depth == len(change.path) - 1:
                break
            if child is None:
                return [self._unknown(descent, change.path, str(change.origin))]
            place = child
            field = place if place.path == place.field or place.is_section else field
        shaped = [(one, *shape_at(one)) for one in _changed(field, change.value)]
        return descent.problems or [problem for one in shaped for problem in _wrong_values(*one)]

    def _unknown(self, descent: Descent, path: KeyPath, where: str) -> Problem:
        today = present_path(self.template, path)
        depth = next((at for at in range(1, len(path)) if descent.place(path[:at]) is None), len(path))
        path = path[:depth]
        above = descent.place(path[:-1])
        if above is not None and above.is_section:
            problem = unknown_key(above, str(path[-1]), Origin(where), DRAFT)
            return problem if today[:depth] == path else replace(problem, suggestion=render_key_path(today))
        known = [] if above is None else [render_key_path((*path[:-1], step)) for step in known_keys(above)]
        key = render_key_path(path)
        return Problem(f"there is no key {key!r}", where, suggestion=nearest(key, known))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_descent": None, "_config": None}


def _whole(config: Config[Any], story: Story) -> Config[Any]:
    return config if config.params is story.root else Config(story.root, story)


def _change(path: KeyPath, value: object, origin: Origin) -> Change:
    return Change(path, value, origin, branch_at(path, value, origin))


def _change_in(root: Branch) -> Change:
    """The edit that a root of an earlier draft's layer holds: down to what is all there is to be, or a value."""
    path: list[str | int] = []
    held: Any = root
    while isinstance(held, Positions) or (isinstance(held, Branch) and not held.replaces):
        [(step, held)] = held.items()
        path.append(step)
    return Change(tuple(path), held, root.origin, root)


def _changed(place: Place, value: object) -> list[Place]:
    """What an edit at a place has changed: of a list that it appends to, the new items at the end."""
    if not (isinstance(value, Appended) and isinstance(value.items, Items) and place.is_list):
        return [place]
    length = place.length()
    added = (place.child(position) for position in range(length - len(value.items), length))
    return [item for item in added if item is not None]


def _wrong_values(place: Place, value: Any, slots: Mapping[KeyPath, Slot]) -> Iterator[Problem]:
    """What is wrong with the values at a place and below; what is a reference, or a formula's, is not known yet."""
    if place.is_section or isinstance(place.node, (ListNode, MapNode)):
        entries = value.items() if isinstance(value, dict) else enumerate(value or ())
        for step, item in entries:
            child = place.child(step)
            if child is not None:
                yield from _wrong_values(child, item, slots)
        return
    entry = place.entry
    is_known = (
        value is not ABSENT
        and not is_unsettled(value)
        and not any(path[: len(place.path)] == place.path for path in slots)
    )
    # A validator that asks for other fields has its say when the draft is locked.
    if entry is not None and entry.is_leaf and is_known and not fields_before(entry):
        try:
            entry.validator.validate_python(value)
        except Exception as error:  # noqa: BLE001  # whatever a user's validator raises is told with its key
            yield from problems_of_failure(place.descent, Failure(place.path[:-1], entry.template, entry.name, error))


def setting_from(template: type[ConfigTemplate], path: KeyPath, value: object, origin: Origin) -> object:
    """A Python value as a setting; a section or mapping is all there is to be, and is merged with nothing.

    Raises:
        ConfigError: It is nothing that could stand there, or holds itself.
    """
    setting = branch_from({"value": settings_at(template, path, value, where=str(origin))}, origin)["value"]
    if isinstance(setting, Branch):
        setting.replaces = True
    return setting
