"""YAML 1.2 (core schema) as a tree of settings that knows the line and column of every key.

PyYAML's C parser gives events; the tree is built from them directly. Its own constructor would read YAML 1.1 (`on` is
true, `12:30` is 750, `1e-3` is text), forget every position, and take three times as long.
"""

from collections.abc import Callable
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from typedcfg.errors import ConfigError, Problem
from typedcfg.origin import Origin
from typedcfg.sources.base import (
    INSTRUCTION_MARK,
    MOST_EXPANDED,
    REFERENCE_MARK,
    Branch,
    Items,
    branch_from,
    is_unsettled,
)
from typedcfg.sources.yaml_mistakes import PlaceOf, invalid, unprintable
from typedcfg.sources.yaml_scalars import WORDS, resolve_plain
from typedcfg.text import nearest, shorten, spaced

_MOST_LEVELS: Final = 200
_FIRST_LETTER: Final = "A"
"""Keys that begin with a letter are names; `<<` and those that begin with `$` come before."""


def read_yaml(text: str, source: str) -> Branch:
    r"""The tree that a YAML document says; `$` keys stand in it as they were written.

    An alias shares the object of its anchor, so what is read must not be changed in place.

    Args:
        text: The document.
        source: What origins call it: the file's path as the user gave it.

    Raises:
        ConfigError: With every problem up to the first that ends parsing: duplicate and non-scalar keys, `<<`, tags,
            several documents, a top level that is no mapping, aliases that expand without bound, invalid YAML.

    Example:
        >>> tree = read_yaml("loader:\n  batch_size: 0x10\n  cache: on\n", "base.yaml")
        >>> tree
        {'loader': {'batch_size': 16, 'cache': 'on'}}
        >>> str(tree["loader"].origins["cache"])
        'base.yaml:3:3'
    """
    reader = _Reader(text, source, lambda line, column: f"{source}:{line}:{column}")
    top = reader.read()
    if top is None:
        top = Branch(Origin(source, 1, 1))
    elif not isinstance(top, Branch):
        found = "a list" if isinstance(top, Items) else shorten(repr(top))
        reader.problems.append(
            Problem(
                f"the top level is {found}",
                where=f"{source}:1:1",
                expected="a mapping: `key: value` lines",
                fix=spaced(top) if isinstance(top, str) else "",
            )
        )
        top = Branch(Origin(source, 1, 1))
    ConfigError.raise_any(reader.problems)
    return top


def read_flow(text: str, origin: Origin) -> object:
    """The value of a text in flow style: `{momentum: 0.9}`, `[1, 2]`; what it holds stands at `origin` throughout.

    Raises:
        ConfigError: As for `read_yaml`.
    """
    end = len(text) + 1
    # The parser puts the end of a text at the beginning of the line below it.
    reader = _Reader(text, origin.source, lambda line, n: f"{origin}, column {n if line == 1 else end} of the value")
    value = reader.read()
    ConfigError.raise_any(reader.problems)
    return branch_from({"value": value}, origin)["value"]


class _Anchored:
    """What an anchor names, and how large it is once written out."""

    __slots__ = ("begun", "depth", "entries", "levels", "value")

    def __init__(self, value: object) -> None:
        self.value = value
        self.entries = 1
        """Entries that an alias adds; 0 while the end has not been read."""
        self.levels = 0
        """Levels of nesting that an alias adds."""
        self.depth = 0
        self.begun = (0, 0)
        """The reader's count of entries and deepest level when this began."""


