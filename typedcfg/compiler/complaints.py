"""Complaints: what pydantic says of a tree, brought back to the keys and places that it is about, in our words."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from pydantic_core import ErrorDetails

from typedcfg.compiler.choice import kinds_in
from typedcfg.compiler.crashes import Failure, crash, details_of, raised_in
from typedcfg.compiler.declared import may_hold_secret
from typedcfg.compiler.descent import Descent
from typedcfg.compiler.merge import below
from typedcfg.compiler.shown import HIDDEN, quoted
from typedcfg.compiler.spelling import spelling
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry, catalog_of
from typedcfg.template.nodes import LeafNode, ListNode, MapNode, Node, SectionNode, VariantsNode
from typedcfg.template.rivals import Rivals
from typedcfg.template.type_text import type_text
from typedcfg.text import one_of

_PLAIN: Final = {
    "Input should be a valid string": "a text",
    "Input should be ": "",
    "Value should have ": "a value with ",
    "String should ": "a text that should ",
    "List should have ": "a list with ",
    "Value error, ": "",
}
_NOUNS: Final = {
    "Input should be a valid boolean": "true or false",
    "Input should be a valid integer": "integer",
    "Input should be a valid number": "number",
}
"""Types as help names them, for an item of a list too; how pydantic tried to read a text says nothing more."""

_OF_TYPE: Final = re.compile(
    r".*_(type|parsing|too_short|too_long|pattern_mismatch)|too_(short|long)|(greater|less)_than(_equal)?|multiple_of"
    r"|int_from_float|finite_number|literal_error|enum"
)
"""Complaints of pydantic that the words for the field's own type answer."""
_OF_KEY: Final = "[key]"
"""What pydantic adds to the location of a mapping's key, as opposed to the value under it."""


class Complaint(NamedTuple):
    """What pydantic says of one value, and which value it is."""

    path: KeyPath
    field: KeyPath
    """The path of the field that the value is, or lies in."""
    entry: Entry | None
    """That field; None for the whole configuration."""
    detail: ErrorDetails

    @property
    def is_about_sections(self) -> bool:
        """Whether a section's own validator complains, having seen all values in it."""
        return self.entry is None or not self.entry.is_leaf


def problems_of_failure(descent: Descent, failure: Failure) -> list[Problem]:
    """What is wrong with one field that was validated alone."""
    complaints = [locate(descent, detail, failure.path, failure.template) for detail in details_of(failure)]
    return list(problems_of(descent, complaints)) if complaints else [crash_of(descent, failure)]


def problems_of(descent: Descent, complaints: list[Complaint]) -> Iterator[Problem]:
    """The problems of one field; where the members of a union each say why they do not fit, they are one."""
    whole = [complaint for complaint in complaints if complaint.path == complaint.field]
    if len(complaints) > 1 and whole and not whole[0].is_about_sections:
        yield _problem(descent, whole[0], expected=_type_of(whole[0]))
    else:
        for complaint in complaints:
            yield _problem(descent, complaint)


def crash_of(descent: Descent, failure: Failure) -> Problem:
    """The problem that a validator made by breaking."""
    key = render_key_path(failure.key) or "the configuration"
    entry = catalog_of(failure.template).entries.get(failure.field)
    is_secret = may_hold_secret(descent.template, failure.key)
    return crash(key, failure.error, written=origin_of(descent, failure.key, entry), is_secret=is_secret)


def locate(
    descent: Descent, detail: ErrorDetails, path: KeyPath = (), template: type[ConfigTemplate] | None = None
) -> Complaint:
    """The key path that pydantic's location means; it also names variants, members of unions and keys of mappings.

    Args:
        descent: Tells which steps below a leaf were written.
        detail: What pydantic says.
        path: The section that it was said of.
        template: What that section is; by default the whole configuration.
    """
    field = path
    entry: Entry | None = None
    node: Node = SectionNode(template or descent.template, is_optional=False)
    for number, part in enumerate(detail["loc"], 1):
        # Of what is not there, what lacks it is shown.
        is_missing = detail["type"] == "missing" and number == len(detail["loc"])
        match node:
            case SectionNode() if part not in catalog_of(node.template).entries:
                # A key that the template does not have: report it where it stands.
                return Complaint((*path, part), (*path, part), None, detail)
            case SectionNode():
                entry = catalog_of(node.template).entries[str(part)]
                node, path = entry.node, (*path, part)
                field = path
            case VariantsNode():
                template = node.templates.get(str(part)) or _by_name(node, str(part))
                node = SectionNode(template, is_optional=False) if template else node
            case ListNode() if isinstance(part, int):
                node, path = node.item, (*path, part)
            case MapNode() if part != _OF_KEY:
                node, path = node.value, (*path, part)
            case LeafNode() if not is_missing and (isinstance(part, int) or _is_written(descent, (*path, part))):
                path = (*path, part)
    return Complaint(path, field, entry, detail)


