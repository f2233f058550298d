"""Crashes: what a user's validator raises that is no complaint about a value, brought back to the key it is about.

pydantic collects what is a `ValueError` and lets everything else end the whole validation, without a word of where
it was. So the tree is taken apart, and each field and section asked alone; this costs time, and only after a crash.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from typedcfg.compiler.one_field import fields_before, validated
from typedcfg.compiler.spots import GroupSpot, NotThere, SectionSpot, Spot, root_spot, spot_of
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath
from typedcfg.origin import Origin, in_code
from typedcfg.template.base import ConfigTemplate

_NOT_THE_USERS: Final = frozenset({"typedcfg", "pydantic", "pydantic_core"})


class Failure(NamedTuple):
    """One field or section that cannot be validated."""

    path: KeyPath
    """The section that was asked, or of which a field was."""
    template: type[ConfigTemplate]
    field: str
    """The field; empty where it is the section as a whole."""
    error: Exception

    @property
    def key(self) -> KeyPath:
        """What the failure is about."""
        return (*self.path, self.field) if self.field else self.path


def failures_in(template: type[ConfigTemplate], tree: Mapping[str, Any]) -> Iterator[Failure]:
    """Every field and section of a tree that fails alone; of what depends on another that fails, only that."""
    yield from _below(root_spot(template, tree))


def _below(spot: Spot) -> Iterator[Failure]:
    match spot:
        case SectionSpot():
            found = [failure for entry in spot.catalog.branching for failure in _held(spot, entry.name)]
            found += _fields(spot)
            yield from found or _whole(spot)
        case GroupSpot():
            for step in spot.names():
                try:
                    inner = spot.at(step)
                except NotThere:
                    continue  # the section around it says so
                yield from _below(inner)


def _held(spot: SectionSpot, name: str) -> Iterator[Failure]:
    """What fails in a field of sections."""
    if name in spot.tree:
        try:
            held = spot_of(spot.catalog.entries[name].node, spot.tree[name], (*spot.path, name), spot)
        except NotThere:
            return  # the section around it says so
        yield from _below(held)


def _fields(spot: SectionSpot) -> Iterator[Failure]:
    """The fields of a section that fail."""
    failed: set[str] = set()
    for entry in spot.catalog.entries.values():
        if not entry.is_leaf or (not entry.has_default and entry.name not in spot.tree):
            continue
        if any(other.name in failed for other in fields_before(entry)):
            continue  # what it asks `info.data` for is not there
        try:
            validated(entry, spot.tree)
        except Exception as error:  # noqa: BLE001  # whatever a user's validator raises is told with its key
            failed.add(entry.name)
            yield Failure(spot.path, spot.catalog.template, entry.name, error)


def _whole(spot: SectionSpot) -> Iterator[Failure]:
    """A section that fails although all that it holds is right."""
    try:
        spot.catalog.template.model_validate(spot.tree)
    except Exception as error:  # noqa: BLE001  # as above
        yield Failure(spot.path, spot.catalog.template, "", error)


def details_of(failure: Failure) -> list[Any]:
    """What pydantic says of a failure, located from the section that was asked; nothing if it is a crash."""
    if not isinstance(failure.error, ValidationError):
        return []
    details = failure.error.errors(include_url=False)
    above = (failure.field,) if failure.field else ()
    # A field that was validated together with those before it is named already.
    return [d if d["loc"][:1] == above else {**d, "loc": (*above, *d["loc"])} for d in details]


def crash(key: str, error: Exception, *, written: str = "", is_secret: bool = False) -> Problem:
    """The problem of a validator that raised what is no complaint.

    Args:
        key: What was validated.
        error: What was raised; its text is left out where it may quote a secret.
        written: Where the value was written.
        is_secret: Whether the value may be, or hold, one.
    """
    validator, place = raised_in(error)
    told = "" if is_secret else f": {error}"
    return Problem(
        f"{key}: {validator} raised {type(error).__name__}{told}",
        where="\n".join([*([written] if written else []), *([f"{place} (the validator)"] if place else [])]),
        expected="a validator that returns the value, or refuses it with a ValueError",
    )


def raised_in(error: BaseException) -> tuple[str, Origin | None]:
    """The first function of the user's on the way to an error, and the line of it that was reached."""
    step = error.__traceback__
    while step is not None:
        package = str(step.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in _NOT_THE_USERS:
            code = step.tb_frame.f_code
            return code.co_qualname.rpartition("<locals>.")[2], in_code(code.co_filename, step.tb_lineno)
        step = step.tb_next
    return "a validator", None
