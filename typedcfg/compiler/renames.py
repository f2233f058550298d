"""Renames: settings that were written under the name a field used to have, brought to its present one."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from typedcfg.compiler.declared import declared_at
from typedcfg.compiler.merge import Contribution
from typedcfg.compiler.texts import is_flow
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, parse_key_path, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import INSTRUCTION_MARK, Branch, Items, Layer, branch_at
from typedcfg.sources.yaml_value import NotAValue, read_value
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Catalog, catalog_of
from typedcfg.template.nodes import SectionNode, VariantsNode, sections_below

Report = Callable[[Problem], None]
WarnRenamed = Callable[[Origin, KeyPath, KeyPath, Layer], None]
"""Told where an old name stands, what it is and what it is called today, and the layer that has it."""


class Move(NamedTuple):
    """A field that used to stand elsewhere in the configuration."""

    old: KeyPath
    new: KeyPath


@cache
def moves_of(template: type[ConfigTemplate]) -> tuple[Move, ...]:
    """The old names from the top that still mean a field, and where it stands now."""
    return tuple(move for move in _moves(template, (), ()) if not declared_at(template, move.old))


def _moves(template: type[ConfigTemplate], path: KeyPath, above: tuple[type, ...]) -> Iterator[Move]:
    catalog = catalog_of(template)
    for old, entry in catalog.moved.items():
        yield Move(parse_key_path(old), (*path, entry.name))
    for entry in catalog.branching:
        # What lies in a list or mapping has no one place that an old name could mean.
        if isinstance(entry.node, (SectionNode, VariantsNode)):
            for section in sections_below(entry.node):
                if section not in (template, *above):
                    yield from _moves(section, (*path, entry.name), (template, *above))


def with_moved(
    contribution: Contribution, moves: tuple[Move, ...], report: Report, warn: WarnRenamed
) -> list[Contribution]:
    """What a layer says for the whole configuration, with every field at its present place.

    Returns:
        What is left, and behind it a tree for each setting that was moved; all of one layer, one voice.
    """
    left = contribution.value
    moved: list[Contribution] = []
    for old, new in moves:
        assert isinstance(left, Branch), "a whole configuration is a mapping"
        left = _opened(left, old)
        held = _at(left, old)
        if held is None:
            continue
        value, place = held
        left = _without(left, old)
        twin = _at(left, new)
        if twin is not None:
            report(_both_set(old, new, place, twin[1]))
            continue
        warn(place, old, new, contribution.layer)
        moved.append(contribution._replace(value=branch_at(new, value, place), origin=place))
    return [contribution._replace(value=left), *moved]


def _opened(branch: Branch, old: KeyPath) -> Branch:
    """The tree with a text on the way to an old name as the mapping that it means: `data={loader: {bs: 3}}`."""
    for depth in range(1, len(old)):
        value, place = _at(branch, old[:depth]) or (None, branch.origin)
        if is_flow(value):
            with suppress(NotAValue):  # which is told of where the text is read
                inner = read_value(str(value), place)
                if isinstance(inner, Branch) and _at(inner, old[depth:]) is not None and not _has_instruction(inner):
                    return _with(branch, old[:depth], inner)
    return branch


def _has_instruction(value: object) -> bool:
    if isinstance(value, Branch):
        return any(key.startswith(INSTRUCTION_MARK) or _has_instruction(item) for key, item in value.items())
    return isinstance(value, Items) and any(map(_has_instruction, value))


def _with(branch: Branch, path: KeyPath, value: object) -> Branch:
    """A copy of a tree with another value at a path that it has."""
    copy = Branch(branch.origin)
    copy.replaces = branch.replaces
    for key, held in branch.items():
        if key == path[0]:
            assert len(path) == 1 or isinstance(held, Branch), "something stands at the path"
            held = _with(held, path[1:], value) if isinstance(held, Branch) and path[1:] else value  # noqa: PLW2901  # what stands there now
        copy.put(key, held, branch.origins[key])
    return copy


def _at(branch: Branch, path: KeyPath) -> tuple[object, Origin] | None:
    """What a tree holds at a path of keys, and where it was written."""
    held: object = branch
    origin = branch.origin
    for step in path:
        if not isinstance(held, Branch) or str(step) not in held:
            return None
        origin, held = held.origins[str(step)], held[str(step)]
    return held, origin


def _without(branch: Branch, path: KeyPath) -> Branch:
    """A copy of a tree without one key, and without the mappings that held nothing else."""
    left = Branch(branch.origin)
    left.replaces = branch.replaces
    for key, value in branch.items():
        if key != path[0]:
            left.put(key, value, branch.origins[key])
        elif len(path) > 1:
            assert isinstance(value, Branch), "something stands at the path"
            inner = _without(value, path[1:])
            if inner:
                left.put(key, inner, branch.origins[key])
    return left


def with_new_names(
    contribution: Contribution, path: KeyPath, catalog: Catalog, report: Report, warn: WarnRenamed
) -> Contribution:
    """What a layer says for one section, with its fields under their present names."""
    branch = contribution.value
    # A name that another field has by now means that field.
    renamed = {old: entry.name for old, entry in catalog.renamed.items() if old not in catalog.names}
    if not isinstance(branch, Branch) or not (branch.keys() & renamed.keys()):
        return contribution
    present = Branch(branch.origin)
    present.replaces = branch.replaces
    for key, value in branch.items():
        origin = branch.origins[key]
        name = renamed.get(key, key)
        old, new = (*path, key), (*path, name)
        if name != key and name in branch:
            report(_both_set(old, new, origin, branch.origins[name]))
            continue
        if name != key:
            warn(origin, old, new, contribution.layer)
        present.put(name, value, origin)
    return contribution._replace(value=present)


def _both_set(old: KeyPath, new: KeyPath, old_place: Origin, new_place: Origin) -> Problem:
    return Problem(
        f"{render_key_path(old)} and {render_key_path(new)} are two names of one field, and both are set",
        where=f"{old_place} and {new_place}",
        fix=f"keep {render_key_path(new)}",
    )


def now_called(origin: Origin, old: KeyPath, new: KeyPath) -> str:
    """What is told of an old name."""
    return f"{origin}: {render_key_path(old)} is now called {render_key_path(new)}"
