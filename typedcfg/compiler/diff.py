"""Diff: what two configurations say differently, and whether it makes them two runs."""

from collections.abc import Iterator, Mapping
from math import copysign, isnan
from types import NoneType
from typing import Any, Final, NamedTuple

from typedcfg.compiler.config import Config, told_by
from typedcfg.compiler.shape import ABSENT, Absent
from typedcfg.compiler.shown import shown
from typedcfg.errors import ConfigError, Problem
from typedcfg.key_path import KeyPath, parse_key_path, render_key_path
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry, catalog_of
from typedcfg.template.leaves import Leaf, iter_leaves, leaves_within

_COMPARED_AS_THEY_ARE: Final = frozenset({int, str, bool, NoneType})
_ORDERED: Final = (list, tuple)


class Difference(NamedTuple):
    """One value that differs, or that only one of two configurations has."""

    path: KeyPath
    before: Any
    """The value of before, or `ABSENT`."""
    now: Any
    """The value of now, or `ABSENT`."""
    before_origin: str
    """Where the value of before comes from; empty where there is none."""
    now_origin: str
    is_in_identity: bool
    """Whether it bears on the outcome, and so makes another run."""
    is_secret: bool
    """Whether neither value may be shown."""
    is_derived: bool
    """Whether a formula makes the value of now, which then follows what the formula reads."""

    @property
    def key(self) -> str:
        """The key path, as text."""
        return render_key_path(self.path)

    @property
    def before_text(self) -> str:
        """The value of before, as a message shows it; `absent` where there was no such key."""
        return self._text(self.before)

    @property
    def now_text(self) -> str:
        """The value of now, as a message shows it."""
        return self._text(self.now)

    def __str__(self) -> str:
        """The difference on one line.

        Example:
            >>> print(Difference(("lr",), 0.1, ABSENT, "base.yaml:3:1", "", True, False, False))
            lr: 0.1 -> absent  (base.yaml:3:1)
        """
        origins = " -> ".join(filter(None, (self.before_origin, self.now_origin)))
        note = [*filter(None, [origins]), *([] if self.is_in_identity else ["not in the identity"])]
        return f"{self.key}: {self.before_text} -> {self.now_text}" + (f"  ({', '.join(note)})" if note else "")

    def _text(self, value: Any) -> str:
        return value.value if isinstance(value, Absent) else shown(value, is_secret=self.is_secret)


class Pair(NamedTuple):
    """A leaf as two configurations have it; None where one has not."""

    before: Leaf | None
    now: Leaf | None


def diff(before: Config[Any], now: Config[Any]) -> tuple[Difference, ...]:
    """The values in which two configurations differ; of secrets, that they do.

    Raises:
        ConfigError: The other is no configuration.

    Example:
        >>> from typedcfg import ConfigTemplate
        >>> class Params(ConfigTemplate):
        ...     epochs: int = 10
        >>> [difference] = diff(Params.compile(), Params.compile(overrides=["epochs=20"]))
        >>> print(difference)
        epochs: 10 -> 20  (default -> overrides[0])
    """
    from typedcfg.compiler.untyped import UntypedConfig

    if not isinstance(now, Config):
        raise ConfigError(_no_config(now))
    if isinstance(before, UntypedConfig) or isinstance(now, UntypedConfig):
        return tuple(_flat(before, now))
    return tuple(
        _difference(pair, before, now) for pair in _sections(before.params, now.params, (), is_in_identity=True)
    )


def _no_config(other: object) -> Problem:
    is_settings = isinstance(other, Mapping)
    return Problem(
        f"a configuration is compared with what is none: {type(other).__qualname__}",
        expected="a configuration",
        fix="config.diff(config.merge({...})) tells what settings change" if is_settings else "section.to_config()",
    )


def _difference(pair: Pair, before: Config[Any], now: Config[Any]) -> Difference:
    leaves = [leaf for leaf in pair if leaf is not None]
    path = leaves[0].path
    return Difference(
        path,
        before=pair.before.value if pair.before else ABSENT,
        now=pair.now.value if pair.now else ABSENT,
        before_origin=before.origin(render_key_path(path)) if pair.before else "",
        now_origin=now.origin(render_key_path(path)) if pair.now else "",
        is_in_identity=any(leaf.is_in_identity for leaf in leaves),
        is_secret=any(leaf.entry.is_secret for leaf in leaves),
        is_derived=pair.now is not None and _is_derived(now, path),
    )