class _Reader:
    """One document on its way from events to a tree; iterative, so that no nesting can exhaust the stack."""

    def __init__(self, text: str, source: str, place: PlaceOf) -> None:
        self.problems: list[Problem] = []
        self._text = text
        self._source = source
        self._place = place
        self._plain = dict(WORDS)
        """What plain scalars mean, each text resolved once: sections of one document repeat their values."""
        self._anchors: dict[str, _Anchored] = {}
        self._open_anchors: list[_Anchored] = []
        self._counted = 0
        """Entries of the containers that have ended, aliases written out."""
        self._deepest = 0
        """The deepest level since the innermost open anchor began."""
        self._aliased = 0
        """Entries that aliases stand for."""

    def read(self) -> object:
        """The value of the only document; None if there is none.

        Raises:
            ConfigError: With the problems found so far, when parsing cannot go on.
        """
        try:
            return self._read()
        except yaml.reader.ReaderError as error:
            self._stop(unprintable(error.reason, self._text, self._place))
        except UnicodeEncodeError as error:
            self._stop(unprintable(error.reason, self._text, self._place))
        except yaml.MarkedYAMLError as error:
            self._stop(invalid(error, self._text, self._place))
        return None

    def _read(self) -> object:
        # The stubs of PyYAML leave loaders untyped; the C one is missing where PyYAML was built without libyaml.
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._next_event: Callable[[], Event] = loader(self._text).get_event
        self._next_event()  # the start of the stream
        event = self._next_event()
        if not isinstance(event, DocumentStartEvent):
            return None
        if event.version == (1, 1):
            self._complain(
                "the document declares YAML 1.1",
                event,
                expected="YAML 1.2",
                fix="drop the %YAML line: `on` is text here",
            )
        # The document itself is read as a list of one item, so that its value needs no case of its own.
        document = Items(origin=self._origin(event))
        path: list[Branch | Items] = [document]
        while path:
            container = path[-1]
            if isinstance(container, Branch):
                self._read_branch(path, container)
            else:
                self._read_items(path, container)
        if isinstance(event := self._next_event(), DocumentStartEvent):
            self._stop(
                Problem("a second document begins", where=self._at(event.start_mark), fix="give each its own file")
            )
        return document[0]

    # -- entries ------------------------------------------------------------------------------------------------------

    def _read_branch(self, path: list[Branch | Items], branch: Branch) -> None:
        """Read entries until another container is next."""
        # Large files pass through this loop whole. A usual entry takes no call in it: calls would be half of the time.
        next_event, plain, source = self._next_event, self._plain, self._source
        origins, new_origin = branch.origins, tuple.__new__
        while True:
            event: Any = next_event()
            if type(event) is ScalarEvent:
                key = event.value
                if key < _FIRST_LETTER or event.tag or event.anchor:
                    self._look_at_key(branch, event)
                if key in branch:
                    self._complain_twice(branch, event)
            elif type(event) is MappingEndEvent:
                return self._close(path)
            else:
                key = self._skip_key(event)
            mark = event.start_mark
            origins[key] = new_origin(Origin, (source, mark.line + 1, mark.column + 1))
            event = next_event()
            if type(event) is not ScalarEvent:
                return self._nest(path, key, event)
            value: object = event.value
            if event.tag or event.anchor or (event.implicit[0] and value not in plain):
                value = self._scalar(event)
            elif event.implicit[0]:
                value = plain[event.value]
            branch[key] = value
            if value.__class__ is str and REFERENCE_MARK in value:
                branch.unsettled = True

    def _read_items(self, path: list[Branch | Items], items: Items) -> None:
        """The same for a list."""
        next_event, plain, source = self._next_event, self._plain, self._source
        origins, new_origin = items.origins, tuple.__new__
        while True:
            event: Any = next_event()
            if type(event) is not ScalarEvent:
                return self._nest(path, "", event)
            mark: Any = event.start_mark
            origins.append(new_origin(Origin, (source, mark.line + 1, mark.column + 1)))
            value: object = event.value
            if event.tag or event.anchor or (event.implicit[0] and value not in plain):
                value = self._scalar(event)
            elif event.implicit[0]:
                value = plain[event.value]
            items.append(value)
            if value.__class__ is str and REFERENCE_MARK in value:
                items.unsettled = True

    def _scalar(self, event: ScalarEvent) -> object:
        """The value of any scalar: marked, quoted, or plain and new."""
        value: object = event.value
        if event.tag:
            self._complain_tag(event)
        elif event.implicit[0]:
            try:
                value = self._plain[event.value] = resolve_plain(event.value)
            except ValueError as error:
                self._complain(str(error), event)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value)
        return value

    # -- containers ---------------------------------------------------------------------------------------------------

    def _nest(self, path: list[Branch | Items], key: str, event: Event) -> None:
        if isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            self._open(path, key, event)
        elif isinstance(event, AliasEvent):
            self._expand(path, key, event)
        else:
            self._close(path)

    def _open(self, path: list[Branch | Items], key: str, event: MappingStartEvent | SequenceStartEvent) -> None:
        mark: Any = event.start_mark
        origin = Origin(self._source, mark.line + 1, mark.column + 1)
        container = Branch(origin) if isinstance(event, MappingStartEvent) else Items(origin=origin)
        above = path[-1]
        if isinstance(above, Branch):
            above[key] = container  # which stands where its key does
        else:
            above.put(container, origin)
        path.append(container)
        depth = len(path)
        if depth > self._deepest:
            self._deepest = depth
            if depth > _MOST_LEVELS + 1:
                self._stop(self._too_deep(event))
        if event.tag:
            self._complain_tag(event)
        if event.anchor:
            anchored = self._anchors[event.anchor] = _Anchored(container)
            anchored.entries = 0
            anchored.depth = depth
            anchored.begun = (self._counted, self._deepest)
            self._open_anchors.append(anchored)
            self._deepest = depth

    def _close(self, path: list[Branch | Items]) -> None:
        container = path.pop()
        self._counted += len(container)
        if container.unsettled and path:
            path[-1].unsettled = True
        if self._open_anchors and self._open_anchors[-1].value is container:
            anchored = self._open_anchors.pop()
            counted, deepest = anchored.begun
            anchored.entries = self._counted - counted + 1
            anchored.levels = self._deepest - anchored.depth + 1
            self._deepest = max(self._deepest, deepest)

    def _expand(self, path: list[Branch | Items], key: str, event: AliasEvent) -> None:
        """Put what an alias names, within bounds: aliases of aliases grow exponentially."""
        assert event.anchor is not None
        anchored = self._anchors.get(event.anchor)
        value: object = None
        if anchored is None:
            near = nearest(event.anchor, self._anchors)
            self._complain(f"no anchor &{event.anchor} before this alias", event, suggestion=near and f"*{near}")
        elif not anchored.entries:
            self._complain(f"the alias *{event.anchor} stands inside what it names", event, fix="write the value out")
        else:
            value = anchored.value
            self._counted += anchored.entries
            self._aliased += anchored.entries
            self._deepest = max(self._deepest, len(path) + anchored.levels)
            if self._aliased > MOST_EXPANDED:
                what = f"aliases expand to more than {MOST_EXPANDED} entries"
                self._stop(Problem(what, where=self._at(event.start_mark), fix="write the values out"))
            if self._deepest > _MOST_LEVELS + 1:
                self._stop(self._too_deep(event))
        self._add(path[-1], key, value, self._origin(event))

    def _add(self, container: Branch | Items, key: str, value: object, origin: Origin) -> None:
        """Put an entry that is no scalar; in a mapping it stands where its key does."""
        if isinstance(container, Branch):
            container[key] = value
            container.unsettled = container.unsettled or is_unsettled(value)
        else:
            container.put(value, origin)

    # -- keys ---------------------------------------------------------------------------------------------------------

    def _look_at_key(self, branch: Branch, event: ScalarEvent) -> None:
        """Judge a key that may be more than a name."""
        if event.tag:
            self._complain_tag(event)
        elif event.anchor:
            self._anchors[event.anchor] = _Anchored(event.value)
        elif event.value == "<<":
            if event.implicit[0]:
                fix = "give the shared keys a file and write `$extends: that-file.yaml`"
                self._complain("merge key <<", event, fix=fix)
        elif event.value.startswith(INSTRUCTION_MARK):
            branch.unsettled = True

    def _skip_key(self, event: Event) -> str:
        """Read past a key that is a mapping, a list or an alias; what it stood for is reported."""
        what = "an alias" if isinstance(event, AliasEvent) else "a list or mapping"
        self._complain(f"{what} as a key", event, expected="text", fix="write the key out")
        depth = 0 if isinstance(event, AliasEvent) else 1
        while depth:
            inner = self._next_event()
            if isinstance(inner, (MappingStartEvent, SequenceStartEvent)):
                depth += 1
            elif not isinstance(inner, (ScalarEvent, AliasEvent)):
                depth -= 1
        return f"<key at {self._at(event.start_mark)}>"

    # -- problems -----------------------------------------------------------------------------------------------------

    def _complain(
        self, what: str, event: Event, *, expected: str = "", suggestion: str | None = None, fix: str = ""
    ) -> None:
        self.problems.append(
            Problem(what, where=self._at(event.start_mark), expected=expected, suggestion=suggestion, fix=fix)
        )

    def _complain_twice(self, branch: Branch, event: ScalarEvent) -> None:
        first = branch.origins[event.value]
        assert first.line is not None
        assert first.column is not None
        what = f"key {event.value!r} stands twice in one mapping"
        where = f"{self._at(event.start_mark)}\n{self._place(first.line, first.column)} (the first)"
        self.problems.append(Problem(what, where=where, fix="keep one of them"))

    def _complain_tag(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        assert event.tag is not None
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        fix = "drop the tag; quote the value if it is text" if isinstance(event, ScalarEvent) else "drop the tag"
        self._complain(f"tag {shorten(tag)}", event, expected="no tags: a field's type says what its value is", fix=fix)

    def _too_deep(self, event: Event) -> Problem:
        return Problem(f"nested deeper than {_MOST_LEVELS} levels", where=self._at(event.start_mark), fix="flatten it")

    def _stop(self, problem: Problem) -> None:
        raise ConfigError(*self.problems, problem)

    def _at(self, mark: Any) -> str:
        return self._place(mark.line + 1, mark.column + 1)

    def _origin(self, event: Event) -> Origin:
        mark: Any = event.start_mark
        return Origin(self._source, mark.line + 1, mark.column + 1)
