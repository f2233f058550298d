"""Validate: the whole tree, once, by pydantic; and every complaint brought back to the place that it is about."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from typedcfg.compiler.descent import Descent, Place
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.sources.base import Branch, Edit
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import (
    Entry,
    LeafNode,
    ListNode,
    MapNode,
    Node,
    SectionNode,
    VariantsNode,
    catalog_of,
    kinds_of,
    reachable,
)
from typedcfg.template.leaves import iter_leaves
from typedcfg.text import one_of, shorten

_PLAIN: Final = {"Input should be ": "", "Value should have ": "a value with ", "String should ": "a text that should "}


def validate(
    descent: Descent, tree: dict[str, Any], *, unknown: frozenset[KeyPath] = frozenset(), is_partial: bool = False
) -> ConfigTemplate | None:
    """The sections that a tree of values makes; None with the problems reported to the descent.

    Args:
        descent: Tells where each value was written.
        tree: The values, as they were resolved and before any was converted.
        unknown: Keys whose value could not be found, for reasons that were reported.
        is_partial: A source could not be read whole; what is missing may have stood there, and is not complained of.
    """
    try:
        return descent.template.model_validate(tree)
    except ValidationError as error:
        seen: set[KeyPath] = set()
        for detail in error.errors(include_url=False):
            if is_partial and detail["type"] == "missing":
                continue
            path, entry = locate(descent, detail["loc"])
            if any(path[: len(silent)] == silent for silent in (*unknown, *descent.broken)):
                continue
            if path in seen and detail["type"] != "value_error":
                # One of several members of a union that each say why they do not fit.
                continue
            seen.add(path)
            descent.report(_problem(descent, path, entry, detail))
    return None


def is_stable(descent: Descent, params: ConfigTemplate) -> Iterator[Problem]:
    """What a second validation would change: the problems of validators that are not idempotent.

    Only templates with validators of their own are asked; pydantic's conversions are idempotent.
    """
    if not _has_validators(type(params)):
        return
    first = {leaf.path: leaf for leaf in iter_leaves(params)}
    try:
        again = type(params).model_validate(explicit_values(params))
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            path, entry = locate(descent, detail["loc"])
            yield Problem(
                f"{render_key_path(path)} does not pass its own validator a second time: {detail['msg']}",
                where=origin_of(descent, path, entry),
                expected="a validator that accepts what it returns",
            )
        return
    for leaf in iter_leaves(again):
        before = first.get(leaf.path)
        if before is not None and repr(before.value) != repr(leaf.value):
            yield Problem(
                f"{render_key_path(leaf.path)} changes when it is validated again",
                where=origin_of(descent, leaf.path, leaf.entry),
                expected="a validator that returns what it made of a value unchanged",
            )


def explicit_values(section: ConfigTemplate) -> dict[str, Any]:
    """A section as the mapping of all its values, sections within it likewise."""
    return {name: _explicit(getattr(section, name)) for name in catalog_of(type(section)).entries}


def _explicit(value: Any) -> Any:
    if isinstance(value, ConfigTemplate):
        return explicit_values(value)
    if isinstance(value, list):
        return [_explicit(item) for item in value]
    if isinstance(value, dict):
        return {key: _explicit(item) for key, item in value.items()}
    return value


@cache
def _has_validators(template: type[ConfigTemplate]) -> bool:
    """Whether a template, or one below it, brings Python code into validation."""
    return any(map(_has_own_validators, reachable(template)))


def _has_own_validators(template: type[ConfigTemplate]) -> bool:
    decorators = template.__pydantic_decorators__
    marked = (mark for entry in catalog_of(template).entries.values() for mark in entry.info.metadata)
    return bool(decorators.field_validators or decorators.model_validators) or any(hasattr(m, "func") for m in marked)


def locate(descent: Descent, loc: tuple[int | str, ...]) -> tuple[KeyPath, Entry | None]:
    """The key path that pydantic's location means; it also names variants, members of unions and keys of mappings."""
    path: KeyPath = ()
    entry: Entry | None = None
    node: Node = SectionNode(descent.template, is_optional=False)
    template: type[ConfigTemplate] | None = descent.template
    value: Any = None
    parts = list(loc)
    while parts:
        part = parts.pop(0)
        if template is not None and part in catalog_of(template).entries:
            entry = catalog_of(template).entries[str(part)]
            node, path, template = entry.node, (*path, part), None
            if isinstance(node, SectionNode):
                template = node.template
            continue
        if template is not None:
            # A key that the template does not have: report it where it stands.
            return (*path, part), None
        match node:
            case VariantsNode():
                template = node.templates.get(str(part)) or _by_name(node, str(part))
            case ListNode() if isinstance(part, int):
                node, path = node.item, (*path, part)
                template = node.template if isinstance(node, SectionNode) else None
            case MapNode():
                node, path = node.value, (*path, part)
                template = node.template if isinstance(node, SectionNode) else None
            case LeafNode():
                value = _value_below(descent, path, part)
                if value:
                    path = (*path, part)
    return path, entry


