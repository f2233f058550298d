"""Lists: what was said for each of their items, after every edit.

Edits are carried out one after the other: a position counts in the list as it is by then, so `~layers[0]` makes the
second item the first for what comes later.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from pydantic_core import SchemaValidator

from typedcfg.compiler.merge import Contribution, standing
from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.origin import Origin
from typedcfg.sources.base import Appended, Edit, Items, Positions, Removed, Text
from typedcfg.sources.yaml_value import NotAValue, read_value

Meanings = Callable[[object], Sequence[object]]


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


def arrange(live: Iterable[Contribution], *, meanings: Meanings) -> Arrangement:
    """A list's items after all that counts for it, weakest first.

    Args:
        live: A whole list, and edits to it.
        meanings: What an item, as it was written, may mean: two are the same if they have a meaning in common.
    """
    known = _Known(meanings)
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
                missed += _remove(items, contribution, gone, known)
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


class _Known:
    """What items mean, each looked at once, be it compared with ever so many."""

    def __init__(self, meanings: Meanings) -> None:
        self._meanings = meanings
        self._of: dict[int, Sequence[object]] = {}
        """By the id of what was written, which its layer keeps alive."""

    def of(self, written: object) -> Sequence[object]:
        known = self._of.get(id(written))
        if known is None:
            known = self._of[id(written)] = self._meanings(written)
        return known


def _remove(items: list[list[Contribution]], contribution: Contribution, gone: Items, known: _Known) -> list[Missed]:
    missed: list[Missed] = []
    for wanted in gone:
        meant = known.of(wanted)
        kept = [said for said in items if not _is_one_of(said, meant, known)]
        if len(kept) == len(items):
            missed.append(Missed(contribution, wanted, len(items)))
        items[:] = kept
    return missed


def _is_one_of(said: list[Contribution], meant: Sequence[object], known: _Known) -> bool:
    """Whether an item is one that is meant; of one that is put together from several mappings nothing is known yet."""
    live = said if len(said) == 1 else standing(said).live
    return len(live) == 1 and _have_one_in_common(known.of(live[0].value), meant)


def _have_one_in_common(some: Sequence[object], others: Sequence[object]) -> bool:
    """Whether two are the same; True and 1 are not, unless the type of the items has made them so."""
    return any(type(one) is type(other) and one == other for one in some for other in others)


def meanings(written: object, validator: SchemaValidator | None = None) -> list[object]:
    """What an item may mean: a bare text itself, and what a file would mean by it; each as its type makes of it."""
    found = [written]
    if isinstance(written, Text):
        found = [str(written)]
        with suppress(NotAValue):
            found.append(read_value(str(written), Origin("")))
    return found if validator is None else [value for one in found for value in _validated(one, validator)]


def _validated(value: object, validator: SchemaValidator) -> Iterator[object]:
    with suppress(Exception):  # what is no item at all is told of when the whole is validated
        yield validator.validate_python(value)


def position_in(length: int) -> str:
    """Which positions a list of a length has."""
    if length > 1:
        return f"a position from 0 to {length - 1}"
    return "position 0, the only one" if length else "a list that has items"
