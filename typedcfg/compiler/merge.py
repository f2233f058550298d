"""Merge: all that was said for one key, weakest first, and which of it still stands.

Merging never builds a tree of all layers. It answers one question about one key, and two callers ask it: `shape`
for every key on its way down, `explain` for the keys on one path. What a value is and why it is so therefore come
from the same few functions.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch, Edit, Items, Layer, Positions


class Contribution(NamedTuple):
    """What one layer says for one key."""

    layer: Layer
    value: object
    """A plain value, a `Branch`, `Items`, `Positions`, or an `Edit`."""
    origin: Origin


class Fallen(NamedTuple):
    """A contribution that does not count, and the reason."""

    contribution: Contribution
    reason: str


class Standing(NamedTuple):
    """What counts for a key, weakest first, and what does not."""

    live: list[Contribution]
    fallen: list[Fallen]


def at_root(layers: Iterable[Layer]) -> list[Contribution]:
    """What each layer says for the whole configuration."""
    return [Contribution(layer, root, root.origin) for layer in layers for root in layer.roots]


def below(contributions: Iterable[Contribution], key: str) -> list[Contribution]:
    """What mappings say for one of their keys."""
    return [
        Contribution(layer, value[key], value.origins[key])
        for layer, value, _ in contributions
        if isinstance(value, Branch) and key in value
    ]


def at_position(contributions: Iterable[Contribution], position: int, length: int) -> list[Contribution]:
    """What lists, and edits to lists, say for one position; an edit may count from the end."""
    found = []
    for layer, value, _ in contributions:
        if isinstance(value, Items) and position < len(value):
            found.append(Contribution(layer, value[position], value.origins[position]))
        elif isinstance(value, Positions):
            keys = [key for key in (position, position - length) if key in value]
            found += [Contribution(layer, value[key], value.origins[key]) for key in keys]
    return found


def standing(contributions: Sequence[Contribution]) -> Standing:
    """What counts: a mapping, or an edit to positions, builds on what is weaker; anything else replaces it.

    A reset takes away all but the defaults.
    """
    live: list[Contribution] = []
    fallen: list[Fallen] = []
    for contribution in contributions:
        value = contribution.value
        if isinstance(value, Edit):
            fallen += [Fallen(c, f"{contribution.origin} resets it") for c in live if c.layer.strength != DEFAULTS]
            live = [c for c in live if c.layer.strength == DEFAULTS]
            continue
        builds_on = isinstance(value, (Branch, Positions))
        if live and not (builds_on and _can_be_built_on(live[-1].value, value)):
            fallen += [Fallen(c, f"{contribution.origin} replaces it") for c in live]
            live = []
        live.append(contribution)
    return Standing(live, fallen)


def _can_be_built_on(weaker: object, stronger: object) -> bool:
    if isinstance(stronger, Branch):
        return isinstance(weaker, Branch)
    return isinstance(weaker, (Items, Positions))
