"""Drafts of what templates declare: what `config.unlock()` gives."""

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableSequence, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias, overload

from typedcfg.compiler.config import Config
from typedcfg.compiler.drafts.caller import line_of_caller
from typedcfg.compiler.drafts.draft import Draft
from typedcfg.compiler.drafts.edits import Edits
from typedcfg.compiler.lists import position_in
from typedcfg.compiler.place import Place
from typedcfg.compiler.untyped import config_from
from typedcfg.errors import ConfigError, MissingKey, Problem
from typedcfg.key_path import KeyPath, KeyPathError, parse_key_path, render_key_path
from typedcfg.sources.base import MOST_LEVELS, endless
from typedcfg.template.frozen import FrozenDict, FrozenList
from typedcfg.template.nodes import ListNode, MapNode
from typedcfg.template.old_names import present_path
from typedcfg.template.variants import KIND
from typedcfg.text import count, nearest

if TYPE_CHECKING:
    from typedcfg.compiler.diff import Difference

Drafted: TypeAlias = "SectionDraft | ListDraft"


class SectionDraft(Draft):
    """A draft of a section, or of a mapping of sections: it keeps settings, not values.

    What was set stays set, and what follows by a formula or a reference is worked out again when it is read. Assigning
    checks the value at once; what concerns several values, when the draft is locked.

    Example:
        >>> from typedcfg import ConfigTemplate, derived
        >>> class Params(ConfigTemplate):
        ...     batch_size: int = 128
        ...     lr: float = derived(lambda c: c.batch_size / 128 * 0.01)
        >>> draft = Params.compile().unlock()
        >>> draft.batch_size = 512
        >>> draft.lr
        0.04
        >>> draft.lock().params
        Params(batch_size=512, lr=0.04)
    """

    __slots__ = ("_edits", "_since", "_taken")
    _edits: Edits
    _since: int
    _taken: KeyPath

    def __init__(self, edits: Edits, path: KeyPath, /) -> None:
        """Stand at one section of what is edited."""
        super().__init__()
        object.__setattr__(self, "_edits", edits)
        object.__setattr__(self, "_taken", path)
        self._renew()

    def _renew(self) -> None:
        """Stand at the path whatever was done until now."""
        object.__setattr__(self, "_since", len(self._edits.moves))

    @property
    def _at_path(self) -> KeyPath:
        return self._edits.still(self._taken, self._since)

    # --- reading ----------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[str]:
        place = self._place()
        return iter(place.catalog.entries if place.is_section else list(place.names()))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _place(self) -> Place:
        place: Place | None = self._edits.descent.place(self._at_path)
        if place is None or not (place.is_section or isinstance(place.node, MapNode)):
            key = render_key_path(self._at_path)
            raise MissingKey(Problem(f"{key} is no section any more", fix="take it from the draft again"))
        return place

    def _name(self) -> str:
        place = self._place()
        return place.catalog.template.__qualname__ if place.is_section else render_key_path(self._at_path)

    def _path(self, key: str) -> KeyPath:
        if not isinstance(key, str):
            raise MissingKey(Problem(f"{key!r} is no text", expected="a key path: loader.batch_size"))
        if not self._place().is_section:
            return super()._path(key)
        try:
            return parse_key_path(key)
        except KeyPathError as error:
            raise MissingKey(Problem(str(error), expected="a key path: loader.batch_size")) from None

    def _find(self, path: KeyPath) -> Any:
        return found(self._edits, (*self._at_path, *path))

    # --- changing ---------------------------------------------------------------------------------------------------

    def _put(self, path: KeyPath, value: Any) -> None:
        assign(self._edits, (*self._at_path, *path), value)

    def _take(self, path: KeyPath) -> None:
        self._edits.take_back(_counted(self._edits, (*self._at_path, *path)))

    def clear(self) -> None:
        """Let every key go back to what the template says, below files and overrides; a kind stays what it is.

        A mapping of sections is empty then.

        Raises:
            Frozen: The draft is locked.
        """
        place = self._place()
        if not place.is_section:
            assign(self._edits, self._at_path, {})
            self._renew()
            return
        with self._edits.together() as edits:
            for name in place.catalog.entries:
                if name != KIND or place.kind is None:
                    edits.take_back((*self._at_path, name))

    def update(self, other: Any = (), /, **values: Any) -> None:
        """Assign several keys, all of them or none.

        Raises:
            Frozen: The draft is locked.
            ConfigError: A key does not exist, or its value does not fit; nothing has changed then.
        """
        with self._edits.together() as edits:
            twin = SectionDraft(edits, self._at_path)
            for key, value in dict(other, **values).items():
                twin[key] = value

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of a key; of a mapping of sections, which may lack it, after it was set to `default`."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str, *default: Any) -> Any:
        """Take a key out of a mapping of sections, wherever it comes from; what it held is given, or a default.

        Raises:
            ConfigError: The keys are those of a template, and stay.
        """
        self._refuse_pop(repr(key), f"del draft[{key!r}]")
        if default and key not in self:
            return default[0]
        held = settled(self[key])
        assign(self._edits, self._at_path, {name: item for name, item in self.items() if name != key})
        self._renew()
        return held

    def popitem(self) -> tuple[str, Any]:
        """Take the last key out of a mapping of sections, as `pop`."""
        self._refuse_pop("the last key", "del draft[key]")
        names = list(self)
        if not names:
            raise MissingKey(Problem(f"{render_key_path(self._at_path)} is empty"))
        return names[-1], self.pop(names[-1])

    def _refuse_pop(self, key: str, instead: str) -> None:
        if self._place().is_section:
            what = f"{key} cannot be popped: a section has the keys that its template declares"
            raise ConfigError(Problem(what, str(line_of_caller()), fix=f"go back to the default: {instead}"))

    def apply(self, differences: "Sequence[Difference]") -> None:
        """Make the changes that a diff tells of: `draft.apply(a.diff(b))` in a draft of `a` makes `b` of it.

        What a formula made in the other is left to the formula, as far as it comes to the same here.

        Raises:
            ConfigError: A change does not fit; nothing has changed then.
        """
        from typedcfg.compiler.drafts.patch import apply

        apply(self._edits, self._at_path, differences)

    # --- locking ----------------------------------------------------------------------------------------------------

    @property
    def is_locked(self) -> bool:
        """Whether the draft refuses to change."""
        return bool(self._edits.is_locked)

    def lock(self) -> Config[Any]:
        """The configuration that the settings make; the draft refuses to change from then on.

        A draft of a section locks the whole configuration, and gives the section of it.

        Raises:
            ConfigError: With everything that is wrong.
        """
        config = self._edits.config()
        self._edits.is_locked = True
        node: Config[Any] = config[render_key_path(self._at_path)] if self._at_path else config
        return node

    def unlock(self) -> Self:
        """Let the whole draft change again; a configuration that was made from it stays what it is."""
        self._edits.is_locked = False
        return self

    # --- copying and showing ----------------------------------------------------------------------------------------

    def __copy__(self) -> "SectionDraft":
        return SectionDraft(self._edits.copy(), self._at_path)

    def __deepcopy__(self, memo: object) -> "SectionDraft":
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        return SectionDraft, (self._edits, self._at_path)

    def __repr__(self) -> str:
        try:
            self._place()
        except MissingKey:
            return f"Draft({render_key_path(self._taken)} has gone)"
        try:
            held = self._edits.config()
            value = held[render_key_path(self._at_path)] if self._at_path else held
        except ConfigError as error:
            return f"Draft[{self._name()}]({count(len(error.problems), 'problem')} to solve)"
        return repr(value).replace("Config[", "Draft[", 1) if isinstance(value, Config) else f"Draft({value!r})"


