"""Validate: the whole tree, once, by pydantic; and whether a second time changes nothing."""

from collections.abc import Collection, Iterator
from functools import cache
from typing import Any, Final

from pydantic import AfterValidator, BeforeValidator, PlainValidator, ValidationError, WrapValidator

from typedcfg.compiler.complaints import (
    Complaint,
    crash_of,
    in_our_words,
    locate,
    origin_of,
    problems_of,
)
from typedcfg.compiler.crashes import Failure, crash, details_of, failures_in
from typedcfg.compiler.declared import may_hold_secret
from typedcfg.compiler.descent import Descent
from typedcfg.errors import Problem, TypedcfgError
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.template.annotations import iter_types
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import catalog_of, reachable
from typedcfg.template.leaves import iter_leaves

_VALIDATORS: Final = (AfterValidator, BeforeValidator, PlainValidator, WrapValidator)


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
            descent.report(crash_of(descent, failure))
        for detail in details_of(failure):
            complaint = locate(descent, detail, failure.path, failure.template)
            if descent.is_partial and detail["type"] == "missing":
                continue
            if not silent.covers(complaint.path, of_all=complaint.is_about_sections):
                by_field.setdefault(complaint.field, []).append(complaint)
    for complaints in by_field.values():
        descent.report(*problems_of(descent, complaints))
    return None


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
            told = "" if may_hold_secret(descent.template, path) else f": {in_our_words(detail['msg'])}"
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
