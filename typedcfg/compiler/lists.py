"""Lists: what was said for each of their items, after every edit.

Edits are carried out one after the other: a position counts in the list as it is by then, so `~layers[0]` makes the
second item the first for what comes later.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from pydantic_core import SchemaValidator

from typedcfg.compiler.merge import Contribution
from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.origin import Origin
from typedcfg.sources.base import Appended, Edit, Items, Positions, Removed, Text
from typedcfg.sources.yaml_value import NotAValue, read_value

Same = Callable[[object, object], bool]


class Missed(NamedTuple):
    """An edit to an item that the list does not have."""

    contribution: Contribution
    item: object
    """The position that is none, or the item that is not there."""
    length: int
    """How many items there were."""


class Arrangement(NamedTuple):
    """The items of a list, each with what was said for it, weakest first."""

    items: list[list[Contribution]]
    missed: list[Missed]


def arrange(live: Iterable[Contribution], *, same: Same) -> Arrangement:
    """A list's items after all that counts for it, weakest first.

    Args:
        live: A whole list, and edits to it.
        same: Whether an item, as it was written, is one that is to be removed.
    """
    items: list[list[Contribution]] = []
    missed: list[Missed] = []
    for contribution in live:
        value = contribution.value
        match value:
            case Items():
                items = [[contribution.within(*pair)] for pair in zip(value, value.origins, strict=True)]
            case tuple():
                items = [[contribution.within(item, contribution.origin)] for item in value]
            case set() | frozenset():
                # A set has no order of its own: give it one, so that a position means the same item every time.
                items = [[contribution.within(item, contribution.origin)] for item in sorted(value, key=str)]
            case Positions():
                missed += _edit_positions(items, contribution, value)
            case Appended(items=Items() as added):
                items += [[contribution.within(*pair)] for pair in zip(added, added.origins, strict=True)]
            case Removed(items=Items() as gone):
                missed += _remove(items, contribution, gone, same)
    return Arrangement(items, missed)


def _edit_positions(items: list[list[Contribution]], contribution: Contribution, edits: Positions) -> list[Missed]:
    missed: list[Missed] = []
    length = len(items)
    gone: list[int] = []
    for position, value in edits.items():
        if not -length <= position < length:
            missed.append(Missed(contribution, position, length))
        elif not isinstance(value, Edit):
            items[position].append(contribution.within(value, edits.origins[position]))
        elif kept := [said for said in items[position] if said.layer.strength == DEFAULTS]:
            items[position] = kept
        else:
            gone.append(position % length)
    for position in sorted(gone, reverse=True):
        del items[position]
    return missed


def _remove(items: list[list[Contribution]], contribution: Contribution, gone: Items, same: Same) -> list[Missed]:
    missed: list[Missed] = []
    for wanted in gone:
        kept = [said for said in items if not (len(said) == 1 and same(said[0].value, wanted))]
        if len(kept) == len(items):
            missed.append(Missed(contribution, wanted, len(items)))
        items[:] = kept
    return missed


def meanings(written: object) -> tuple[object, ...]:
    """What an item may mean: a bare text itself, and what a file would mean by it."""
    if not isinstance(written, Text):
        return (written,)
    try:
        return (str(written), read_value(str(written), Origin("")))
    except NotAValue:
        return (str(written),)


def is_same(item: object, wanted: object, validator: SchemaValidator | None) -> bool:
    """Whether two values are the same for items of a type; True and 1 are not, unless their type makes them so."""
    if validator is not None:
        try:
            item, wanted = validator.validate_python(item), validator.validate_python(wanted)
        except Exception:  # noqa: BLE001  # what is no item at all is told of when the whole is validated
            return False
    return type(item) is type(wanted) and item == wanted