class ListDraft(MutableSequence[Any]):
    """A draft of a list of sections: its items are drafts, and can be assigned and taken back one by one.

    What is appended is added to the list as it is. All else that changes an order (`insert`, `pop`, `reverse`, a slice)
    assigns the whole list anew: what was set in its items stays, and a reference in them has become its value.
    """

    __slots__ = ("_edits", "_since", "_taken")
    __hash__ = None  # type: ignore[assignment]  # it changes

    def __init__(self, edits: Edits, path: KeyPath) -> None:
        """Stand at one list of what is edited."""
        self._edits = edits
        self._taken = path
        self._since = len(edits.moves)

    @property
    def _path(self) -> KeyPath:
        return self._edits.still(self._taken, self._since)

    def __len__(self) -> int:
        place = self._edits.descent.place(self._path)
        return place.length() if place is not None else 0

    @overload
    def __getitem__(self, position: int) -> Any: ...
    @overload
    def __getitem__(self, position: slice) -> list[Any]: ...
    def __getitem__(self, position: int | slice) -> Any:
        """An item, as a draft; several as a list."""
        if isinstance(position, slice):
            return [self[at] for at in range(len(self))[position]]
        return found(self._edits, (*self._path, self._position(position)))

    def __setitem__(self, position: int | slice, value: Any) -> None:
        """Assign an item; a slice as in any list."""
        if isinstance(position, slice):
            items = list(self)
            items[position] = value
            self._assign(items)
        else:
            assign(self._edits, (*self._path, self._position(position)), value)

    def __delitem__(self, position: int | slice) -> None:
        """Take back an item, or several: one that the template has goes back to that, any other goes."""
        positions: Iterable[int] = (
            range(len(self))[position] if isinstance(position, slice) else [self._position(position)]
        )
        with self._edits.together() as edits:
            for at in sorted(positions, reverse=True):
                edits.take_back((*self._path, at))

    def _position(self, position: int) -> int:
        """A position counted from the start; an IndexError, by which a loop ends, where there is no item."""
        length = len(self)
        try:
            return range(length)[position]
        except IndexError:
            key = render_key_path((*self._path, position))
            raise IndexError(f"there is no item {key}: expected {position_in(length)}") from None

    def insert(self, position: int, value: Any) -> None:
        """Put an item before another one."""
        items = list(self)
        items.insert(position, value)
        self._assign(items)

    def append(self, value: Any) -> None:
        """Add an item at the end."""
        self.extend([value])

    def extend(self, values: Iterable[Any]) -> None:
        """Add items at the end."""
        self._edits.append(self._path, [settled(value) for value in values])

    def pop(self, position: int = -1) -> Any:
        """Take an item out, wherever it comes from; what it held is given."""
        held = settled(self[position])
        items = list(self)
        del items[position]
        self._assign(items)
        return held

    def remove(self, value: Any) -> None:
        """Take out the first item that is equal."""
        self.pop(self.index(value))

    def reverse(self) -> None:
        """Turn the order round."""
        self._assign(self[::-1])

    def clear(self) -> None:
        """Be an empty list."""
        self._assign([])

    def sort(self, *, key: Callable[[Any], Any], reverse: bool = False) -> None:
        """Bring the items into an order."""
        self._assign(sorted(self, key=key, reverse=reverse))

    def _assign(self, items: list[Any]) -> None:
        assign(self._edits, self._path, items)
        self._since = len(self._edits.moves)

    def __copy__(self) -> "ListDraft":
        return ListDraft(self._edits.copy(), self._path)

    def __deepcopy__(self, memo: object) -> "ListDraft":
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        return ListDraft, (self._edits, self._path)

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, (ListDraft, list, tuple)) else NotImplemented

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self))}]"


