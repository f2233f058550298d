"""The `$` keys of a document: what a mapping does, beside what it says.

A document is taken apart once. What it says is one plain tree, its `own`; what it does are its `steps`, each to be
carried out before the own tree is said: a tree that takes something back or replaces it, or files to mount. Later
stages so see plain trees alone, each in its layer, and the order of the layers is all that is left of the `$` keys.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, KeyPathError, parse_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import (
    INSTRUCTION_MARK,
    REFERENCE_MARK,
    Branch,
    Edit,
    Items,
    Positions,
    branch_at,
    is_unsettled,
)
from typedcfg.template.variants import KIND
from typedcfg.text import nearest, one_of, shorten

EXTENDS: Final = "$extends"
REPLACE: Final = "$replace"
DELETE: Final = "$delete"
VERSION: Final = "$version"
SCHEMA: Final = "$schema"
"""Names the JSON Schema by which an editor completes the file: no business of ours."""
INSTRUCTIONS: Final = (EXTENDS, REPLACE, DELETE, VERSION, SCHEMA)
_OF_THE_FILE: Final = (VERSION, SCHEMA)
"""What is said of a file, and so at its top."""


class Point(NamedTuple):
    """A place in a document, and the kinds that the mappings around it name.

    A tree that is said for this place alone says those kinds as well: it is of one voice with the mapping it was
    written in.
    """

    path: KeyPath = ()
    kinds: tuple[tuple[object, Origin] | None, ...] = ()
    """For each step, the kind of the mapping that it leads out of."""

    def below(self, holder: Branch | Items, step: str | int) -> "Point":
        """The place of one entry of a mapping or list that stands here."""
        names_kind = isinstance(holder, Branch) and KIND in holder and step != KIND
        kind = (holder[KIND], holder.origins[KIND]) if isinstance(holder, Branch) and names_kind else None
        return Point((*self.path, step), (*self.kinds, kind))

    def joined(self, inner: "Point") -> "Point":
        """A place of a document that is mounted here."""
        return Point((*self.path, *inner.path), (*self.kinds, *inner.kinds))

    def root(self, tree: Branch | Items, origin: Origin) -> Branch:
        """What a whole document says that says one tree, at this place."""
        entry: Branch | Items | Positions = tree
        for step, kind in zip(reversed(self.path), reversed(self.kinds), strict=True):
            if isinstance(step, int):
                entry = _one_position(step, entry, origin)
                continue
            holder = Branch(origin)
            if kind is not None:
                holder.put(KIND, *kind)
            holder.put(step, entry, origin)
            entry = holder
        assert isinstance(entry, Branch), "a document is a mapping, and its first step is a key"
        return entry


class Mount(NamedTuple):
    """Files that a mapping stands above: `$extends`."""

    point: Point
    files: tuple[tuple[str, Origin], ...]
    """Paths as they were written, the later the stronger."""


class Document(NamedTuple):
    """A file's tree, taken apart."""

    own: Branch
    """The keys that are settings."""
    steps: tuple[Branch | Mount, ...] = ()
    """What comes before, in order: trees from the top of the document, and files."""
    version: int | None = None
    """The schema version that a saved file was written by."""


def take_apart(tree: Branch) -> tuple[Document, list[Problem]]:
    """What a tree says and what it does, and what is wrong with its `$` keys.

    Within one mapping the order is fixed, however it was written: replace, delete, extend, own keys. A key of the
    user's own that was written `$$` loses one `$`. What holds no `$` key comes back as it is.
    """
    taker = _Taker()
    own = taker.take(tree, Point())
    assert isinstance(own, Branch), "a mapping stays one"
    if VERSION in tree and taker.version is None:
        # Of which schema its keys are nobody knows: none of them can be called wrong.
        return Document(Branch(tree.origin)), taker.problems
    document = Document(own, tuple(taker.steps), taker.version)
    if document.version is not None and taker.additions:
        what = f"{VERSION} says that a configuration was saved, and {taker.additions[0]} was added to it"
        fix = f"let another file extend this one, or take {VERSION} out once it is as today's schema wants it"
        taker.problems.append(Problem(what, where=str(tree.origins.get(VERSION, tree.origin)), fix=fix))
    return document, taker.problems