def _flat(before: Config[Any], now: Config[Any]) -> Iterator[Difference]:
    """What differs where one of the two has no template: value by value.

    Every one of them counts, but where two runs were recorded with one fingerprint.
    """
    bears = before.fingerprint != now.fingerprint
    earlier, later = dict(before.leaves()), dict(now.leaves())
    for key in {**later, **earlier}:
        was, value = earlier.get(key, ABSENT), later.get(key, ABSENT)
        if was is ABSENT or value is ABSENT or not is_same(was, value):
            yield Difference(
                parse_key_path(key),
                was,
                value,
                before_origin="" if was is ABSENT else before.origin(key),
                now_origin="" if value is ABSENT else now.origin(key),
                is_in_identity=bears,
                is_secret=False,
                is_derived=False,
            )


def _is_derived(config: Config[Any], path: KeyPath) -> bool:
    story, above = told_by(config)
    resolution = story.resolutions.get((*above, *path))
    return resolution is not None and resolution.raw is None


# --- walking both at once -------------------------------------------------------------------------------------------


def _sections(before: ConfigTemplate, now: ConfigTemplate, path: KeyPath, *, is_in_identity: bool) -> Iterator[Pair]:
    if before is now:
        return
    if type(before) is not type(now):
        bears = is_in_identity
        yield from _apart(
            {leaf.path: leaf for leaf in iter_leaves(before, path, is_in_identity=bears)},
            {leaf.path: leaf for leaf in iter_leaves(now, path, is_in_identity=bears)},
        )
        return
    values, others = now.__dict__, before.__dict__
    for name, entry in catalog_of(type(now)).entries.items():
        was, value = others[name], values[name]
        if was is value:
            continue
        bears = is_in_identity and entry.is_in_identity
        if not entry.is_leaf:
            yield from _held(entry, was, value, (*path, name), is_in_identity=bears)
        elif not (was == value if entry.is_secret else is_same(was, value)):
            yield Pair(Leaf((*path, name), entry, was, bears), Leaf((*path, name), entry, value, bears))


def _held(entry: Entry, was: Any, value: Any, path: KeyPath, *, is_in_identity: bool) -> Iterator[Pair]:
    """What differs in a field that holds sections."""
    if isinstance(was, ConfigTemplate) and isinstance(value, ConfigTemplate):
        yield from _sections(was, value, path, is_in_identity=is_in_identity)
        return
    earlier, later = _items(was), _items(value)
    if not (earlier and later):
        yield from _apart(
            {leaf.path: leaf for leaf in leaves_within(entry, was, path, is_in_identity=is_in_identity)},
            {leaf.path: leaf for leaf in leaves_within(entry, value, path, is_in_identity=is_in_identity)},
        )
        return
    for step in {**later, **earlier}:
        if step in earlier and step in later:
            yield from _held(entry, earlier[step], later[step], (*path, step), is_in_identity=is_in_identity)
        else:
            held = later if step in later else earlier
            for leaf in leaves_within(entry, held[step], (*path, step), is_in_identity=is_in_identity):
                yield Pair(None, leaf) if step in later else Pair(leaf, None)


def _items(value: Any) -> dict[Any, Any]:
    """What a list or mapping of sections holds, by position or key; nothing for all else."""
    if isinstance(value, _ORDERED):
        return dict(enumerate(value))
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def _apart(earlier: dict[KeyPath, Leaf], later: dict[KeyPath, Leaf]) -> Iterator[Pair]:
    """What differs between the leaves of two sections of different templates."""
    for path in {**later, **earlier}:
        was, leaf = earlier.get(path), later.get(path)
        if was is None or leaf is None or not _same_leaf(was, leaf):
            yield Pair(was, leaf)


def _same_leaf(one: Leaf, other: Leaf) -> bool:
    if one.entry.is_secret or other.entry.is_secret:
        return bool(one.value == other.value)
    return is_same(one.value, other.value)


def is_same(one: Any, other: Any) -> bool:
    """Whether two values have one canonical text, as far as possible without writing it.

    Example:
        >>> is_same(1, 1.0), is_same(float("nan"), float("nan")), is_same((1, 2), [1, 2])
        (False, True, True)
    """
    kind = type(one)
    if kind is type(other):
        if kind in _COMPARED_AS_THEY_ARE:
            return bool(one == other)
        if kind is float:
            return isnan(one) and isnan(other) if one != other else copysign(1, one) == copysign(1, other)
    if isinstance(one, _ORDERED) and isinstance(other, _ORDERED):
        return len(one) == len(other) and all(map(is_same, one, other))
    from typedcfg.identity.canonical import canonical_text

    return canonical_text([((), one)]) == canonical_text([((), other)])
