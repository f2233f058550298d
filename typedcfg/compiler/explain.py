"""Explain: why a value is what it is, told from the layers by the rules that made it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from typedcfg.compiler.declared import may_hold_secret, nearest_declared
from typedcfg.compiler.merge import Contribution, Fallen
from typedcfg.compiler.place import Place
from typedcfg.compiler.precedence import DEFAULTS, STRENGTHS, rule_between
from typedcfg.compiler.shown import shown
from typedcfg.compiler.story import Story
from typedcfg.compiler.unknown_keys import of_another_kind
from typedcfg.errors import MissingKey, Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.sources.base import REFERENCE_MARK, Branch, Items, Positions, Text
from typedcfg.template.catalog import Entry
from typedcfg.template.formula_keys import with_keys
from typedcfg.template.leaves import iter_leaves, value_at
from typedcfg.template.old_names import present_path
from typedcfg.text import nearest

_MOST_INPUTS: Final = 8
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
    value: str | None
    """As it turned out; None where there is no such key in the end."""
    rows: tuple[Row, ...]
    """The winner, then every loser, the strongest first."""
    rule: str
    inputs: tuple[KeyPath, ...]
    variables: tuple[tuple[str, str], ...] = ()
    """The environment variables that were read, each with its value as it is shown."""


def explain(story: Story, path: KeyPath) -> str:
    """The text of `Config.explain`.

    Raises:
        MissingKey: There is no such key, and nobody ever set it.
    """
    place = story.descent.place(path)
    if place is not None and place.is_section:
        return _explain_section(story, path)
    return "\n".join(_lines(story, explanation_of(story, _said_at(story, path)), depth=0))


def _said_at(story: Story, path: KeyPath) -> KeyPath:
    """The path, or that of the value around it where only that was said, as a whole: a reference to a mapping."""
    place = story.descent.place(path)
    if place is None or place.entry is None or path == place.field or not _exists(story, path):
        return path
    while path != place.field and not (place.live or place.fallen or path in story.resolutions):
        if _default_rows(place, place.entry):
            break
        path = path[:-1]
        place = story.descent.place(path)
        assert place is not None, "what lies around a place is one"
        assert place.entry is not None, "it lies within a field"
    return path


def explanation_of(story: Story, path: KeyPath) -> Explanation:
    """What is known about one value.

    Raises:
        MissingKey: There is no such key, and nobody ever set it.
    """
    hides = may_hold_secret(type(story.root), path)
    losers = [_loser(fallen, is_secret=hides) for fallen in _fallen_on_the_way(story, path)]
    place = story.descent.place(path)
    if place is None or not _exists(story, path):
        if not losers:
            raise _missing(story, path)
        return Explanation(path, None, tuple(losers), "what was chosen above it has no such key", ())
    entry = place.entry
    assert entry is not None, "what is no section lies in a field"
    # Of a mapping, or a list with edits, more than one setting is in force.
    live = [_row("and", contribution, is_secret=hides) for contribution in reversed(place.live)]
    over = [_row("over", f.contribution, is_secret=hides) for f in reversed(place.fallen) if not f.is_reset]
    resets = [_loser(fallen, is_secret=hides) for fallen in reversed(place.fallen) if fallen.is_reset]
    copies = [Row("copied", text, str(origin)) for text, origin in reversed(place.copies)]
    default = [] if _has_default(place) else _default_rows(place, entry)
    first, *rest = [*live, *over, *default]
    rows = [first._replace(label="wins"), *rest, *copies, *resets, *losers]
    value = shown(value_at(story.root, path), is_secret=hides)
    # An item of a list, or what a mapping holds, may be an expression too.
    inner = [one for at, one in story.resolutions.items() if at[: len(path)] == path]
    inputs = tuple(dict.fromkeys(read for one in inner for read in one.inputs))
    read = dict.fromkeys(variable for one in inner for variable in one.variables)
    variables = tuple((name, "not set" if text is None else shown(text, is_secret=hides)) for name, text in read)
    rule = _rule(place, entry, is_alone=not rest, is_fallen=bool(resets or losers))
    return Explanation(path, value, tuple(rows), rule, inputs, variables)


def _has_default(place: Place) -> bool:
    """Whether a default is among what was said; a field's own speaks only where nothing was."""
    said = (*place.live, *(fallen.contribution for fallen in place.fallen))
    return any(contribution.layer.strength == DEFAULTS for contribution in said)