class _Taker:
    def __init__(self) -> None:
        self.steps: list[Branch | Mount] = []
        self.problems: list[Problem] = []
        self.version: int | None = None
        self.additions: list[str] = []
        """What no saved file holds: of `$` keys, it bears its version and replaces what is to be all there is."""
        self._marked: dict[tuple[int, bool], bool] = {}

    def take(self, value: object, point: Point) -> object:
        """What a value says, without what it does."""
        if isinstance(value, Branch) and self._is_marked(value):
            return self._take_mapping(value, point)
        if isinstance(value, Items) and self._is_marked(value):
            return self._take_edited(value, point) if self._is_marked(value, own=False) else self._take_items(value)
        return value

    def _is_marked(self, value: object, *, own: bool = True) -> bool:
        """Whether a `$` key is somewhere in a value; if `own`, also one that is no step: `$$`, `$replace`."""
        if not (isinstance(value, (Branch, Items)) and value.unsettled):
            return False
        known = self._marked.get((id(value), own))
        if known is None:
            here = isinstance(value, Branch) and any(_is_marked_key(key, own=own) for key in value)
            entries = value.values() if isinstance(value, Branch) else value
            known = here or any(self._is_marked(entry, own=own) for entry in entries)
            self._marked[id(value), own] = known
        return known

    # --- mappings ---------------------------------------------------------------------------------------------------

    def _take_mapping(self, branch: Branch, point: Point) -> Branch:
        own = Branch(branch.origin)
        done: dict[str, tuple[object, Origin]] = {}
        for key, value in branch.items():
            if key in INSTRUCTIONS:
                done[key] = value, branch.origins[key]
            elif key.startswith(INSTRUCTION_MARK * 2):
                own.put(key.removeprefix(INSTRUCTION_MARK), value, branch.origins[key])
            elif key.startswith(INSTRUCTION_MARK):
                self.problems.append(_unknown(key, branch.origins[key]))
            else:
                own.put(key, value, branch.origins[key])
        before = len(self.steps)
        self._take_steps(done, point)
        for key, value in list(own.items()):
            own[key] = self.take(value, point.below(own, key))
        own.unsettled = any(map(is_unsettled, own.values()))
        replaces = REPLACE in done and self._is_true(*done[REPLACE])
        if len(self.steps) == before:
            own.replaces = replaces
        elif replaces or (done and KIND in own):
            self.steps.insert(before, point.root(_first_word(own, replaces=replaces), own.origin))
        return own

    def _take_steps(self, done: dict[str, tuple[object, Origin]], point: Point) -> None:
        """Note what a mapping does below its own keys, in the order in which it is done."""
        for key in [key for key in _OF_THE_FILE if key in done]:
            value, origin = done.pop(key)
            if point.path:
                what, expected = f"{key} inside a section", f"{key} at the top of a file"
                self.problems.append(Problem(what, str(origin), expected=expected))
            elif key == VERSION:
                self._take_version(value, origin)
        self.additions += [key for key in (EXTENDS, DELETE) if key in done]
        files = tuple(self._files(*done[EXTENDS])) if EXTENDS in done else ()
        for path, origin in self._deleted(*done[DELETE]) if DELETE in done else ():
            self.steps.append(point.root(branch_at(path, Edit.RESET, origin), origin))
        if files:
            self.steps.append(Mount(point, files))

    def _take_version(self, value: object, origin: Origin) -> None:
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            self.version = value
        else:
            what = f"{VERSION} is {_as_written(value)}"
            self.problems.append(Problem(what, str(origin), expected="the number of a schema version, from 1"))

    def _is_true(self, value: object, origin: Origin) -> bool:
        if not isinstance(value, bool):
            what = f"{REPLACE} is {_as_written(value)}"
            self.problems.append(Problem(what, str(origin), expected="true: what is written beside it is all there is"))
        return value is True

    def _files(self, value: object, origin: Origin) -> Iterator[tuple[str, Origin]]:
        for path, place in _texts(value, origin):
            if isinstance(path, str) and path and REFERENCE_MARK not in path:
                yield path, place
            else:
                what = f"{EXTENDS} names {_as_written(path)}"
                expected = "a path or a list of paths, relative to this file, without ${...}"
                self.problems.append(Problem(what, where=str(place), expected=expected))

    def _deleted(self, value: object, origin: Origin) -> Iterator[tuple[KeyPath, Origin]]:
        for key, place in _texts(value, origin):
            try:
                path = parse_key_path(key) if isinstance(key, str) else ()
            except KeyPathError:
                path = ()
            if path and isinstance(path[0], str):
                yield path, place
            else:
                what = f"{DELETE} names {_as_written(key)}"
                expected = "a key of this mapping or a list of them, which go back to their defaults"
                self.problems.append(Problem(what, where=str(place), expected=expected))

    # --- lists ------------------------------------------------------------------------------------------------------

    def _take_items(self, items: Items) -> Items:
        """A list in which nothing is done that has to be done before it is said."""
        own = Items(origin=items.origin)
        for item, origin in zip(items, items.origins, strict=True):
            own.put(self.take(item, Point()), origin)
        return own

    def _take_edited(self, items: Items, point: Point) -> Positions:
        """A list whose items do something: it is said first without them, and they as edits to their positions."""
        self.steps.append(point.root(self._hollow(items), items.origin))
        own = Positions(items.origin)
        for position, (item, origin) in enumerate(zip(items, items.origins, strict=True)):
            if self._is_marked(item, own=False):
                own[position] = self.take(item, point.below(items, position))
                own.origins[position] = origin
        return own

    def _hollow(self, items: Items) -> Items:
        """A list as long as another, its items that do something left empty."""
        hollow = Items(origin=items.origin)
        for item, origin in zip(items, items.origins, strict=True):
            if not self._is_marked(item, own=False):
                hollow.put(self.take(item, Point()), origin)
            else:
                hollow.put(self._hollow(item) if isinstance(item, Items) else Branch(origin), origin)
        return hollow


