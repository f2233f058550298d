"""Migrate: what a saved file says, brought from the schema that wrote it to today's, before anything else looks at it.

A migration is a user's function from plain values to plain values: it knows nothing of places. What it leaves where
it was keeps its place, and so does what it moves, for a dict, a text or a float is the same object wherever it goes.
Only what it made itself has the migration for its origin.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, time
from typing import Any, Final

from typedcfg.compiler.crashes import raised_in
from typedcfg.compiler.declared import may_hold_secret
from typedcfg.compiler.shown import shown
from typedcfg.errors import ConfigError, Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import MOST_LEVELS, Branch, Items, Layer, Positions
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.migrations import Migration, Values, migrations_of
from typedcfg.text import an

_VALUES: Final = (str, int, float, date, time, type(None))
"""What a file may hold beside lists and mappings; a truth value is an int."""

_SHARED_INTS: Final = range(-5, 257)
"""Integers of which Python keeps one object for all: that one stands in two places says nothing."""

_ABSENT: Final = object()


def migrate(template: type[ConfigTemplate], layers: Sequence[Layer], problems: list[Problem]) -> list[Layer]:
    """The layers as today's schema reads them; one that cannot be migrated says nothing, and a problem says why.

    Raises:
        TemplateError: The template's migrations are no chain.
    """
    # Asked for first: a gap is told when the template is first compiled, not when an old file is first read.
    migrations_of(template)
    # Of a part that is mounted its source has said already that it must not bear a version.
    return [layer if layer.version is None or layer.top else _migrated(template, layer, problems) for layer in layers]


def _migrated(template: type[ConfigTemplate], layer: Layer, problems: list[Problem]) -> Layer:
    chain = migrations_of(template)
    version, today = layer.version, 1 + len(chain)
    assert version is not None, "only saved files are migrated"
    if version > today:
        problems.append(_too_new(template, layer, today))
        return replace(layer, roots=())
    steps = chain[version - 1 :]
    roots = layer.roots
    try:
        if steps:
            tree = _as_one(layer)
            for step in steps:
                tree = _applied(template, step, layer, tree)
            roots = (tree,)
    except ConfigError as error:
        problems += error.problems
        roots = ()
    return replace(layer, roots=roots, version=today, migrated=(*layer.migrated, *map(str, steps)))


def _as_one(layer: Layer) -> Branch:
    """The tree of a saved file, in which mappings that replace what is weaker are marked rather than said before."""
    *before, own = layer.roots
    for root in before:
        _join(root, own)
    return own


def _join(said: object, own: object) -> object:
    """What was said before and what is said in the end, as one: marked as it replaces, and its lists whole."""
    if isinstance(said, Branch) and isinstance(own, Branch):
        own.replaces = own.replaces or said.replaces
        for key in said.keys() & own.keys():
            own[key] = _join(said[key], own[key])
    elif isinstance(said, Items) and isinstance(own, Positions):
        whole = Items(origin=said.origin)
        for position, (item, origin) in enumerate(zip(said, said.origins, strict=True)):
            whole.put(_join(item, own[position]) if position in own else item, origin)
        return whole
    elif isinstance(said, Positions) and isinstance(own, Items):
        for position, item in said.items():
            own[position] = _join(item, own[position])
    return own


def _too_new(template: type[ConfigTemplate], layer: Layer, today: int) -> Problem:
    return Problem(
        f"{layer.name} was saved by version {layer.version} of {template.__qualname__}, and this is version {today}",
        where=str(layer.roots[0].origin),
        expected=f"version {today} or older",
        fix=f"update the code of {template.__qualname__}, or import the module that declares its migrations",
    )


def _applied(template: type[ConfigTemplate], migration: Migration, layer: Layer, root: Branch) -> Branch:
    """What one migration makes of a tree.

    Raises:
        ConfigError: It raises, or returns what no file could hold.
    """
    retraced = _Retraced(root, migration, layer)
    try:
        values = migration.function(retraced.values)
    except (Exception, SystemExit) as error:  # whatever a user's function raises is told with its name and place
        raise ConfigError(_failed(template, migration, layer, error)) from error
    return retraced.root(values)


def _failed(
    template: type[ConfigTemplate], migration: Migration, layer: Layer, error: Exception | SystemExit
) -> Problem:
    name, place = raised_in(error)
    # The text of an error may quote what was read, and which of the old values were secrets nobody knows any more.
    told = "" if may_hold_secret(template, ()) else f": {error}"
    return Problem(
        f"{layer.name} cannot be migrated by {migration}: {type(error).__name__}{told}",
        where=f"{layer.name}\n{place or migration.origin} (in {name if place else migration.name})",
        expected="a function that reads every configuration that its version has saved",
    )


class _Retraced:
    """Values on their way through a migration, and where each of them was written."""

    def __init__(self, before: Branch, migration: Migration, layer: Layer) -> None:
        self._before = before
        self._migration = migration
        self._layer = layer
        self._made = Origin(f"{layer.name}, migrated by {migration}")
        self._containers: dict[int, tuple[Any, Branch | Items, Origin]] = {}
        """By the id of the dict or list that stands for it: that one, kept alive; its tree; where it was named."""
        self._scalars: dict[int, Origin] = {}
        self._repeated: Counter[int] = Counter()
        self.values: Values = self._plain(before, before.origin)
        """What the migration is given: ordinary dicts and lists of its own."""

    def root(self, values: object) -> Branch:
        """The tree of what the migration returned.

        Raises:
            ConfigError: No file could hold it.
        """
        if not isinstance(values, dict):
            shown = "None" if values is None else an(type(values).__qualname__)
            raise self._nonsense(f"returned {shown}", expected="the values as the next version reads them, a dict")
        return self._branch(values, self._before, self._before.origin, ())

    # --- before -----------------------------------------------------------------------------------------------------

    def _plain(self, tree: object, place: Origin) -> Any:
        made: dict[str, object] | list[object]
        if isinstance(tree, Branch):
            made = {key: self._plain(value, tree.origins[key]) for key, value in tree.items()}
        elif isinstance(tree, Items):
            made = [self._plain(value, origin) for value, origin in zip(tree, tree.origins, strict=True)]
        else:
            self._scalars[id(tree)] = place
            self._repeated[id(tree)] += 1
            return tree
        self._containers[id(made)] = made, tree, place
        return made

    # --- behind -----------------------------------------------------------------------------------------------------

    def _tree(self, value: object, was: object, place: Origin, path: KeyPath) -> object:
        if isinstance(value, dict):
            return self._branch(value, was, place, path)
        if isinstance(value, (list, tuple)):
            return self._items(value, was, place, path)
        if not isinstance(value, _VALUES):
            what = f"returned {an(type(value).__qualname__)} at {render_key_path(path)}"
            raise self._nonsense(
                what, expected="what a file can hold: dicts, lists, texts, numbers, truth values, None"
            )
        return value

    def _branch(self, values: dict[Any, object], was: object, place: Origin, path: KeyPath) -> Branch:
        self._refuse_endless(path)
        twin = self._twin(values, was)
        known = isinstance(twin, Branch)
        branch = Branch(twin.origin if known else place)
        branch.replaces = known and twin.replaces
        for key, value in values.items():
            if not isinstance(key, str):
                what = f"returned the key {key!r} {f'at {render_key_path(path)}' if path else 'at the top'}"
                raise self._nonsense(what, expected="keys that are text")
            old = twin.get(key, _ABSENT) if known else _ABSENT
            origin = self._place(value, old, twin.origins[key] if old is not _ABSENT else None)
            branch.put(key, self._tree(value, old, origin, (*path, key)), origin)
        return branch

    def _items(self, values: Sequence[object], was: object, place: Origin, path: KeyPath) -> Items:
        self._refuse_endless(path)
        twin = self._twin(values, was)
        known = isinstance(twin, Items)
        items = Items(origin=twin.origin if known else place)
        for position, value in enumerate(values):
            is_old = known and position < len(twin)
            old = twin[position] if is_old else _ABSENT
            origin = self._place(value, old, twin.origins[position] if is_old else None)
            items.put(self._tree(value, old, origin, (*path, position)), origin)
        return items

    def _twin(self, values: object, was: object) -> Any:
        """The tree that a dict or list was before, wherever it stood; else what stood where it stands now."""
        known = self._containers.get(id(values))
        return was if known is None else known[1]

    def _place(self, value: object, was: object, place: Origin | None) -> Origin:
        """Where a value was written: what stood there before, or elsewhere; else the migration made it."""
        if known := self._containers.get(id(value)):
            return known[2]
        if place is not None and _is_same(value, was):
            return place
        is_told_apart = self._repeated[id(value)] == 1 and not _is_shared(value)
        return self._scalars[id(value)] if is_told_apart else self._made

    def _refuse_endless(self, path: KeyPath) -> None:
        if len(path) > MOST_LEVELS:
            what = f"returned more than {MOST_LEVELS} lists and mappings within one another"
            raise self._nonsense(what, expected="values that do not hold themselves")

    def _nonsense(self, what: str, *, expected: str) -> ConfigError:
        return ConfigError(
            Problem(
                f"{self._layer.name} cannot be migrated by {self._migration}: {self._migration.name} {what}",
                where=f"{self._layer.name}\n{self._migration.origin} (the migration)",
                expected=expected,
            )
        )


def _is_same(value: object, was: object) -> bool:
    """Whether a value is what stood in its place: the same scalar, or another mapping or list made in its stead."""
    if isinstance(value, dict) or isinstance(was, Branch):
        return isinstance(value, dict) and isinstance(was, Branch)
    if isinstance(value, (list, tuple)) or isinstance(was, Items):
        return isinstance(value, (list, tuple)) and isinstance(was, Items)
    return value is was or (type(value) is type(was) and value == was)


def _is_shared(value: object) -> bool:
    """Whether Python keeps one object for all that are equal, so that a value and another's are the same by chance."""
    if isinstance(value, str):
        return len(value) <= 1
    return value is None or (isinstance(value, int) and value in _SHARED_INTS)


def migration_notes(layers: Sequence[Layer]) -> Iterator[str]:
    """The steps that brought saved files to today's schema, a line each."""
    for layer in layers:
        yield from (f"{layer.name} is migrated by {step}" for step in layer.migrated)


def differences(before: Branch, after: Branch) -> Iterator[str]:
    """What migrations changed in a tree, a line for each value."""
    earlier, later = dict(_leaves(before, ())), dict(_leaves(after, ()))
    for path in {**earlier, **later}:
        was, now = earlier.get(path, _ABSENT), later.get(path, _ABSENT)
        if not _is_same(now, was):
            words = ("absent" if value is _ABSENT else shown(value) for value in (was, now))
            yield f"{render_key_path(path)}: {' -> '.join(words)}"


def _leaves(tree: object, path: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    """The values of a tree; a list or mapping that holds nothing is one."""
    inner = enumerate(tree) if isinstance(tree, Items) else tree.items() if isinstance(tree, Branch) else ()
    if not isinstance(tree, (Branch, Items)) or not tree:
        yield path, tree
    for step, value in inner:
        yield from _leaves(value, (*path, step))
