"""Diff: what two configurations say differently, and whether it makes them two runs."""

from typing import Any, Final, NamedTuple

from typedcfg.compiler.config import Config
from typedcfg.compiler.shown import shown
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.template.leaves import Leaf, iter_leaves

_ABSENT: Final = "absent"


class Difference(NamedTuple):
    """One value that differs."""

    key: str
    before: str
    """`absent` where there was no such key."""
    now: str
    is_in_identity: bool
    """Whether it bears on the outcome, and so makes another run."""
    origin: str
    """Where the value of now comes from; empty where there is none."""

    def __str__(self) -> str:
        """The difference on one line.

        Example:
            >>> print(Difference("optimizer.lr", "0.1", "0.2", True, "argument 3"))
            optimizer.lr: 0.1 -> 0.2  (argument 3)
        """
        note = [self.origin] if self.origin else []
        note += [] if self.is_in_identity else ["not in the identity"]
        return f"{self.key}: {self.before} -> {self.now}" + (f"  ({', '.join(note)})" if note else "")


def diff(before: Config[Any], now: Config[Any]) -> tuple[Difference, ...]:
    """The values in which two configurations differ, by their canonical text; secrets are not compared.

    Example:
        >>> from typedcfg import ConfigTemplate
        >>> class Params(ConfigTemplate):
        ...     epochs: int = 10
        >>> [difference] = diff(Params.compile(), Params.compile(overrides=["epochs=20"]))
        >>> print(difference)
        epochs: 10 -> 20  (overrides[0])
    """
    earlier, later = _leaves(before), _leaves(now)
    paths = [*later, *(path for path in earlier if path not in later)]
    return tuple(
        _difference(path, earlier.get(path), later.get(path), now)
        for path in paths
        if _text(path, earlier.get(path)) != _text(path, later.get(path))
    )


def _leaves(config: Config[Any]) -> dict[KeyPath, Leaf]:
    return {leaf.path: leaf for leaf in iter_leaves(config.params) if not leaf.entry.is_secret}


def _text(path: KeyPath, leaf: Leaf | None) -> str:
    from typedcfg.identity.canonical import canonical_text

    return canonical_text([(path, leaf.value)]) if leaf else ""


def _difference(path: KeyPath, before: Leaf | None, now: Leaf | None, config: Config[Any]) -> Difference:
    return Difference(
        key=render_key_path(path),
        before=shown(before.value) if before else _ABSENT,
        now=shown(now.value) if now else _ABSENT,
        is_in_identity=any(leaf.is_in_identity for leaf in (before, now) if leaf),
        origin=config.origin(render_key_path(path)) if now else "",
    )