def _first_word(own: Branch, *, replaces: bool) -> Branch:
    """What a mapping says before anything is deleted or mounted in it.

    Its kind is said here already, so that a part which names none is of the one that is named beside it.
    """
    first = Branch(own.origin)
    first.replaces = replaces
    if KIND in own:
        first.put(KIND, own[KIND], own.origins[KIND])
    return first


def _is_marked_key(key: str, *, own: bool) -> bool:
    is_own = key == REPLACE or key.startswith(INSTRUCTION_MARK * 2)
    return key.startswith(INSTRUCTION_MARK) and (own or not is_own)


def _one_position(step: int, entry: object, origin: Origin) -> Positions:
    positions = Positions(origin)
    positions[step] = entry
    positions.origins[step] = origin
    return positions


def _texts(value: object, origin: Origin) -> Iterator[tuple[object, Origin]]:
    """What a `$` key lists, be it one text or several."""
    if isinstance(value, Items):
        yield from zip(value, value.origins, strict=True)
    else:
        yield value, origin


def _as_written(value: object) -> str:
    """A value as a file has it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else shorten(repr(value))


def _unknown(key: str, origin: Origin) -> Problem:
    return Problem(
        f"unknown instruction {shorten(key)!r}",
        where=str(origin),
        expected=one_of(INSTRUCTIONS),
        suggestion=nearest(key, INSTRUCTIONS),
        fix=f"a key of your own that begins with $ is written {shorten('$' + key)!r}",
    )
