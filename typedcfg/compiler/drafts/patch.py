"""Patch: a diff applied to a draft, so that it becomes the configuration that the diff was made with."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from typedcfg.compiler.diff import Difference, is_same
from typedcfg.compiler.drafts.caller import line_of_caller
from typedcfg.compiler.drafts.edits import Edits
from typedcfg.compiler.shape import ABSENT, Absent
from typedcfg.errors import ConfigError, Problem, UnsupportedValue
from typedcfg.key_path import KeyPath
from typedcfg.sources.instances import explicit_settings
from typedcfg.template.leaves import iter_leaves, value_at
from typedcfg.template.variants import KIND
from typedcfg.text import shorten

Flat = dict[KeyPath, Any]


def apply(edits: Edits, at: KeyPath, differences: Sequence[Difference]) -> None:
    """Make the edits that a diff tells of, below a section.

    Raises:
        ConfigError: An edit does not fit; then none is made. Or these are no differences.
    """
    if not _is_diff(differences):
        raise ConfigError(
            Problem(
                f"{shorten(repr(differences))} is no diff",
                str(line_of_caller()),
                expected="the differences of two configurations",
                fix="draft.apply(config.diff(other))",
            )
        )
    before = _flat(edits, at)
    wanted = {**before, **{difference.path: difference.now for difference in differences}}
    wanted = {path: value for path, value in wanted.items() if value is not ABSENT}
    derived = {difference.path for difference in differences if difference.is_derived}
    trial = edits.copy()
    for path, value in _edits(_nested(before), _nested(wanted), (), derived):
        trial.put((*at, *path), value)
    # A formula is left to itself where it comes to the same; where it does not, the other's value was set by hand.
    found = _flat(trial, at)
    for path, value in _edits(_nested(found), _nested(wanted), (), set()):
        trial.put((*at, *path), value)
    trial.config()
    edits.take_over(trial)


def _is_diff(given: object) -> bool:
    if isinstance(given, Difference) or not isinstance(given, (list, tuple)):
        return False
    return all(isinstance(one, Difference) for one in given)


def _flat(edits: Edits, at: KeyPath) -> Flat:
    section = value_at(edits.config().params, at)
    return {leaf.path: leaf.value for leaf in iter_leaves(section)}


def _nested(flat: Flat) -> dict[str | int, Any]:
    """Leaves as the tree that they come from: mappings by key, lists by position."""
    tree: dict[str | int, Any] = {}
    for path, value in flat.items():
        here = tree
        for step in path[:-1]:
            here = here.setdefault(step, _Inner())
        here[path[-1]] = value
    return tree


class _Inner(dict[str | int, Any]):
    """A section, or a list or mapping of sections, as opposed to a value that is a dict."""


def _edits(before: Any, wanted: Any, path: KeyPath, derived: set[KeyPath]) -> Iterator[tuple[KeyPath, Any]]:
    """What to set, as far down as both trees have the same keys."""
    for step, value in wanted.items():
        inner, was = (*path, step), before.get(step, ABSENT)
        if isinstance(value, _Inner) and isinstance(was, _Inner) and _same_form(was, value):
            yield from _edits(was, value, inner, derived)
        elif isinstance(value, _Inner):
            yield inner, _settings(value, inner, derived)
        elif inner not in derived and (isinstance(was, (Absent, _Inner)) or not _equal(was, value)):
            yield inner, explicit_settings(value)


def _same_form(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    return one.keys() == other.keys() and one.get(KIND) == other.get(KIND)


def _equal(one: Any, other: Any) -> bool:
    try:
        return is_same(one, other)
    except UnsupportedValue:  # a secret, most likely
        return bool(one == other)


def _settings(value: Any, path: KeyPath, derived: set[KeyPath]) -> Any:
    """A tree of leaves as Python values to assign; lists in order."""
    if not isinstance(value, _Inner):
        return explicit_settings(value)
    inner = {
        step: _settings(item, (*path, step), derived) for step, item in value.items() if (*path, step) not in derived
    }
    return [inner[position] for position in sorted(inner)] if any(isinstance(step, int) for step in inner) else inner
