"""Validate: the whole tree, once, by pydantic; and every complaint brought back to the place that it is about."""

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from pydantic import AfterValidator, BeforeValidator, PlainValidator, ValidationError, WrapValidator
from pydantic_core import ErrorDetails

from typedcfg.compiler.choice import kinds_in
from typedcfg.compiler.crashes import Failure, crash, details_of, failures_in, raised_in
from typedcfg.compiler.declared import may_hold_secret
from typedcfg.compiler.descent import Descent
from typedcfg.compiler.merge import below
from typedcfg.compiler.shown import HIDDEN, quoted
from typedcfg.compiler.spelling import spelling
from typedcfg.errors import Problem, TypedcfgError
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.template.annotations import iter_types
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry, catalog_of, reachable
from typedcfg.template.leaves import iter_leaves
from typedcfg.template.nodes import LeafNode, ListNode, MapNode, Node, SectionNode, VariantsNode
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

_OF_TYPE: Final = re.compile(
    r".*_(type|parsing|too_short|too_long|pattern_mismatch)|too_(short|long)|(greater|less)_than(_equal)?|multiple_of"
    r"|int_from_float|finite_number|literal_error|enum"
)
"""Complaints of pydantic that the words for the field's own type answer."""
_OF_KEY: Final = "[key]"
"""What pydantic adds to the location of a mapping's key, as opposed to the value under it."""
_VALIDATORS: Final = (AfterValidator, BeforeValidator, PlainValidator, WrapValidator)


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


def validate(
    descent: Descent, tree: dict[str, Any], *, unknown: frozenset[KeyPath] = frozenset()
) -> ConfigTemplate | None:
    """The sections that a tree of values makes; None with the problems reported to the descent.

    Args:
        descent: Tells where each value was written.
        tree: The values, as they were resolved and before any was converted.
        unknown: Keys whose value could not be found, for reasons that were reported.
    """
    whole = Failure((), descent.template, "", ValueError())
    try:
        return descent.template.model_validate(tree)
    except ValidationError as error:
        failures = [whole._replace(error=error)]
    except TypedcfgError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever a user's validator raises is told with its key and place
        failures = [*failures_in(descent.template, tree)] or [whole._replace(error=error)]
    silent = _Silent((*unknown, *descent.broken))
    by_field: dict[KeyPath, list[Complaint]] = {}
    for failure in failures:
        if not isinstance(failure.error, ValidationError) and not silent.covers(failure.key, of_all=not failure.field):
            descent.report(_crash(descent, failure))
        for detail in details_of(failure):
            complaint = locate(descent, detail, failure.path, failure.template)
            if descent.is_partial and detail["type"] == "missing":
                continue
            if not silent.covers(complaint.path, of_all=complaint.is_about_sections):
                by_field.setdefault(complaint.field, []).append(complaint)
    for complaints in by_field.values():
        descent.report(*_problems(descent, complaints))
    return None


def problems_of(descent: Descent, failure: Failure) -> list[Problem]:
    """What is wrong with one field that was validated alone."""
    complaints = [locate(descent, detail, failure.path, failure.template) for detail in details_of(failure)]
    return list(_problems(descent, complaints)) if complaints else [_crash(descent, failure)]


def _crash(descent: Descent, failure: Failure) -> Problem:
    key = render_key_path(failure.key) or "the configuration"
    entry = catalog_of(failure.template).entries.get(failure.field)
    is_secret = may_hold_secret(descent.template, failure.key)
    return crash(key, failure.error, written=origin_of(descent, failure.key, entry), is_secret=is_secret)


class _Silent:
    """Keys that something was reported about; what else is wrong there is only a consequence."""

    def __init__(self, paths: Collection[KeyPath]) -> None:
        self.paths = frozenset(paths)
        self.above = frozenset(path[:depth] for path in paths for depth in range(len(path)))

    def covers(self, path: KeyPath, *, of_all: bool) -> bool:
        """Whether a complaint is about something there or below, or about all of a section around it."""
        if of_all and path in self.above:
            return True
        return any(path[:depth] in self.paths for depth in range(len(path) + 1))


def _problems(descent: Descent, complaints: list[Complaint]) -> Iterator[Problem]:
    """The problems of one field; where the members of a union each say why they do not fit, they are one."""
    whole = [complaint for complaint in complaints if complaint.path == complaint.field]
    if len(complaints) > 1 and whole and not whole[0].is_about_sections:
        yield _problem(descent, whole[0], expected=_type_of(whole[0]))
    else:
        for complaint in complaints:
            yield _problem(descent, complaint)


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
            path, _, entry, _ = locate(descent, detail)
            told = "" if may_hold_secret(descent.template, path) else f": {_in_our_words(detail['msg'])}"
            yield Problem(
                f"{render_key_path(path)} does not pass its own validator a second time{told}",
                where=origin_of(descent, path, entry),
                expected="a validator that accepts what it returns",
            )
        return
    except Exception as error:  # noqa: BLE001  # as above
        is_secret = may_hold_secret(descent.template, ())
        yield crash("the configuration, validated a second time", error, is_secret=is_secret)
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
    if decorators.field_validators or decorators.model_validators:
        return True
    entries = catalog_of(template).entries.values()
    around = (mark for entry in entries for mark in entry.info.metadata)
    within = (m for e in entries for part in iter_types(e.info.annotation) for m in getattr(part, "__metadata__", ()))
    return any(isinstance(mark, _VALIDATORS) for mark in (*around, *within))


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
        return _refused(key, raised, where)
    expected = expected or (_type_of(complaint) if detail["type"] == "missing" else _expected(complaint))
    if complaint.is_about_sections:
        return Problem(f"{key} is wrong", where, expected)
    fix = spelling(descent, path, detail)
    return Problem(f"{key} = {quoted(detail['input'])} is wrong", where, expected, fix=fix)


def _refused(key: str, raised: Exception, where: str) -> Problem:
    """What a validator says of a value; one that says nothing is named."""
    if str(raised):
        return Problem(f"{key}: {raised}", where)
    name, place = raised_in(raised)
    told = "\n".join(filter(None, [where, f"{place} (the validator)" if place else ""]))
    return Problem(f"{key} is refused by its validator {name}", told, fix="let the validator say what it expects")


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
    message = _in_our_words(message)
    return f"{message} [{entry.unit}]" if entry is not None and entry.unit and entry.is_leaf else message


def _in_our_words(message: str) -> str:
    """What pydantic says, where its words are those of a program."""
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
