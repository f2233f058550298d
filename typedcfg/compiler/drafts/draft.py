# ruff: noqa: SLF001  # a draft works on the drafts within it
"""`Draft`: a configuration while it is being changed.

Without a schema it is a tree of mappings that holds anything, and can be locked. What `config.unlock()`
gives, a `SectionDraft`, looks the same, but keeps settings, and knows from the templates what may be set.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from reprlib import recursive_repr
from typing import Any, Literal, Never, NoReturn, Self

from typedcfg.compiler.config import Config
from typedcfg.compiler.drafts.caller import line_of_caller
from typedcfg.errors import ConfigError, Frozen, MissingKey, Problem
from typedcfg.key_path import KeyPath, KeyPathError, parse_key_path, render_key_path
from typedcfg.sources.base import MOST_LEVELS, endless
from typedcfg.template.frozen import freeze, thaw
from typedcfg.text import an, nearest

OnMissing = Literal["error", "none"]


class Draft(MutableMapping[str, Any]):
    """A mutable tree of values, by attribute, by item and by key path, until it is locked.

    An attribute is a verb if there is one of that name; an item is always a key, or a key path that begins with one:
    any text may be a key. A mapping that is put in becomes a draft as well.

    Example:
        >>> draft = Draft(epochs=5, loader=Draft(batch_size=128))
        >>> draft.loader.batch_size = 256
        >>> draft["loader.batch_size"], draft.get("loader.workers", 0)
        (256, 0)
        >>> config = draft.lock()
        >>> config.loader.batch_size
        256
    """

    __slots__ = ("_is_locked", "_on_missing", "_values")

    def __init__(self, /, *unnamed: Never, **values: Any) -> None:
        """Hold some values; any name may be a key, those of the verbs too.

        Raises:
            ConfigError: A value has no name.
        """
        if unnamed:
            what = "Draft(...) takes values by name, key=value"
            raise ConfigError(Problem(what, str(line_of_caller()), fix="for a mapping: Draft.from_dict(...)"))
        self._begin({}, "error")
        self._fill(values, 0)

    def _begin(self, values: dict[str, Any], on_missing: OnMissing) -> None:
        object.__setattr__(self, "_values", values)
        object.__setattr__(self, "_on_missing", on_missing)
        object.__setattr__(self, "_is_locked", False)

    def _fill(self, values: Mapping[Any, Any], depth: int) -> None:
        for key, value in values.items():
            if not isinstance(key, str):
                what = f"{key!r} is {an(type(key).__name__)}, and keys are texts"
                raise ConfigError(Problem(what, str(line_of_caller()), fix=f"write it as a text: {str(key)!r}"))
            self._values[key] = _drafted(value, self._on_missing, depth)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, on_missing: OnMissing = "error") -> "Draft":
        """A draft of a nested mapping.

        Args:
            values: Texts as keys; mappings within become drafts.
            on_missing: What reading a key gives that is not there: an error, or None for those who rely on it.

        Example:
            >>> Draft.from_dict({"epochs": 5}, on_missing="none").lr is None
            True
        """
        if on_missing not in ("error", "none"):
            raise ValueError(f"on_missing is 'error' or 'none', not {on_missing!r}")
        draft = Draft()
        draft._begin({}, on_missing)
        draft._fill(values, 0)
        return draft

    # --- reading ----------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        """The value of a key that is no verb."""
        if name.startswith("_"):
            raise AttributeError(
                f"a draft has no attribute {name!r}; a key of that name is an item", name=name, obj=self
            )
        try:
            return self._read((name,))
        except MissingKey as error:
            near = error.problems[0].suggestion
            hint = f"; did you mean {near!r}?" if near else ""
            raise AttributeError(f"{self._name()} has no key {name!r}{hint}", name=name, obj=self) from None

    def __getitem__(self, key: str) -> Any:
        """The value of a key, or at a key path.

        Raises:
            MissingKey: There is no such key.
        """
        return self._read(self._path(key))

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or at a key path; a default if there is no such key."""
        try:
            return self._find(self._path(key))
        except MissingKey:
            return default

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str):
            return False
        try:
            self._find(self._path(key))
        except MissingKey:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def _name(self) -> str:
        return "the draft"

    def _path(self, key: str) -> KeyPath:
        """What an item means: a key if there is one of that name, a key path if it leads into one, else a new key."""
        if not isinstance(key, str):
            raise MissingKey(Problem(f"{key!r} is no text", expected="a key, or a key path: loader.batch_size"))
        names = list(self)
        if key in names:
            return (key,)
        try:
            path = parse_key_path(key)
        except KeyPathError:
            return (key,)
        return path if path[0] in names else (key,)

    def _read(self, path: KeyPath) -> Any:
        try:
            return self._find(path)
        except MissingKey:
            if self._on_missing == "none":
                return None
            raise

    def _find(self, path: KeyPath) -> Any:
        value: Any = self
        for depth, step in enumerate(path):
            values = value._values if isinstance(value, Draft) else value
            try:
                value = values[step]
            except (LookupError, TypeError):
                known = map(str, values) if isinstance(values, Mapping) else ()
                near = nearest(str(step), known)
                raise MissingKey(
                    Problem(
                        f"there is no key {render_key_path(path)!r}",
                        suggestion=render_key_path((*path[:depth], near)) if near else None,
                    )
                ) from None
        return value

    # --- changing ---------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a key that is no verb.

        Raises:
            AttributeError: It is the name of a verb: such a key is set by item.
        """
        if name.startswith("_") or hasattr(type(self), name):
            raise AttributeError(
                f"{name!r} cannot be set as an attribute; write draft[{name!r}] = ... if it is a key",
                name=name,
                obj=self,
            )
        self._put((name,), value)

    def __delattr__(self, name: str) -> None:
        """Take a key away."""
        if name.startswith("_") or hasattr(type(self), name):
            raise AttributeError(f"{name!r} is no key; write del draft[{name!r}] if it is", name=name, obj=self)
        try:
            self._take((name,))
        except MissingKey as error:
            raise AttributeError(str(error), name=name, obj=self) from None

    def __setitem__(self, key: str, value: Any) -> None:
        """Set a key, or what stands at a key path; the sections on the way must be there."""
        self._put(self._path(key), value)

    def __delitem__(self, key: str) -> None:
        """Take away a key, or what stands at a key path."""
        self._take(self._path(key))

    def pop(self, key: str, *default: Any) -> Any:
        """Take a key away, or what stands at a key path, and give its value; a default if there is no such key.

        Raises:
            MissingKey: There is no such key, and no default either.
        """
        if default and key not in self:
            return default[0]
        value = self._find(self._path(key))
        del self[key]
        return value

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of a key; if there is no such key, it is set first."""
        if key not in self:
            self[key] = default
        return self[key]

    def _put(self, path: KeyPath, value: Any) -> None:
        holder = self._find(path[:-1])
        if isinstance(holder, Draft):
            holder._refuse_if_locked(path)
            holder._values[str(path[-1])] = _drafted(value, self._on_missing, 0)
            return
        self._refuse_if_locked(path)
        try:
            holder[path[-1]] = value
        except (LookupError, TypeError):
            raise MissingKey(Problem(f"there is no key {render_key_path(path)!r}")) from None

    def _take(self, path: KeyPath) -> None:
        self._find(path)
        holder = self._find(path[:-1])
        (holder if isinstance(holder, Draft) else self)._refuse_if_locked(path)
        del (holder._values if isinstance(holder, Draft) else holder)[path[-1]]

    def _refuse_if_locked(self, path: KeyPath) -> None:
        if self.is_locked:
            refuse_locked(path)

    # --- locking ----------------------------------------------------------------------------------------------------

    @property
    def is_locked(self) -> bool:
        """Whether the draft refuses to change."""
        return bool(self._is_locked)

    def lock(self) -> Config[Any]:
        """Freeze the draft and all within it, and give a configuration of its values.

        Raises:
            UnsupportedValue: A value has no canonical text, and so no place in a configuration.
        """
        from typedcfg.compiler.untyped import config_from

        config: Config[Any] = config_from(self, line_of_caller())
        self._lock_all(set(), is_locked=True)
        return config

    def unlock(self) -> Self:
        """Let the draft, and all within it, change again."""
        self._lock_all(set(), is_locked=False)
        return self

    def _lock_all(self, seen: set[int], *, is_locked: bool) -> None:
        if id(self) in seen:
            return
        seen.add(id(self))
        object.__setattr__(self, "_is_locked", is_locked)
        for key, value in self._values.items():
            if isinstance(value, Draft):
                value._lock_all(seen, is_locked=is_locked)
            else:
                self._values[key] = freeze(value) if is_locked else thaw(value)

    # --- copying and showing ----------------------------------------------------------------------------------------

    def __copy__(self) -> "Draft":
        twin = Draft()
        twin._begin(dict(self._values), self._on_missing)
        return twin

    def __getstate__(self) -> tuple[Any, ...]:
        return self._values, self._on_missing, self._is_locked

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        values, on_missing, is_locked = state
        self._begin(values, on_missing)
        object.__setattr__(self, "_is_locked", is_locked)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).__new__, (type(self),), self.__getstate__()

    @recursive_repr()
    def __repr__(self) -> str:
        return f"Draft({', '.join(f'{key}={value!r}' for key, value in self._values.items())})"


def refuse_locked(path: KeyPath) -> NoReturn:
    """Say that a draft is locked.

    Raises:
        Frozen: Always.
    """
    key = render_key_path(path)
    raise Frozen(Problem(f"{key} cannot change: the draft is locked", str(line_of_caller()), fix="draft.unlock()"))


def _drafted(value: Any, on_missing: OnMissing, depth: int) -> Any:
    """A value with mappings in it as drafts."""
    if depth > MOST_LEVELS:
        raise endless(str(line_of_caller()))
    if type(value) is Draft or not isinstance(value, Mapping):
        return value
    draft = Draft()
    draft._begin({}, on_missing)
    draft._fill(value, depth + 1)
    return draft
