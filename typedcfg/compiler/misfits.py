"""Misfits: what was said where a section, a list or a mapping belongs, and cannot stand there."""

from dataclasses import replace

from typedcfg.compiler.choice import kinds_in
from typedcfg.compiler.lists import Missed, position_in
from typedcfg.compiler.merge import LIST_EDITS, is_reset, removed_keys
from typedcfg.compiler.place import Place
from typedcfg.compiler.shown import quoted
from typedcfg.errors import Problem
from typedcfg.key_path import render_key_path
from typedcfg.sources.base import Branch, Edit, Positions, Removed
from typedcfg.template.nodes import LeafNode, ListNode, MapNode, SectionNode, VariantsNode
from typedcfg.text import listed, nearest, one_of, placeholder, spaced


def refuse_value(place: Place) -> None:
    """Report a value where a section, or a list or mapping of sections, belongs."""
    match place.node:
        case ListNode():
            what, expected = "list", "a list of sections"
        case MapNode():
            what, expected = "mapping", "a mapping of sections, each by its name"
        case VariantsNode(templates=templates):
            what, expected = "section", f"a kind, {one_of(kinds_in(templates))}, or a mapping"
        case _:
            what, expected = "section", "a mapping"
    value, origin, is_secret = place.live[-1].value, place.live[-1].origin, place.may_hold_secret
    shown = quoted(value, is_secret=is_secret)
    fix = "" if is_secret else _meant_as(place, value) if place.path else ""
    problem = Problem(f"{render_key_path(place.path)} = {shown} is no {what}", expected=expected, fix=fix)
    place.descent.report_at(problem, origin, broken=place.path)


def refuse_edit(place: Place) -> None:
    """Report an edit to a list or mapping that is not there."""
    edit = next(contribution for contribution in place.live if isinstance(contribution.value, LIST_EDITS))
    key, formula = render_key_path(place.path), place.entry and place.entry.derived
    if isinstance(place.node, LeafNode) and not place.node.is_container:
        problem = Problem(
            f"{key} is no list, and cannot be edited as one",
            fix=f"write it whole: {key}=...; += adds an item to a list, -= takes one out",
        )
        place.descent.report_at(problem, edit.origin)
    elif formula is not None and place.path == place.field:
        fix = f"write it whole instead of the formula: {key}=[...]"
        what = f"{key} is computed, and is not known when lists are edited"
        place.descent.report_at(Problem(what, fix=fix), edit.origin, broken=place.path)
    elif isinstance(place.node, (SectionNode, VariantsNode)):
        problem = Problem(
            f"{key} is a section, and cannot be edited as a list",
            fix=f"set what it holds, each by its key: {key}.key=...",
        )
        place.descent.report_at(problem, edit.origin, broken=place.path)
    elif any(isinstance(fallen.contribution.value, Branch) for fallen in place.fallen):
        what = f"{key} is a mapping, and cannot be edited as a list"
        problem = Problem(what, fix=f"set what it holds, each by its key: {key}.key=...")
        place.descent.report_at(problem, edit.origin, broken=place.path)
    else:
        problem = Problem(f"there is no list at {key} to edit", fix=f"write it whole first: {key}=[...]")
        place.descent.doubt(replace(problem, where=str(edit.origin)), broken=place.path)


def refuse_missing_keys(place: Place) -> None:
    """Report keys that are to be taken out of a mapping, and are not in it."""
    names: dict[str, None] = {}
    for _, value, origin, *_ in place.live:
        if isinstance(value, Branch):
            names |= dict.fromkeys(key for key, inner in value.items() if not is_reset(inner))
        elif isinstance(value, Removed):
            for key in removed_keys(value):
                if key not in names:
                    what = f"{render_key_path((*place.path, key))} cannot be removed: there is no such key"
                    expected = f"one of the keys: {listed(names)}" if names else "a mapping that has keys"
                    place.descent.doubt(Problem(what, str(origin), expected, suggestion=nearest(key, names)))
                names.pop(key, None)


def missed_item(place: Place, missed: Missed) -> Problem:
    """The problem of an edit to an item that a list does not have."""
    where = str(missed.contribution.origin)
    if isinstance(missed.contribution.value, Positions) and isinstance(missed.item, int):
        is_reset = isinstance(missed.contribution.value[missed.item], Edit)
        return Problem(
            f"{render_key_path((*place.path, missed.item))} does not exist",
            str(missed.contribution.value.origins[missed.item]),
            expected=position_in(missed.length),
            fix="" if is_reset else f"add an item behind the others: {render_key_path(place.path)}+=...",
        )
    is_secret, key = place.may_hold_secret, render_key_path(place.path)
    return Problem(
        f"{quoted(missed.item, is_secret=is_secret)} cannot be removed: {key} holds no such item",
        where,
        expected="" if is_secret else f"one of the items: {listed(_literal_items(place))}",
    )


def _meant_as(place: Place, value: object) -> str:
    """What to write where a section, or a list or mapping of sections, was meant, and something else was said."""
    if value is None:
        empty = "[]" if isinstance(place.node, ListNode) else "{}"
        return f"write what it holds below it, indented; or {place.path[-1]}: {empty}; or leave it out"
    if isinstance(value, Branch) and isinstance(place.node, ListNode) and (step := next(iter(value), "")).isdecimal():
        return f"a position stands in brackets: {render_key_path((*place.path, int(step)))}"
    return placeholder(value) or (spaced(value) if isinstance(value, str) else "")


def _literal_items(place: Place) -> list[str]:
    return [quoted(said[-1].value) for said in place.arrangement.items]