def assign(edits: Edits, path: KeyPath, value: Any) -> None:
    """Set what stands at a path.

    Raises:
        Frozen: The draft is locked.
        ConfigError: There is no such key, or the value does not fit; nothing has changed then.
    """
    path = _counted(edits, path)
    if isinstance(value, (SectionDraft, ListDraft)) and stands_at(value) == (edits, path) and not edits.is_locked:
        return  # `draft.layers += [...]` assigns what it has changed in place
    edits.put(path, settled(value))


def found(edits: Edits, path: KeyPath) -> Any:
    """What stands at a path: a draft of sections, or a value.

    Raises:
        MissingKey: There is no such key.
        ConfigError: The value cannot be told, because something is wrong.
    """
    place: Place | None = edits.descent.root
    for depth, step in enumerate(path):
        assert place is not None
        child = place.child(step)
        if child is None:
            known = place.catalog.entries if place.is_section else map(str, place.names())
            near = nearest(str(step), known)
            today = present_path(edits.template, path)
            suggested = today if today != path else (*path[:depth], near) if near else ()
            what = f"there is no key {render_key_path(path)!r}"
            raise MissingKey(Problem(what, suggestion=render_key_path(suggested) or None))
        place = child
    assert place is not None
    if place.is_section or (isinstance(place.node, MapNode) and _is_there(place)):
        return SectionDraft(edits, place.path)
    if isinstance(place.node, ListNode) and _is_there(place):
        return ListDraft(edits, place.path)
    return edits.config()[render_key_path(place.path)]


def _is_there(place: Place) -> bool:
    return bool(place.live) and place.live[-1].value is not None


def settled(value: Any, depth: int = 0) -> Any:
    """A value that is assigned, with drafts in it as what they hold by now.

    Raises:
        ConfigError: A list or mapping holds itself.
    """
    if depth > MOST_LEVELS:
        raise endless(str(line_of_caller()))
    match value:
        case SectionDraft():
            edits, path = stands_at(value)
            held = edits.config()
            return held[render_key_path(path)] if path else held
        case Draft():
            return config_from(value, line_of_caller())
        case ListDraft() | list() if not isinstance(value, FrozenList):
            return [settled(item, depth + 1) for item in value]
        case tuple():
            return getattr(type(value), "_make", tuple)(settled(item, depth + 1) for item in value)
        case Mapping() if not isinstance(value, (Config, FrozenDict)):
            return {key: settled(item, depth + 1) for key, item in value.items()}
    return value


def stands_at(draft: "SectionDraft | ListDraft") -> tuple[Edits, KeyPath]:
    """What a draft edits, and where in it."""
    return draft._edits, draft._at_path if isinstance(draft, SectionDraft) else draft._path  # noqa: SLF001  # no attribute: its name would be lost to fields


def _counted(edits: Edits, path: KeyPath) -> KeyPath:
    """A path with the positions that count from the end counted from the start: the list may grow later."""
    counted: list[str | int] = []
    for step in path:
        place = edits.descent.place(tuple(counted)) if isinstance(step, int) and step < 0 else None
        assert isinstance(step, str) or place is not None or step >= 0
        counted.append(step + place.length() if place is not None and isinstance(step, int) else step)
    return tuple(counted)
