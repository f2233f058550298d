"""Merge: all that was said for one key, weakest first, and which of it still stands.

Merging never builds a tree of all layers. It answers one question about one key, and two callers ask it: `shape`
for every key on its way down, `explain` for the keys on one path. What a value is and why it is so therefore come
from the same few functions.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.key_path import KeyPath
from typedcfg.origin import Origin
from typedcfg.sources.base import Appended, Branch, Edit, Items, Layer, Positions, Removed

LIST_EDITS: Final = (Positions, Appended, Removed)
"""What builds on the list below it; `Removed` takes keys out of mappings as well."""


WHOLE_LISTS: Final = (Items, tuple, set, frozenset)
"""What has items of its own."""


class Contribution(NamedTuple):
    """What one layer says for one key."""

    layer: Layer
    value: object
    """A plain value, a `Branch` or `Items`, or an edit: `Positions`, `Appended`, `Removed`, an `Edit`."""
    origin: Origin
    replaces: bool = False
    """Whether even a mapping takes the place of what is weaker: it is what a reference names."""
    top: KeyPath = ()
    """Where the top of the document stands that it was written in: there its references begin."""

    def within(self, value: object, origin: Origin) -> "Contribution":
        """What it says for something within its own value."""
        return Contribution(self.layer, value, origin, top=self.top)


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
    idle: list[Contribution]
    """What takes back something below this key, where nothing stands that it could be taken from."""


def at_root(layers: Iterable[Layer]) -> list[Contribution]:
    """What each layer says for the whole configuration."""
    return [Contribution(layer, root, root.origin, top=layer.top) for layer in layers for root in layer.roots]


def below(contributions: Iterable[Contribution], key: str) -> list[Contribution]:
    """What mappings say for one of their keys, since it was last taken out."""
    found: list[Contribution] = []
    for contribution in contributions:
        value = contribution.value
        if isinstance(value, Branch):
            if key in value:
                found.append(contribution.within(value[key], value.origins[key]))
        elif isinstance(value, Removed) and key in removed_keys(value):
            found = []
    return found


def below_all(contributions: Iterable[Contribution]) -> dict[str, list[Contribution]]:
    """The same for all their keys at once, in the order in which these first appear."""
    found: dict[str, list[Contribution]] = {}
    for contribution in contributions:
        value = contribution.value
        if isinstance(value, Branch):
            for key, inner in value.items():
                found.setdefault(key, []).append(contribution.within(inner, value.origins[key]))
        elif isinstance(value, Removed):
            for key in removed_keys(value):
                found.pop(key, None)
    return found


def removed_keys(removed: Removed) -> list[str]:
    """The keys that are taken out of a mapping."""
    return [str(key) for key in removed.items] if isinstance(removed.items, Items) else []


def standing(contributions: Sequence[Contribution]) -> Standing:
    """What counts: a mapping, or an edit to a list, builds on what is weaker; anything else replaces it."""
    said, fallen = _since_reset(contributions)
    live: list[Contribution] = []
    idle: list[Contribution] = []
    for contribution in said:
        value = contribution.value
        builds_on = isinstance(value, LIST_EDITS) or (isinstance(value, Branch) and not value.replaces)
        builds_on = builds_on and not contribution.replaces
        fits = bool(live) and builds_on and _can_be_built_on(live[0].value, value)
        if builds_on and not fits and _only_takes_back(value):
            # A reset of a key that nobody set leaves nothing behind, not even the mapping around it.
            idle.append(contribution)
            continue
        if live and not fits:
            fallen += [Fallen(c, f"{contribution.origin} replaces it") for c in live]
            live = []
        live.append(contribution)
    return Standing(live, fallen, idle)


def _only_takes_back(value: object) -> bool:
    """Whether a mapping, or edits to positions, hold nothing but resets."""
    # What holds a reset is unsettled, and hardly any mapping is.
    return isinstance(value, (Branch, Positions)) and value.unsettled and all(map(is_reset, value.values()))


def is_reset(value: object) -> bool:
    """Whether what was said for a key takes it back, or takes back what is below it, and says nothing else."""
    return isinstance(value, Edit) or _only_takes_back(value)


def taken_back(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, Origin]]:
    """The keys below a path that a mapping, or edits to positions, take back, and where each of that was written."""
    if isinstance(value, (Branch, Positions)):
        origins: Mapping[Any, Origin] = value.origins
        for step, inner in value.items():
            if isinstance(inner, Edit):
                yield (*path, step), origins[step]
            yield from taken_back(inner, (*path, step))


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


def _can_be_built_on(base: object, stronger: object) -> bool:
    if isinstance(stronger, Removed):
        return isinstance(base, (Branch, *WHOLE_LISTS, *LIST_EDITS))
    return isinstance(base, (Branch, Removed) if isinstance(stronger, Branch) else (*WHOLE_LISTS, *LIST_EDITS))
