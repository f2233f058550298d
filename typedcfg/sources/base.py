"""What every source yields: layers of settings, each with its origin.

A *setting* is one value for one key and the place that asked for it. Settings are kept as trees rather than as a
list of paths: a file is one already, and merging trees is what makes large files cheap. A `Branch` is a mapping as
it was written, an `Items` a list; both know where each of their entries stands. Both are `dict` and `list` to
everyone else, so that a merged tree goes to pydantic as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from typedcfg.errors import ConfigError, Problem
from typedcfg.key_path import KeyPath
from typedcfg.origin import Origin

REFERENCE_MARK: Final = "${"
INSTRUCTION_MARK: Final = "$"
"""Begins the keys of a file that say what to do (`$extends`) rather than name a setting."""
_REBUILT: Final = Origin("")
MOST_LEVELS: Final = 200
"""How many lists and mappings may lie within one another."""
MOST_EXPANDED: Final = 100_000
"""Entries that the aliases of a file, or references to whole lists and mappings, may come to when written out."""


class Branch(dict[str, object]):
    """A mapping as it was written; keys are text, whatever the format."""

    __slots__ = ("origin", "origins", "replaces", "unsettled")

    def __init__(self, origin: Origin) -> None:
        """An empty mapping that stands at `origin`."""
        self.origin = origin
        self.origins: dict[str, Origin] = {}
        self.replaces = False
        """Whether it is all there is to be, rather than something to merge with what is weaker."""
        self.unsettled = False

    def put(self, key: str, value: object, origin: Origin) -> None:
        """Set one entry and where it stands."""
        self[key] = value
        self.origins[key] = origin
        self.unsettled = self.unsettled or key.startswith(INSTRUCTION_MARK) or is_unsettled(value)


class Items(list[object]):
    """A list as it was written."""

    __slots__ = ("origin", "origins", "unsettled")

    def __init__(self, values: Iterable[object] = (), *, origin: Origin = _REBUILT) -> None:
        """A list that stands at `origin`; empty but where pydantic rebuilds a sequence by calling its class."""
        super().__init__(values)
        self.origin = origin
        self.origins: list[Origin] = []
        self.unsettled = False

    def put(self, value: object, origin: Origin) -> None:
        """Append one item and where it stands."""
        self.append(value)
        self.origins.append(origin)
        self.unsettled = self.unsettled or is_unsettled(value)


class Positions(dict[int, object]):
    """Edits to single items of a list that a weaker layer wrote: `layers[2].width=64`."""

    __slots__ = ("origin", "origins", "unsettled")

    def __init__(self, origin: Origin) -> None:
        """No edits yet."""
        self.origin = origin
        self.origins: dict[int, Origin] = {}
        self.unsettled = True


class Text(str):
    """A value that arrived as bare text, from a command line or a variable: its field's type says what it means."""

    __slots__ = ()


class Appended:
    """Items to add behind those that weaker layers wrote: `tags+=x`."""

    __slots__ = ("items",)

    def __init__(self, items: object) -> None:
        """Hold an `Items`, or a bare text that means one item, or several within brackets."""
        self.items: Final = items


class Removed:
    """Items, or keys of a mapping, to take out of what weaker layers wrote: `tags-=x`."""

    __slots__ = ("items",)

    def __init__(self, items: object) -> None:
        """Hold an `Items`, or a bare text that means one, or several within brackets."""
        self.items: Final = items


class Edit(Enum):
    """An entry that is no value but says what to do with what weaker layers put there."""

    RESET = "back to the default"


def is_unsettled(value: object) -> bool:
    """Whether a value must still be worked on before it can be validated.

    True of references, of bare text, of edits, and of anything that holds one or a `$` key; readers set the flag as
    they build, so that the later stages walk only where there is something to do.
    """
    if isinstance(value, (Branch, Items, Positions)):
        return value.unsettled
    if isinstance(value, str):
        return isinstance(value, Text) or REFERENCE_MARK in value
    return isinstance(value, (Edit, Appended, Removed))


@dataclass(frozen=True, slots=True)
class Layer:
    """All that one source says: one voice.

    Within a layer `kind` and the keys that belong to it may come in any order, in any of its roots; between layers
    the stronger wins.
    """

    name: str
    """`wide.yaml`, `environment`, `command line`."""
    strength: str
    """Which row of the precedence table this layer stands in: `files`, `environment`."""
    roots: tuple[Branch, ...]
    """Trees in the order they were written; a file has one, a command line one for each argument."""
    version: int | None = None
    """The schema version that a saved file was written by, where it says so; else it is of today's."""
    migrated: tuple[str, ...] = ()
    """The migrations that brought it from there to today's schema."""
    top: KeyPath = ()
    """Where the top of the document stands: a part that a file mounts begins at the mapping that mounts it."""


class Source(Protocol):
    """Anything settings can be read from."""

    def read(self) -> Iterable[Layer]:
        """The layers of this source, weakest first.

        One that yields gives what it could read before it raises, so that what is wrong there is told as well.

        Raises:
            ConfigError: With every problem that this source has.
        """
        ...


class Whole(dict[object, object]):
    """A mapping that is a value as a whole: what an instance holds, not what is to be merged with a default."""


def branch_from(values: Mapping[str, object], origin: Origin) -> Branch:
    """A tree of settings from plain Python values, all at one origin.

    Raises:
        ConfigError: A list or mapping lies within more others than can be meant: within itself, most likely.
    """
    top = Branch(origin)
    containers: list[Branch | Items] = [top]
    todo: list[tuple[Branch | Items, Mapping[str, object] | Sequence[object], int]] = [(top, values, 0)]
    while todo:
        target, source, depth = todo.pop()
        if depth > MOST_LEVELS:
            raise endless(str(origin))
        pairs = source.items() if isinstance(source, Mapping) else enumerate(source)
        for key, value in pairs:
            settled: object = value
            if isinstance(value, Mapping):
                settled = Branch(origin)
                settled.replaces = isinstance(value, Whole)
            elif isinstance(value, list):
                settled = Items(origin=origin)
            if isinstance(settled, (Branch, Items)):
                todo.append((settled, value, depth + 1))  # type: ignore[arg-type]  # narrowed by the two lines above
                containers.append(settled)
            if isinstance(target, Branch):
                target.put(str(key), settled, origin)
            else:
                target.put(settled, origin)
    # Children come after their parents in `containers`: settle the flags from the leaves up.
    for container in reversed(containers):
        entries = container.values() if isinstance(container, Branch) else container
        # A `$` key set the flag already, when it was put.
        container.unsettled = container.unsettled or any(map(is_unsettled, entries))
    return top


def endless(where: str = "") -> ConfigError:
    """The error of values that hold themselves, or are nested as if they did."""
    what = f"more than {MOST_LEVELS} lists and mappings lie within one another"
    return ConfigError(Problem(what, where, expected="values that do not hold themselves"))


def branch_at(path: KeyPath, value: object, origin: Origin) -> Branch:
    """The tree that holds one setting: what an override or a variable says.

    Raises:
        ValueError: The path begins with a list position.
    """
    if not path or isinstance(path[0], int):
        raise ValueError(f"a setting needs a key to begin with, not {path!r}")
    entry = value
    for step in reversed(path):
        holder: Branch | Positions
        if isinstance(step, int):
            holder = Positions(origin)
            holder[step] = entry
            holder.origins[step] = origin
        else:
            holder = Branch(origin)
            holder.put(step, entry, origin)
        entry = holder
    assert isinstance(entry, Branch)
    return entry
