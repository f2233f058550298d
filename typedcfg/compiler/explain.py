"""Explain: why a value is what it is, told from the layers by the rules that made it."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from typedcfg.compiler.descent import Place
from typedcfg.compiler.merge import Contribution, Fallen
from typedcfg.compiler.precedence import DEFAULTS, STRENGTHS, rule_between
from typedcfg.compiler.story import Resolution, Story
from typedcfg.errors import MissingKey, Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.sources.base import Branch, Edit, Items, Positions, Text
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry
from typedcfg.template.leaves import iter_leaves, value_at
from typedcfg.text import nearest, shorten

_DEPTH: Final = 2
"""How far inputs of inputs are told; beyond, the reader asks for the input's own key."""


class Row(NamedTuple):
    """One line of an explanation."""

    label: str
    value: str
    origin: str
    reason: str = ""


class Explanation(NamedTuple):
    """What is known about one value."""

    path: KeyPath
    value: str
    """As it turned out; empty where there is no such key in the end."""
    rows: tuple[Row, ...]
    """The winner, then every loser, the strongest first."""
    rule: str
    inputs: tuple[KeyPath, ...]


def explain(story: Story, path: KeyPath) -> str:
    """The text of `Config.explain`.

    Raises:
        MissingKey: There is no such key, and nobody ever set it.
    """
    place = story.descent.place(path)
    if place is not None and place.is_section:
        return _explain_section(story, path)
    return "\n".join(_lines(story, explanation_of(story, path), depth=0))


def explanation_of(story: Story, path: KeyPath) -> Explanation:
    """What is known about one value.

    Raises:
        MissingKey: There is no such key, and nobody ever set it.
    """
    losers = [_loser(fallen) for fallen in _fallen_on_the_way(story, path)]
    place = story.descent.place(path)
    if place is None:
        if not losers:
            raise _missing(story, path)
        rule = "another kind was chosen, which has no such key" if losers else ""
        return Explanation(path, "", tuple(losers), rule, ())
    entry, resolution = place.entry, story.resolutions.get(path)
    assert entry is not None, "what is no section lies in a field"
    said = [c for c in place.live if not (isinstance(c.value, Edit))]
    candidates = [*reversed(said), *(f.contribution for f in reversed(place.fallen))]
    rows = [Row("", _as_written(c, entry), str(c.origin)) for c in candidates]
    if path == place.field and not any(c.layer.strength == DEFAULTS for c in candidates):
        rows += _default_rows(entry)
    rows = [row._replace(label="wins" if i == 0 else "over") for i, row in enumerate(rows)]
    shown = _shown(value_at(story.root, path), entry)
    return Explanation(path, shown, (*rows, *losers), _rule(candidates, entry), _inputs(resolution))


def origin_text(story: Story, path: KeyPath) -> str:
    """Where a value came from, in a few words: `wide.yaml:3:15`, `derived: a / b  <- base.yaml:3:1`."""
    place = story.descent.place(path)
    if place is None or place.entry is None:
        return ""
    resolution = story.resolutions.get(path)
    if resolution is not None and resolution.raw is None and place.entry.derived is not None:
        inputs = ", ".join(dict.fromkeys(_winning_origin(story, i) for i in resolution.inputs))
        return (
            f"derived: {place.entry.derived.formula}  <- {inputs}"
            if inputs
            else f"derived: {place.entry.derived.formula}"
        )
    origin = _winning_origin(story, path)
    return (
        f"{resolution.raw}  <- {origin}" if resolution is not None and not isinstance(resolution.raw, Text) else origin
    )


def _winning_origin(story: Story, path: KeyPath) -> str:
    place = story.descent.place(path)
    if place is not None and place.live:
        return str(place.live[-1].origin)
    resolution = story.resolutions.get(path)
    return "derived" if resolution is not None and resolution.raw is None else "default"


# --- collecting -----------------------------------------------------------------------------------------------------


def _fallen_on_the_way(story: Story, path: KeyPath) -> Iterator[Fallen]:
    """Settings of a key that went with something above it: a variant, a section that was replaced or reset."""
    place: Place | None = story.descent.root
    for depth in range(1, len(path)):
        place = place.child(path[depth - 1]) if place is not None else None
        if place is None:
            return
        for fallen in (*place.outvoted, *place.fallen):
            contribution = _follow(fallen.contribution, path[depth:])
            if contribution is not None:
                yield Fallen(contribution, fallen.reason)


