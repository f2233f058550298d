"""What the templates declare at a key path, whichever variants were chosen."""

from collections.abc import Iterable, Iterator

from typedcfg.key_path import KeyPath
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry, catalog_of, reachable
from typedcfg.template.nodes import LeafNode, ListNode, MapNode, Node, SectionNode, sections_below
from typedcfg.text import nearest


def declared_at(template: type[ConfigTemplate], path: KeyPath) -> list[tuple[Node, Entry | None]]:
    """Every meaning that a key path may have: what stands there, and the field that it belongs to."""
    found: list[tuple[Node, Entry | None]] = [(SectionNode(template, is_optional=False), None)]
    for step in path:
        found = declared_below(found, step)
    return found


def declared_below(declared: Iterable[tuple[Node, Entry | None]], step: str | int) -> list[tuple[Node, Entry | None]]:
    """Every meaning one step further down."""
    return [below for node, entry in declared for below in _below(node, entry, step)]


def nearest_declared(template: type[ConfigTemplate], path: KeyPath) -> KeyPath | None:
    """A path with its last key as sections declare it, whichever kind; None if none is alike, or that is not wrong."""
    around = (section for node, _ in declared_at(template, path[:-1]) for section in sections_below(node))
    near = nearest(str(path[-1]), (name for section in around for name in catalog_of(section).entries))
    return (*path[:-1], near) if near and near != path[-1] else None


def may_hold_secret(template: type[ConfigTemplate], path: KeyPath) -> bool:
    """Whether a secret may stand at a key path or below it; then what was written there is not shown."""
    return any(_holds_secret(node, entry) for node, entry in declared_at(template, path))


def _below(node: Node, entry: Entry | None, step: str | int) -> Iterator[tuple[Node, Entry | None]]:
    match node:
        case LeafNode():
            yield node, entry
        case ListNode(item=inner) | MapNode(value=inner):
            yield inner, entry
        case _:
            for section in sections_below(node):
                catalog = catalog_of(section)
                field = catalog.entries.get(str(step)) or catalog.renamed.get(str(step))
                if field is not None:
                    yield field.node, field


def _holds_secret(node: Node, entry: Entry | None) -> bool:
    if isinstance(node, LeafNode):
        return entry is not None and entry.is_secret
    inner = {template for section in sections_below(node) for template in reachable(section)}
    return any(field.is_secret for template in inner for field in catalog_of(template).entries.values())