def _exists(story: Story, path: KeyPath) -> bool:
    try:
        value_at(story.root, path)
    except (LookupError, TypeError, AttributeError):
        return False
    return True


def origin_of_key(story: Story, path: KeyPath) -> str:
    """The text of `Config.origin`.

    Raises:
        MissingKey: There is no such key.
    """
    if not _exists(story, path):
        raise _missing(story, path)
    return origin_text(story, path)


def origin_text(story: Story, path: KeyPath) -> str:
    """Where a value came from, in a few words: `wide.yaml:3:15`, `derived: a / b  <- base.yaml:3:1`."""
    path = _said_at(story, path)
    place, resolution = story.descent.place(path), story.resolutions.get(path)
    if place is None or place.entry is None:
        return ""
    if resolution is None or (isinstance(resolution.raw, Text) and REFERENCE_MARK not in resolution.raw):
        return _winning_origin(story, path)
    if resolution.raw is not None:
        text = "" if place.entry.is_secret else f"{resolution.raw}  <- "
        return f"{text}{_winning_origin(story, path)}"
    assert place.entry.derived is not None, "what has neither text nor literal has a formula"
    read = ", ".join(dict.fromkeys(_winning_origin(story, path) for path in resolution.inputs))
    formula = with_keys(place.entry.derived, render_key_path(place.field))
    return f"derived: {formula}{f'  <- {read}' if read else ''}"


def _winning_origin(story: Story, path: KeyPath) -> str:
    place, resolution = story.descent.place(path), story.resolutions.get(path)
    if place is not None and place.live and place.live[-1].layer.strength != DEFAULTS:
        return str(place.live[-1].origin)
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


def _row(label: str, contribution: Contribution, *, is_secret: bool, reason: str = "") -> Row:
    return Row(label, shown(contribution.value, is_secret=is_secret), str(contribution.origin), reason)


def _loser(fallen: Fallen, *, is_secret: bool) -> Row:
    return _row("not", fallen.contribution, is_secret=is_secret, reason=fallen.reason)


def _default_rows(place: Place, entry: Entry) -> list[Row]:
    """The template's own default, or its formula, as the weakest of all; a part of it for a key within a container."""
    if entry.derived is not None:
        formula = with_keys(entry.derived, render_key_path(place.field))
        return [Row("over", f"derived: {formula}", str(entry.derived.origin))]
    if not entry.has_default:
        return []
    value: Any = entry.default()
    for step in place.path[len(place.field) :]:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return []
    origin = f"default of {entry.template.__qualname__}.{entry.name}"
    return [Row("over", shown(value, is_secret=entry.is_secret), origin)]


def _rule(place: Place, entry: Entry, *, is_alone: bool, is_fallen: bool) -> str:
    """Why the winner wins, in one sentence."""
    said = [*reversed(place.live), *(f.contribution for f in reversed(place.fallen) if not f.is_reset)]
    if not said or said[0].layer.strength == DEFAULTS:
        is_formula = entry.derived is not None and not said
        nothing = "nothing that counts" if is_fallen else "nothing"
        return f"{nothing} sets {entry.name}{': its default is a formula' if is_formula else ''}"
    if merging := _merging(place, said):
        return merging
    if is_alone:
        return "nothing else sets it"
    if len(said) > 1:
        return rule_between(said[0].layer, said[1].layer)
    if entry.derived is not None:
        return "an explicit value stands instead of the formula"
    return f"{STRENGTHS[said[0].layer.strength]} wins over a default"


