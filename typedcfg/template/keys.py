"""Every key that a template declares, whatever the kinds chosen and the lengths of lists."""

from collections.abc import Iterator
from typing import NamedTuple

from typedcfg.key_path import render_key_path
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry, catalog_of
from typedcfg.template.nodes import ListNode, MapNode, Node, sections_below
from typedcfg.template.variants import kinds_of


class DeclaredKey(NamedTuple):
    """A leaf of a template."""

    key: str
    """Its key path; `[i]` and `["name"]` stand for a position and a name of one's own."""
    entry: Entry
    kinds: tuple[str, ...]
    """The kinds that have to be chosen above it, from the top: `optimizer=sgd`."""


def declared_keys(template: type[ConfigTemplate]) -> Iterator[DeclaredKey]:
    """The leaves of a template in order of declaration; a template within itself is entered once."""
    return _below(template, "", (), (template,))


def _below(
    template: type[ConfigTemplate], prefix: str, kinds: tuple[str, ...], above: tuple[type[ConfigTemplate], ...]
) -> Iterator[DeclaredKey]:
    for name, entry in catalog_of(template).entries.items():
        key = f"{prefix}.{name}" if prefix else render_key_path((name,))
        if entry.is_leaf:
            yield DeclaredKey(key, entry, kinds)
            continue
        key += _steps(entry.node)
        variants = tuple(sections_below(entry.node))
        for inner in variants:
            if inner not in above:
                chosen = (f"{key}={kinds_of(inner)[0]}",) if len(variants) > 1 else ()
                yield from _below(inner, key, (*kinds, *chosen), (*above, inner))


def _steps(node: Node) -> str:
    """How one goes down into lists and mappings of sections."""
    match node:
        case ListNode():
            return f"[i]{_steps(node.item)}"
        case MapNode():
            return f'["name"]{_steps(node.value)}'
    return ""
