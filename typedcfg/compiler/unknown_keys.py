"""Unknown keys: what is said to somebody who names a key that no section declares."""

from typing import Final

from typedcfg.compiler.choice import kinds_in
from typedcfg.compiler.declared import declared_at
from typedcfg.compiler.place import Place
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPathError, parse_key_path, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch
from typedcfg.template.catalog import catalog_of
from typedcfg.template.nodes import MapNode, VariantsNode
from typedcfg.text import NO_SWEEPS, nearest, one_of, spaced

_HABITS: Final = {
    "multirun": NO_SWEEPS,
    "defaults": "write $extends: [base.yaml], with paths relative to this file",
    "extends": "write $extends: base.yaml",
    "_base_": "write $extends: base.yaml",
    "_target_": "no file names a class: write kind: and one of the kinds that the field declares",
}
"""Keys that do in other tools what has another spelling here."""


def refuse_unknown_keys(place: Place) -> None:
    """Report each key that the template does not declare, wherever it was written."""
    for layer, branch, *_ in place.live:
        assert isinstance(branch, Branch), "only mappings count for a section"
        for key in [key for key in branch if key not in place.catalog.names]:
            # A key of another variant may be right once that is chosen.
            is_of_another = declared_at(place.descent.template, (*place.path, key))
            note = place.descent.doubt if is_of_another else place.descent.report
            note(unknown_key(place, key, branch.origins[key], layer.strength))


def unknown_key(place: Place, key: str, origin: Origin, strength: str) -> Problem:
    """The problem of a key that no section declares."""
    known = list(place.catalog.entries)
    near = nearest(key, known)
    what = f"unknown key {render_key_path((*place.path, key))!r}"
    return Problem(
        what,
        str(origin),
        expected=place.catalog.keys_told,
        suggestion=near if strength in ("files", "presets") or near is None else render_key_path((*place.path, near)),
        fix=of_another_kind(place, key)
        or _of_another_tool(key)
        or spaced(key)
        or ("" if near else _as_a_path(place, key)),
    )


def _of_another_tool(key: str) -> str:
    return _HABITS.get(key, "")


def of_another_kind(place: Place, key: str) -> str:
    """Which variants have a key that the one in force has not, and how to choose one; empty where none has."""
    if not isinstance(place.node, VariantsNode):
        return ""
    kinds = [kind for kind in kinds_in(place.node.templates) if key in catalog_of(place.node.templates[kind]).entries]
    chosen = f"{render_key_path(place.path)}={kinds[0]}" if kinds else ""
    return f"it is a key of kind {one_of(kinds)}: {chosen}" if kinds else ""


def _as_a_path(place: Place, key: str) -> str:
    """How to write a key that was taken for one step and is several, or the other way round."""
    try:
        steps = parse_key_path(key)
    except KeyPathError:
        steps = ()
    if len(steps) > 1 and declared_at(place.descent.template, (*place.path, *steps)):
        nested = "".join(f"{step}: {{" for step in steps[:-1])
        return f"nest it: {nested}{steps[-1]}: ...{'}' * (len(steps) - 1)}"
    around = place.descent.place(place.path[:-1]) if place.path else None
    if around is not None and isinstance(around.node, MapNode):
        dotted = render_key_path((*around.path, f"{place.path[-1]}.{key}"))
        return f"a name with a dot in it is quoted, and the whole argument again for a shell: '{dotted}'"
    found = [render_key_path(path) for path in place.descent.elsewhere((key.replace("-", "_"),))]
    return f"there is {' and '.join(found)}" if found else ""