def _follow(contribution: Contribution, steps: KeyPath) -> Contribution | None:
    """What a contribution says some steps further down."""
    for step in steps:
        held = contribution.value
        if isinstance(held, (Branch, Positions)) and step in held:
            contribution = Contribution(contribution.layer, held[step], held.origins[step])  # type: ignore[index]  # `in` has looked
        elif isinstance(held, Items) and isinstance(step, int) and step < len(held):
            contribution = Contribution(contribution.layer, held[step], held.origins[step])
        else:
            return None
    return contribution


def _loser(fallen: Fallen) -> Row:
    return Row("not", shorten(_plain_text(fallen.contribution.value)), str(fallen.contribution.origin), fallen.reason)


def _default_rows(entry: Entry) -> list[Row]:
    """The template's own default, or its formula, as the weakest of all."""
    if entry.derived is not None:
        return [Row("", f"derived: {entry.derived.formula}", str(entry.derived.origin))]
    if not entry.has_default:
        return []
    return [Row("", _shown(entry.default(), entry), f"default of {entry.template.__qualname__}.{entry.name}")]


def _rule(candidates: list[Contribution], entry: Entry) -> str:
    key = entry.name
    if not candidates:
        return f"nothing sets {key}: its default is a formula" if entry.derived else f"nothing sets {key}"
    if len(candidates) > 1:
        return rule_between(candidates[0].layer, candidates[1].layer)
    if entry.derived is not None:
        return "an explicit value stands instead of the formula"
    if candidates[0].layer.strength == DEFAULTS:
        return f"nothing sets {key}"
    if not entry.has_default:
        return "nothing else sets it"
    return f"{STRENGTHS[candidates[0].layer.strength]} wins over a default"


def _inputs(resolution: Resolution | None) -> tuple[KeyPath, ...]:
    return resolution.inputs if resolution is not None else ()


def _missing(story: Story, path: KeyPath) -> MissingKey:
    known = [render_key_path(leaf.path) for leaf in iter_leaves(story.root)]
    key = render_key_path(path)
    return MissingKey(Problem(f"there is no key {key!r}", suggestion=nearest(key, known)))


# --- rendering ------------------------------------------------------------------------------------------------------


def _lines(story: Story, told: Explanation, *, depth: int) -> Iterator[str]:
    key = render_key_path(told.path)
    yield f"{key} = {told.value}" if told.value else f"{key} is not a key of this configuration"
    rows = [*told.rows, Row("because", told.rule, "")]
    width = max((len(row.value) for row in told.rows), default=0)
    for row in rows:
        line = f"  {row.label:<9} {row.value:<{width if row.origin else 0}}  {row.origin}".rstrip()
        yield f"{line}: {row.reason}" if row.reason else line
    for path in told.inputs:
        inner = explanation_of(story, path)
        if depth + 1 > _DEPTH:
            yield f"  reads     {render_key_path(path)} = {inner.value}"
            continue
        first, *rest = _lines(story, inner, depth=depth + 1)
        yield f"  reads     {first}"
        yield from (f"          {line}" for line in rest)


def _explain_section(story: Story, path: KeyPath) -> str:
    """Every leaf of a section with where it came from, a line each."""
    held = value_at(story.root, path)
    key = render_key_path(path)
    rows = [
        (render_key_path((*path, *leaf.path)), _shown(leaf.value, leaf.entry), (*path, *leaf.path))
        for leaf in iter_leaves(held)
    ]
    name, width = (max((len(row[i]) for row in rows), default=0) for i in (0, 1))
    dropped = [f"  dropped: {d}" for d in story.dropped if d.path[: len(path)] == path]
    lines = [f"  {k:<{name}} = {v:<{width}}  {origin_text(story, p)}" for k, v, p in rows]
    return "\n".join([f"{key or 'the configuration'}: {type(held).__qualname__}", *lines, *dropped])


def _as_written(contribution: Contribution, entry: Entry) -> str:
    if entry.is_secret:
        return "a secret, not shown"
    return shorten(_plain_text(contribution.value))


def _shown(value: Any, entry: Entry) -> str:
    if entry.is_secret and value is not None:
        return "a secret, not shown"
    return shorten(_plain_text(value))


def _plain_text(value: Any) -> str:
    """A value as YAML would have it on one line."""
    if isinstance(value, ConfigTemplate):
        return f"{type(value).__qualname__}(...)"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_plain_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_plain_text, value)) + "]"
    return str(getattr(value, "value", value))