def _by_name(node: VariantsNode, name: str) -> type[ConfigTemplate] | None:
    return next((t for t in node.templates.values() if t.__name__ == name), None)


def _is_written(descent: Descent, path: KeyPath) -> bool:
    """Whether something was written at a key below a leaf; pydantic's location also holds names of types."""
    place = descent.place(path)
    return place is not None and bool(place.live)


def _problem(descent: Descent, complaint: Complaint, *, expected: str = "") -> Problem:
    path, _, entry, detail = complaint
    if detail["type"] == "missing" and entry is not None and detail["loc"][-1] == entry.name:
        return _missing(descent, path, entry)
    key = render_key_path(path) or "the configuration"
    where = origin_of(descent, path, entry)
    if may_hold_secret(descent.template, path) and not complaint.is_about_sections:
        # Not even the words of a validator: they may quote what it saw.
        return Problem(f"{key} is wrong ({HIDDEN})", where, _type_of(complaint))
    if detail["type"] == "extra_forbidden":
        return Problem(f"unknown key {key!r}", where, _type_of(complaint))
    raised = detail.get("ctx", {}).get("error")
    if detail["type"] in ("value_error", "assertion_error") and isinstance(raised, Exception):
        fix = ""
        if isinstance(raised, Rivals):
            where, fix = _told_apart(descent, path, raised)
        return _refused(key, raised, where, fix)
    expected = expected or (_type_of(complaint) if detail["type"] == "missing" else _expected(complaint))
    if complaint.is_about_sections:
        return Problem(f"{key} is wrong", where, expected)
    fix = spelling(descent, path, detail)
    return Problem(f"{key} = {quoted(detail['input'])} is wrong", where, expected, fix=fix)


def _refused(key: str, raised: Exception, where: str, fix: str) -> Problem:
    """What a validator says of a value; one that says nothing is named."""
    if str(raised):
        return Problem(f"{key}: {raised}", where, fix=fix)
    name, place = raised_in(raised)
    told = "\n".join(filter(None, [where, f"{place} (the validator)" if place else ""]))
    return Problem(f"{key} is refused by its validator {name}", told, fix="let the validator say what it expects")


def _told_apart(descent: Descent, path: KeyPath, rivals: Rivals) -> tuple[str, str]:
    """Where each of several fields is said, and how to take back those that are mere defaults if one is left then."""
    where = {name: origin_of(descent, (*path, name)) for name in rivals.fields}
    defaults = [name for name, origin in where.items() if origin.startswith("default of ")]
    is_settled = len(defaults) == len(where) - 1
    told = "\n".join(f"{origin} ({name})" for name, origin in where.items())
    return told, " ".join(f"{render_key_path((*path, name))}=null" for name in defaults) if is_settled else ""


def _missing(descent: Descent, path: KeyPath, entry: Entry) -> Problem:
    key = render_key_path(path)
    holder = descent.place(path[:-1])
    written = holder.live if holder is not None and holder.path else []
    where = f"the section at {written[-1].origin}" if written else "nothing sets it"
    if isinstance(entry.node, VariantsNode):
        kinds = kinds_in(entry.node.templates)
        return Problem(
            f"{key} is required", where, f"one of the kinds {one_of(kinds)}", fix=f"choose one: {key}={kinds[0]}"
        )
    return Problem(f"{key} is required", where, type_text(entry), fix=f"write it in a file, or pass {key}=...")


def _type_of(complaint: Complaint) -> str:
    return type_text(complaint.entry) if complaint.entry is not None else ""


def _expected(complaint: Complaint) -> str:
    message, entry = complaint.detail["msg"], complaint.entry
    is_whole = complaint.path == complaint.field and not complaint.is_about_sections
    if is_whole and _OF_TYPE.fullmatch(complaint.detail["type"]):
        return _type_of(complaint)
    message = in_our_words(message)
    return f"{message} [{entry.unit}]" if entry is not None and entry.unit and entry.is_leaf else message


def in_our_words(message: str) -> str:
    """What pydantic says, where its words are those of a program."""
    if noun := next((noun for opening, noun in _NOUNS.items() if message.startswith(opening)), ""):
        return noun
    opening = next((opening for opening in _PLAIN if message.startswith(opening)), "")
    return _PLAIN.get(opening, "") + message.removeprefix(opening)


def origin_of(descent: Descent, path: KeyPath, entry: Entry | None = None) -> str:
    """Where the value at a path was written, or what holds it; for a value that nobody wrote, its default."""
    place, best = descent.root, ""
    is_said = bool(place.live)
    for step in path:
        child = place.child(step)
        if child is None:
            written = below(place.live, str(step))
            return str(written[-1].origin) if written else best
        best = str(child.live[-1].origin) if child.live else best
        # What a text in a list's place brought has no place of its own.
        is_said = bool(child.live) or (is_said and isinstance(place.node, LeafNode))
        place = child
    if not is_said and entry is not None:
        return f"default of {entry.template.__qualname__}.{entry.name}"
    return best