def _merging(place: Place, said: Sequence[Contribution]) -> str:
    """How what was said for a list or mapping comes together; empty where one setting stands alone."""
    if place.is_list and len(place.live) > 1:
        return f"edits to a list are made one after the other, and {rule_between(said[0].layer, said[1].layer)}"
    if len(place.live) > 1:
        return f"a mapping is merged key by key, and {rule_between(said[0].layer, said[1].layer)}"
    if isinstance(said[0].value, Branch) and said[0].value.replaces:
        return f"{said[0].origin} replaces the mapping whole: what is written there is all there is"
    return ""


def _missing(story: Story, path: KeyPath) -> MissingKey:
    known = [render_key_path(leaf.path) for leaf in iter_leaves(story.root)]
    key = render_key_path(path)
    around = story.descent.place(path[:-1])
    today = present_path(type(story.root), path)
    declared = today if today != path else nearest_declared(type(story.root), path)
    near = render_key_path(declared) if declared else nearest(key, known)
    fix = of_another_kind(around, str(path[-1])) if around is not None and around.is_section else ""
    if fix:
        return MissingKey(Problem(f"there is no key {key!r}", fix=fix))
    way = (story.descent.place(path[:depth]) for depth in reversed(range(len(path))))
    expected = next(place.catalog.keys_told for place in way if place is not None and place.is_section)
    return MissingKey(Problem(f"there is no key {key!r}", expected=expected, suggestion=near))


# --- rendering ------------------------------------------------------------------------------------------------------


def _lines(story: Story, told: Explanation, *, depth: int) -> Iterator[str]:
    key = render_key_path(told.path)
    yield f"{key} is not a key of this configuration" if told.value is None else f"{key} = {told.value}".rstrip()
    rows = [*told.rows, Row("because", told.rule, "")]
    width = max((len(row.value) for row in told.rows), default=0)
    for row in rows:
        line = f"  {row.label:<9} {row.value:<{width if row.origin else 0}}  {row.origin}".rstrip()
        yield f"{line}: {row.reason}" if row.reason else line
    for name, text in told.variables:
        yield f"  reads     variable {name} = {text}" if text != "not set" else f"  reads     variable {name}, not set"
    for path in told.inputs[:_MOST_INPUTS]:
        inner = explanation_of(story, path)
        if depth + 1 > _DEPTH:
            yield f"  reads     {render_key_path(path)} = {inner.value}"
            continue
        first, *rest = _lines(story, inner, depth=depth + 1)
        yield f"  reads     {first}"
        yield from (f"          {line}" for line in rest)
    if len(told.inputs) > _MOST_INPUTS:
        yield f"  reads     {len(told.inputs) - _MOST_INPUTS} more"


def _explain_section(story: Story, path: KeyPath) -> str:
    """What a section is, and every leaf of it."""
    name = type(value_at(story.root, path)).__qualname__
    lines = [f"  {line}" for line in leaf_lines(story, path)]
    dropped = [f"  dropped: {d}" for d in story.dropped if d.path[: len(path)] == path]
    return "\n".join([f"{render_key_path(path) or 'the configuration'}: {name}", *lines, *dropped])


def leaf_lines(story: Story, path: KeyPath) -> list[str]:
    """Every leaf of a section with where it came from, a line each."""
    held = value_at(story.root, path)
    rows = [
        (render_key_path((*path, *leaf.path)), shown(leaf.value, is_secret=leaf.entry.is_secret), (*path, *leaf.path))
        for leaf in iter_leaves(held)
    ]
    name, width = (max((len(row[i]) for row in rows), default=0) for i in (0, 1))
    return [f"{k:<{name}} = {v:<{width}}  {origin_text(story, p)}" for k, v, p in rows]