def _by_name(node: VariantsNode, name: str) -> type[ConfigTemplate] | None:
    return next((t for t in node.templates.values() if t.__name__ == name), None)


def _value_below(descent: Descent, path: KeyPath, part: int | str) -> bool:
    """Whether something was written at a step below a leaf; pydantic's location also holds names of types."""
    place = descent.place(path)
    child = place.child(part) if place is not None else None
    return child is not None and bool(child.live)


def _problem(descent: Descent, path: KeyPath, entry: Entry | None, detail: ErrorDetails) -> Problem:
    key = render_key_path(path) or "the configuration"
    where = origin_of(descent, path, entry)
    if detail["type"] == "missing" and entry is not None:
        return _missing(descent, path, entry)
    expected = _expected(detail["msg"])
    if entry is not None and entry.unit and isinstance(entry.node, LeafNode):
        expected = f"{expected} [{entry.unit}]"
    if detail["type"] == "value_error" and isinstance(detail.get("ctx", {}).get("error"), ValueError):
        return Problem(f"{key}: {detail['ctx']['error']}", where)
    if entry is not None and (entry.is_secret or any(e.is_secret for e in _entries_below(entry))):
        return Problem(f"{key} is wrong (a secret, not shown)", where, expected)
    if isinstance(detail["input"], (ConfigTemplate, Mapping)):
        return Problem(f"{key} is wrong", where, expected)
    return Problem(f"{key} = {shorten(repr(detail['input']))} is wrong", where, expected)


def _entries_below(entry: Entry) -> Iterator[Entry]:
    if isinstance(entry.node, SectionNode):
        yield from catalog_of(entry.node.template).entries.values()


def _missing(descent: Descent, path: KeyPath, entry: Entry) -> Problem:
    key = render_key_path(path)
    holder = descent.place(path[:-1])
    written = next((str(c.origin) for c in reversed(holder.live)), "") if holder is not None else ""
    if isinstance(entry.node, VariantsNode):
        kinds = [kinds_of(t)[0] for t in dict.fromkeys(entry.node.templates.values())]
        return Problem(
            f"{key} is required", written, f"one of the kinds {one_of(kinds)}", None, f"choose one: {key}={kinds[0]}"
        )
    from typedcfg.template.help import type_text

    return Problem(
        f"{key} is required",
        f"the section at {written}" if written else "nothing sets it",
        expected=type_text(entry),
        fix=f"write it in a file, or pass {key}=...",
    )


def _expected(message: str) -> str:
    for opening, replacement in _PLAIN.items():
        if message.startswith(opening):
            return replacement + message[len(opening) :]
    return message


def origin_of(descent: Descent, path: KeyPath, entry: Entry | None = None) -> str:
    """Where the value at a path was written; for a value that nobody wrote, the template's own default."""
    place: Place | None = descent.root
    best = ""
    for step in path:
        child = place.child(step) if place is not None else None
        if child is None:
            written = (
                [
                    c.value.origins[step]
                    for c in place.live
                    if isinstance(c.value, Branch) and isinstance(step, str) and step in c.value
                ]
                if place
                else []
            )
            return str(written[-1]) if written else best
        live = [c for c in child.live if not isinstance(c.value, Edit)]
        if live:
            best = str(live[-1].origin)
        place = child
    if place is not None and not place.live and entry is not None:
        return f"default of {entry.template.__qualname__}.{entry.name}"
    return best
