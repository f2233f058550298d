"""Containers that cannot change: still `list`, `dict` and `set` to everyone who asks.

Subclasses rather than tuples and mapping proxies, so that `isinstance`, `json`, `orjson`, `pickle` and a
data loader's collate function go on working.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn, Self, TypeVar

from typedcfg.errors import Frozen, Problem
from typedcfg.template.numeral import Numeral

C = TypeVar("C", bound=type)


_ASSIGN: Final = {"list": "[*draft.tags, x]", "dict": "{**draft.tags, key: x}", "set": "{*draft.tags, x}"}
"""How one that holds more is written."""


def _refuse(container: object, *_: object, **__: object) -> NoReturn:
    kind = type(container).__mro__[1].__name__
    raise Frozen(
        Problem(
            f"this {kind} belongs to a frozen configuration and cannot change",
            fix="compile with an override, or take a copy: list(...), dict(...), config.plain();\n"
            f"in a draft assign another one: draft.tags = {_ASSIGN[kind]}",
        )
    )


def _refuses(*names: str) -> Callable[[C], C]:
    """A decorator that turns every mutating method into a refusal."""

    def close(kind: C) -> C:
        for name in names:
            setattr(kind, name, _refuse)
        return kind

    return close


@_refuses(
    *("__delitem__", "__iadd__", "__imul__", "__setitem__", "append", "clear", "extend", "insert", "pop", "remove"),
    *("reverse", "sort"),
)
class FrozenList(list[Any]):
    """A list that cannot change; hashable as long as its items are."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # list declares itself unhashable; this one never changes
        return hash(tuple(self))

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenList, (list(self),)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


@_refuses("__delitem__", "__ior__", "__setattr__", "__setitem__", "clear", "pop", "popitem", "setdefault", "update")
class FrozenDict(dict[Any, Any]):
    """A dict that cannot change; hashable as long as its values are."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # dict declares itself unhashable; this one never changes
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenDict, (dict(self),)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


@_refuses(
    *("__iand__", "__ior__", "__isub__", "__ixor__", "add", "clear", "difference_update", "discard", "pop"),
    *("intersection_update", "remove", "symmetric_difference_update", "update"),
)
class FrozenSet(set[Any]):
    """A set that cannot change; `frozenset` would no longer be the `set` that the field declared."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # set declares itself unhashable; this one never changes
        return hash(frozenset(self))

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenSet, (list(self),)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


_ATOMS: Final = frozenset({int, float, bool, str, bytes, type(None), FrozenList, FrozenDict, FrozenSet})


def freeze(value: Any) -> Any:
    """The value with every list, dict and set in it frozen; what is frozen already comes back as it is.

    Example:
        >>> freeze({"betas": [0.9, 0.999]})["betas"].append(1.0)
        Traceback (most recent call last):
        ...
        typedcfg.errors.Frozen: this list belongs to a frozen configuration and cannot change
          fix           compile with an override, or take a copy: list(...), dict(...), config.plain();
                        in a draft assign another one: draft.tags = [*draft.tags, x]
    """
    kind = type(value)
    if kind in _ATOMS:
        return value
    if issubclass(kind, list):
        return FrozenList(map(freeze, value))
    if issubclass(kind, dict):
        return FrozenDict({key: freeze(item) for key, item in value.items()})
    if issubclass(kind, set):
        return FrozenSet(map(freeze, value))
    if issubclass(kind, tuple):
        return _same_tuple(value, map(freeze, value))
    return float(value) if kind is Numeral else value


def thaw(value: Any, settle: Callable[[Any], Any] = lambda value: value) -> Any:
    """The value with ordinary containers in place of frozen ones; `freeze` undone.

    Args:
        value: Anything.
        settle: What to make of each value that is no container.

    Example:
        >>> thaw(freeze({"betas": [0.9, 0.999]}))
        {'betas': [0.9, 0.999]}
    """
    if isinstance(value, list):
        return [thaw(item, settle) for item in value]
    if isinstance(value, dict):
        return {key: thaw(item, settle) for key, item in value.items()}
    if isinstance(value, FrozenSet):
        return set(value)
    if isinstance(value, tuple):
        return _same_tuple(value, (thaw(item, settle) for item in value))
    return settle(value)


def _same_tuple(value: tuple[Any, ...], items: Iterable[Any]) -> tuple[Any, ...]:
    """A tuple of the items, of the value's own kind where that is a named tuple."""
    make = getattr(type(value), "_make", tuple)
    return make(items)
