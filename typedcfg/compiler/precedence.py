"""Who wins: every source's strength, written once.

A new source is a file in `sources/` and a row here.
"""

from collections.abc import Iterable
from typing import Final

from typedcfg.sources.base import Layer

DEFAULTS: Final = "defaults"
MERGED_BELOW: Final = "merged below"
"""What `merge(other, keep_existing=True)` brought."""
MERGED: Final = "merged"
"""What `merge(other)` brought."""
DRAFT: Final = "draft"

STRENGTHS: Final[dict[str, str]] = {
    DEFAULTS: "a default",
    MERGED_BELOW: "what was merged below it",
    "presets": "a preset",
    "files": "a file",
    "secrets directory": "the secrets directory",
    "dotenv": "a dotenv file",
    "environment": "the environment",
    "command line": "the command line",
    "overrides": "an override in code",
    MERGED: "what was merged on top",
    DRAFT: "an edit of a draft",
}
"""Weakest first, each as a sentence names it.

Of one strength the later wins: files stand in the order given, each above what it extends; a command line has one
layer, in which the last argument wins. Merging stacks whole configurations: what `merge` brings stands above, or below,
all that was there before, an earlier draft included.
"""

SETTABLE: Final = tuple(strength for strength in STRENGTHS if strength not in (DEFAULTS, MERGED_BELOW, MERGED, DRAFT))
"""What a source may name: all but what templates and configurations themselves bring."""

_RANK: Final = {strength: rank for rank, strength in enumerate(STRENGTHS)}


def in_order(layers: Iterable[Layer]) -> list[Layer]:
    """Layers weakest first; those of one strength keep their order, in which the later is the stronger.

    Example:
        >>> wide, flag = Layer("wide.yaml", "files", ()), Layer("command line", "command line", ())
        >>> [layer.name for layer in in_order([flag, wide])]
        ['wide.yaml', 'command line']
    """
    return sorted(layers, key=lambda layer: _RANK[layer.strength])


def rule_between(winner: Layer, loser: Layer) -> str:
    """Why one layer's setting stands and the other's does not, in one sentence.

    Example:
        >>> base, wide = Layer("base.yaml", "files", ()), Layer("wide.yaml", "files", ())
        >>> rule_between(wide, base)
        'wide.yaml comes after base.yaml: of files the later wins, and a file stands above what it extends'
    """
    if winner is loser:
        return "the same source sets it again: the last one wins"
    if winner.strength != loser.strength:
        return f"{STRENGTHS[winner.strength]} wins over {STRENGTHS[loser.strength]}"
    if winner.strength == "files":
        order = f"{winner.name} comes after {loser.name}"
        return f"{order}: of files the later wins, and a file stands above what it extends"
    return f"{winner.name} comes after {loser.name}: the later wins"
