"""References: how a path to another value begins, and which value it means."""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from typedcfg.key_path import KeyPath


class Start(Enum):
    """Where a reference's path begins."""

    TOP = "top"
    """No word: at the top of the document that the reference is written in."""
    ROOT = "root"
    PARENT = "parent"
    HERE = "here"


class Reference(NamedTuple):
    """A path to another value."""

    start: Start
    ups: int
    """How many sections up, where it begins at the parent."""
    path: KeyPath
    column: int
    """Where it stands in its text, counted from 1."""


def reference_to(path: KeyPath, column: int) -> Reference:
    """The reference that a path is as it was written, a leading word included.

    Example:
        >>> reference_to(("parent", "parent", "lr"), 1)[:3]
        (<Start.PARENT: 'parent'>, 2, ('lr',))
    """
    match path[0]:
        case "root":
            return Reference(Start.ROOT, 0, path[1:], column)
        case "here":
            return Reference(Start.HERE, 0, path[1:], column)
        case "parent":
            ups = next((n for n, step in enumerate(path) if step != "parent"), len(path))
            return Reference(Start.PARENT, ups, path[ups:], column)
    return Reference(Start.TOP, 0, path, column)


def absolute(reference: Reference, sections: Sequence[KeyPath], beside: KeyPath, top: KeyPath = ()) -> KeyPath | None:
    """The path from the root that a reference means.

    Args:
        reference: As it was written.
        sections: The sections around the value that holds it, the root first; looked at for `parent` alone.
        beside: The mapping that the value stands in.
        top: Where the document that the reference is written in has its top.

    Returns:
        The path, or None if it climbs above the root.
    """
    if reference.start is Start.TOP:
        return (*top, *reference.path) if top else reference.path
    match reference.start:
        case Start.ROOT:
            return reference.path
        case Start.HERE:
            return (*beside, *reference.path)
        case Start.PARENT:
            up = reference.ups + 1
            return (*sections[-up], *reference.path) if up <= len(sections) else None
