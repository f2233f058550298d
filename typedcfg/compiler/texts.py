"""Bare texts, from a command line or a variable, where a section, a list or a mapping belongs."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from typedcfg.compiler.merge import LIST_EDITS, Contribution
from typedcfg.compiler.shown import HIDDEN
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import Appended, Branch, Items, Removed, Text
from typedcfg.sources.instructions import EXTENDS, take_apart
from typedcfg.sources.yaml_value import NotAValue, read_value

if TYPE_CHECKING:
    from typedcfg.compiler.place import Place

_ANY_KEY: Final = "value"


def is_flow(text: object) -> bool:
    """Whether a bare text begins like a mapping or list."""
    return isinstance(text, Text) and text.startswith(("{", "["))


def builds_on(said: Sequence[Contribution]) -> bool:
    """Whether something is said that builds on what lies below: one key of a mapping, one item of a list."""
    return any(map(_builds_on, said))


def _builds_on(contribution: Contribution) -> bool:
    value = contribution.value
    if isinstance(value, Branch):
        return not value.replaces
    return isinstance(value, LIST_EDITS) or (isinstance(value, Text) and value.lstrip().startswith("{"))


def read_flow(place: "Place", contribution: Contribution) -> list[Contribution]:
    """What a text that begins like a mapping or list says: its `$` keys first, as a file's.

    Raises:
        NotAValue: It is neither.
    """
    return _apart(place, contribution, read_value(str(contribution.value), contribution.origin))


def read_edit(place: "Place", contribution: Contribution) -> list[Contribution]:
    """An edit to a list whose items are a bare text: one item, or several within brackets."""
    edit = contribution.value
    assert isinstance(edit, (Appended, Removed)), "only these have items"
    if isinstance(edit.items, Items):
        return [contribution]
    items: object = edit.items
    if isinstance(items, Text) and items.startswith("["):
        try:
            items = read_value(str(items), contribution.origin)
        except NotAValue as error:
            place.descent.report(*unreadable(error, place.path, is_secret=place.may_hold_secret))
            place.descent.broken.append(place.path)
            return []
    if not isinstance(items, Items):
        only = Items(origin=contribution.origin)
        only.put(items, contribution.origin)
        items = only
    return [contribution._replace(value=type(edit)(items))]


def unreadable(error: NotAValue, path: KeyPath, *, is_secret: bool, fix: str = "") -> Iterator[Problem]:
    """What is wrong with a text that begins like a list or mapping and is none, or is a number that nothing holds.

    Args:
        error: What the reader found.
        path: The key that it was to be the value of.
        is_secret: Whether nothing of it may be shown.
        fix: What else may put it right.
    """
    key = render_key_path(path)
    for problem in error.problems:
        reason = f" ({HIDDEN})" if is_secret else f": {problem.what}"
        fixes = "; ".join(filter(None, (problem.fix, fix)))
        suggestion = None if is_secret else problem.suggestion
        yield Problem(f"{key} cannot be read{reason}", problem.where, problem.expected, suggestion, fixes)


def _apart(place: "Place", contribution: Contribution, value: object) -> list[Contribution]:
    """What a value says after its `$` keys; the files it names are not read, for no layer can come so late."""
    if not (isinstance(value, (Branch, Items)) and value.unsettled):
        return [contribution._replace(value=value)]
    holder = Branch(contribution.origin)
    holder.put(_ANY_KEY, value, contribution.origin)
    document, problems = take_apart(holder)
    place.descent.report(*problems)
    trees = [step for step in document.steps if isinstance(step, Branch)]
    if len(trees) < len(document.steps):
        place.descent.report(_no_files(contribution.origin))
    return [contribution._replace(value=tree[_ANY_KEY]) for tree in (*trees, document.own)]


def _no_files(origin: Origin) -> Problem:
    what = f"{EXTENDS} names a file in a value that is no file's"
    return Problem(what, str(origin), fix="mount the part in a file, and name that file among the arguments")
