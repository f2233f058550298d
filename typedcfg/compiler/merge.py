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
    replaces: bool = False
    """Whether even a mapping takes the place of what is weaker: it is what a reference names."""


class Fallen(NamedTuple):
    """A contribution that does not count, and the reason."""

    contribution: Contribution
    reason: str
    is_reset: bool = False
    """Whether it was taken back; else something stronger stands in its place."""


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
        for layer, value, *_ in contributions
        if isinstance(value, Branch) and key in value
    ]


def at_position(contributions: Iterable[Contribution], position: int, length: int) -> list[Contribution]:
    """What lists, and edits to lists, say for one position; an edit may count from the end."""
    found = []
    for layer, value, origin, _ in contributions:
        if isinstance(value, Items) and position < len(value):
            found.append(Contribution(layer, value[position], value.origins[position]))
        elif isinstance(value, tuple) and position < len(value):
            found.append(Contribution(layer, value[position], origin))
        elif isinstance(value, Positions):
            keys = [key for key in (position, position - length) if key in value]
            found += [Contribution(layer, value[key], value.origins[key]) for key in keys]
    return found


def standing(contributions: Sequence[Contribution]) -> Standing:
    """What counts: a mapping, or an edit to positions, builds on what is weaker; anything else replaces it."""
    said, fallen = _since_reset(contributions)
    live: list[Contribution] = []
    for contribution in said:
        value = contribution.value
        builds_on = isinstance(value, Positions) or (isinstance(value, Branch) and not value.replaces)
        builds_on = builds_on and not contribution.replaces
        if live and not (builds_on and _can_be_built_on(live[-1].value, value)):
            fallen += [Fallen(c, f"{contribution.origin} replaces it") for c in live]
            live = []
        live.append(contribution)
    if all(_only_takes_back(contribution.value) for contribution in live):
        # A reset of a key that nobody set leaves nothing behind, not even the mapping around it.
        live = []
    return Standing(live, fallen)


def _only_takes_back(value: object) -> bool:
    """Whether a mapping, or an edit to positions, holds nothing but resets."""
    # What holds a reset is unsettled, and hardly any mapping is.
    return isinstance(value, (Branch, Positions)) and value.unsettled and all(map(_is_reset, value.values()))


def _is_reset(value: object) -> bool:
    return isinstance(value, Edit) or _only_takes_back(value)


def _since_reset(contributions: Sequence[Contribution]) -> tuple[list[Contribution], list[Fallen]]:
    """What was said since the last reset, above the defaults, which no reset takes away; and what it took away."""
    kept: list[Contribution] = []
    fallen: list[Fallen] = []
    for contribution in contributions:
        if isinstance(contribution.value, Edit):
            reason = f"{contribution.origin} resets it"
            fallen += [Fallen(c, reason, is_reset=True) for c in kept if c.layer.strength != DEFAULTS]
            kept = [c for c in kept if c.layer.strength == DEFAULTS]
        else:
            kept.append(contribution)
    return kept, fallen


def _can_be_built_on(weaker: object, stronger: object) -> bool:
    if isinstance(stronger, Branch):
        return isinstance(weaker, Branch)
    return isinstance(weaker, (Items, Positions, tuple))
