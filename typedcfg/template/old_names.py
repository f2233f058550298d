"""Old names: what a key that was given up is called today."""

from collections.abc import Iterator

from typedcfg.key_path import KeyPath, parse_key_path
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import catalog_of
from typedcfg.template.nodes import LeafNode, ListNode, MapNode, Node, SectionNode, VariantsNode, sections_below


def present_path(template: type[ConfigTemplate], path: KeyPath) -> KeyPath:
    """The path with every old name in it brought to today's; one without any comes back as it is.

    Example:
        >>> from typing import Annotated
        >>> from typedcfg.template.marks import RenamedFrom
        >>> class Loader(ConfigTemplate):
        ...     batch_size: Annotated[int, RenamedFrom("bs")] = 128
        >>> class Params(ConfigTemplate):
        ...     loader: Annotated[Loader, RenamedFrom("data.loader")]
        >>> present_path(Params, ("data", "loader", "bs"))
        ('loader', 'batch_size')
    """
    path = next((new + path[len(old) :] for old, new in _moves(template, (), ()) if path[: len(old)] == old), path)
    return next(_named_today(SectionNode(template, is_optional=False), path), path)


def _moves(
    template: type[ConfigTemplate], above: KeyPath, around: tuple[type[ConfigTemplate], ...]
) -> Iterator[tuple[KeyPath, KeyPath]]:
    """Old names from the top, and where the fields stand now."""
    catalog = catalog_of(template)
    for old, entry in catalog.moved.items():
        yield parse_key_path(old), (*above, entry.name)
    for entry in catalog.branching:
        # What lies in a list or mapping has no one place that an old name could mean.
        if isinstance(entry.node, (SectionNode, VariantsNode)):
            for section in sections_below(entry.node):
                if section not in (template, *around):
                    yield from _moves(section, (*above, entry.name), (template, *around))


def _named_today(node: Node, path: KeyPath) -> Iterator[KeyPath]:
    """What the templates below make of a path, whichever variants are chosen; nothing where they know no such key."""
    if not path or isinstance(node, LeafNode):
        yield path
        return
    step, *rest = path
    if isinstance(node, (ListNode, MapNode)):
        inner = node.item if isinstance(node, ListNode) else node.value
        yield from ((step, *below) for below in _named_today(inner, tuple(rest)))
        return
    for section in sections_below(node):
        catalog = catalog_of(section)
        # A name that another field has by now means that field.
        entry = catalog.entries.get(str(step)) or catalog.renamed.get(str(step))
        if entry is not None:
            yield from ((entry.name, *below) for below in _named_today(entry.node, tuple(rest)))
