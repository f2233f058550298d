"""Variants: which kind a section is of, and which settings belong to it.

Every layer is one voice: what it says belongs to the kind that is in force in it, its own or else the one below. When
the kind is settled, whatever was said for another goes.
"""

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, get_args

from typedcfg.compiler.merge import Contribution, Fallen, below
from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.errors import Problem
from typedcfg.key_path import render_key_path
from typedcfg.sources.base import REFERENCE_MARK, Branch, Edit, Items
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.nodes import VariantsNode
from typedcfg.template.variants import KIND, kinds_of
from typedcfg.text import nearest, one_of

if TYPE_CHECKING:
    from typedcfg.compiler.place import Place


class Choice(NamedTuple):
    """The variant in force at a place."""

    template: type[ConfigTemplate]
    kind: str
    live: list[Contribution]
    """What was said for it, weakest first."""
    outvoted: list[Fallen]
    """What was said for another kind."""


def choose(place: "Place", node: VariantsNode) -> Choice | None:
    """The variant that the strongest voice names; None, with the problem reported, if none can be told."""
    voices: list[tuple[type[ConfigTemplate] | None, list[Contribution]]] = []
    by_default: tuple[type[ConfigTemplate], Contribution] | None = None
    chosen = by_default
    for _, spoken in groupby(place.live, key=lambda c: id(c.layer)):
        voice = list(spoken)
        for kind in below(voice, KIND):
            if isinstance(kind.value, Edit):
                chosen = by_default
                continue
            template = _template_of(place, node, kind)
            if template is None:
                return None
            chosen = (template, kind)
            by_default = chosen if kind.layer.strength == DEFAULTS else by_default
        voices.append((chosen and chosen[0], voice))
    if chosen is None:
        place.descent.doubt(_missing_kind(place, node), broken=place.path)
        return None
    in_force, chosen_by = chosen
    name = str(chosen_by.value) if chosen_by.value in _literals(in_force) else kinds_of(in_force)[0]
    reason = f"{chosen_by.origin} chose {KIND} {name!r}"
    live = [c for template, voice in voices if template is in_force for c in voice]
    outvoted: list[Fallen] = []
    for template, voice in voices:
        if template is not in_force:
            belonged = f"it belongs to {KIND} {kinds_of(template)[0]!r}" if template else "it came before any kind"
            outvoted += [Fallen(c, f"{belonged}, and {reason}") for c in voice]
    return Choice(in_force, name, live, outvoted)


def _template_of(place: "Place", node: VariantsNode, kind: Contribution) -> type[ConfigTemplate] | None:
    """The template that a kind names, or None with a problem reported."""
    key = render_key_path((*place.path, KIND))
    known = kinds_in(node.templates)
    if isinstance(kind.value, str) and kind.value in node.templates:
        template = node.templates[kind.value]
        if kind.value not in _literals(template):
            now = kinds_of(template)[0]
            place.descent.warn(f"{kind.origin}: {key} {kind.value!r} is now called {now!r}", kind.layer)
        return template
    if isinstance(kind.value, str) and REFERENCE_MARK in kind.value:
        problem = Problem(
            f"{key} = {kind.value!r}: a kind is literal text",
            expected=one_of(known),
            fix="write the kind out: it decides which keys there are before any value is known",
        )
    else:
        shown = kind.value
        if isinstance(shown, (Branch, Items)):
            shown = "a mapping" if isinstance(shown, Branch) else "a list"
        problem = Problem(
            f"unknown {KIND} {shown!r} for {render_key_path(place.path)}",
            expected=one_of(known),
            suggestion=nearest(str(shown), known),
        )
    place.descent.report_at(problem, kind.origin, broken=place.path)
    return None


def _missing_kind(place: "Place", node: VariantsNode) -> Problem:
    known = kinds_in(node.templates)
    key = render_key_path(place.path)
    return Problem(
        f"{key} has no {KIND}",
        where=str(place.live[-1].origin),
        expected=f"{KIND}: {one_of(known)}",
        fix=f"choose one: {key}={known[0]}, or {KIND}: {known[0]} beside the other keys",
    )


def kinds_in(templates: Mapping[str, type[ConfigTemplate]]) -> list[str]:
    """The present kinds of variants."""
    return [kinds_of(template)[0] for template in dict.fromkeys(templates.values())]


def _literals(template: type[ConfigTemplate]) -> tuple[str, ...]:
    """The kinds that a template goes by today."""
    return tuple(map(str, get_args(template.__pydantic_fields__[KIND].annotation)))
