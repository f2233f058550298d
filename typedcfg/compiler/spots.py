"""Spots: where one stands in a tree whose shape is known, and what stands around."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, Optional, TypeAlias, cast

from typedcfg.key_path import KeyPath
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Catalog, catalog_of
from typedcfg.template.nodes import LeafNode, ListNode, MapNode, Node, SectionNode, VariantsNode
from typedcfg.template.variants import KIND


class SectionSpot(NamedTuple):
    """A section in the tree."""

    path: KeyPath
    catalog: Catalog
    tree: Mapping[str, Any]
    above: Optional["SectionSpot"]
    """The section that holds this one, through lists and mappings; None at the root."""
    bears: bool = True
    """Whether it and all around it bear on the outcome."""

    def names(self) -> Collection[str]:
        """What may follow."""
        return self.catalog.entries


class GroupSpot(NamedTuple):
    """A list or mapping of sections in the tree."""

    path: KeyPath
    node: ListNode | MapNode
    tree: list[Any] | Mapping[str, Any]
    above: SectionSpot
    bears: bool = True

    def names(self) -> Collection[str | int]:
        """What may follow."""
        return range(len(self.tree)) if isinstance(self.node, ListNode) else cast("Mapping[str | int, Any]", self.tree)

    def step_to(self, step: str | int) -> str | int | None:
        """A step as it leads to what is here, a position counted from the start; None if nothing is there."""
        if isinstance(step, int) and step < 0:
            step += len(self.tree)
        return step if step in self.names() else None

    def at(self, step: Any) -> "Spot":
        """What stands at a position or key.

        Raises:
            LookupError: Nothing does.
            NotThere: What stands there is no section.
        """
        inner = self.node.item if isinstance(self.node, ListNode) else self.node.value
        return spot_of(inner, self.tree[step], (*self.path, step), self.above, bears=self.bears)


Spot: TypeAlias = SectionSpot | GroupSpot | None
"""None where an optional section is not there."""


class NotThere(BaseException):  # no error: it passes through a formula's own `except Exception`
    """Something else stands where a section belongs."""


def root_spot(template: type[ConfigTemplate], tree: Mapping[str, Any]) -> SectionSpot:
    """The whole configuration."""
    return SectionSpot((), catalog_of(template), tree, None)


def spot_of(node: Node, tree: Any, path: KeyPath, above: SectionSpot, *, bears: bool = True) -> Spot:
    """What a field of sections holds.

    Raises:
        NotThere: Something else, or nothing where something has to be.
    """
    if tree is None and not isinstance(node, LeafNode) and node.is_optional:
        return None
    if isinstance(node, SectionNode) and isinstance(tree, dict):
        return SectionSpot(path, catalog_of(node.template), tree, above, bears)
    if isinstance(node, VariantsNode) and isinstance(tree, dict) and tree.get(KIND) in node.templates:
        return SectionSpot(path, catalog_of(node.templates[tree[KIND]]), tree, above, bears)
    if (isinstance(node, ListNode) and isinstance(tree, list)) or (
        isinstance(node, MapNode) and isinstance(tree, dict)
    ):
        return GroupSpot(path, node, tree, above, bears)
    raise NotThere
