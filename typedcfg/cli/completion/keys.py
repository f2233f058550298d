"""Completing keys step by step, and values: what there may be is what the layers so far have made of the templates."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import PurePath
from types import NoneType
from typing import Final, NamedTuple

from typedcfg.cli.completion.candidate import Candidate
from typedcfg.cli.completion.files import files
from typedcfg.compiler.descent import Descent
from typedcfg.compiler.place import Place
from typedcfg.compiler.precedence import in_order
from typedcfg.errors import ConfigError
from typedcfg.key_path import render_step
from typedcfg.sources.base import Layer, Source
from typedcfg.template.annotations import iter_types
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry, catalog_of
from typedcfg.template.descriptions import descriptions_of, summary_of
from typedcfg.template.help_tree import kinds_in
from typedcfg.template.nodes import LeafNode, ListNode, MapNode, Node, SectionNode, VariantsNode, sections_below
from typedcfg.template.type_text import choices_of, type_text, yaml_text

_LONGEST: Final = 60
"""How much of a description is shown beside a key."""


class _Spot(NamedTuple):
    """A key, and what may stand there."""

    text: str
    entry: Entry | None
    node: Node
    place: Place | None
    """What the layers say for it; None where it is not known which variant there will be."""
    kinds: tuple[str, ...] = ()
    """What it chooses from, where it is the `kind` of a variant."""


class Keys:
    """The keys of a template, as far as some sources decide which there are."""

    def __init__(self, template: type[ConfigTemplate], sources: Iterable[Source] = ()) -> None:
        """Read the sources; one that cannot be read decides nothing."""
        layers: list[Layer] = []
        for source in sources:
            with suppress(ConfigError):
                layers += source.read()
        node = SectionNode(template, is_optional=False)
        self._root = _Spot("", None, node, Descent(template, in_order(layers), is_partial=True).root)

    def keys(self, start: str, *, end: str) -> Iterator[Candidate]:
        """The next step of every key that begins so.

        Args:
            start: What is typed of it.
            end: What follows a key that goes no further: `=` where its value is next.
        """
        for spot in _next(self._root, start):
            goes_on = not isinstance(spot.node, (LeafNode, ListNode, MapNode))
            yield Candidate(spot.text + ("." if goes_on else end), _about(spot))

    def values(self, key: str, start: str) -> Iterator[Candidate]:
        """The values that a key may have, where they can be listed."""
        for spot in _next(self._root, key):
            if spot.text == key:
                if spot.entry is not None and isinstance(spot.node, LeafNode) and _is_path(spot.entry):
                    yield from files(start)
                yield from (Candidate(value) for value in _values(spot) if value.startswith(start))


# --- the way down ---------------------------------------------------------------------------------------------------


def _next(spot: _Spot, start: str) -> Iterator[_Spot]:
    """The nearest keys below one that begin so."""
    for child in _within(_children(spot)):
        if child.text.startswith(start):
            yield child
        elif start.startswith((f"{child.text}.", f"{child.text}[")):
            yield from _next(child, start)


def _within(spots: Iterable[_Spot]) -> Iterator[_Spot]:
    """Keys; for a list or mapping of sections those of what it holds, if it holds anything."""
    for spot in spots:
        held = list(_children(spot)) if isinstance(spot.node, (ListNode, MapNode)) else []
        yield from _within(held) if held else [spot]


def _children(spot: _Spot) -> Iterator[_Spot]:
    place = spot.place
    match spot.node:
        case SectionNode() | VariantsNode():
            yield from _fields(spot)
        case ListNode(item=item) if place is not None:
            for position in range(place.length()):
                yield _Spot(f"{spot.text}[{position}]", spot.entry, item, place.child(position))
        case MapNode(value=value) if place is not None:
            for name in place.names():
                yield _Spot(spot.text + render_step(name), spot.entry, value, place.child(name))


def _fields(spot: _Spot) -> Iterator[_Spot]:
    """The fields of the section in force; of every one that may be, where none is yet."""
    place = spot.place if spot.place is not None and spot.place.is_section else None
    templates = [place.template] if place is not None and place.template is not None else sections_below(spot.node)
    kinds = kinds_in(spot.node) if isinstance(spot.node, VariantsNode) else ()
    told: set[str] = set()
    for template in templates:
        for name, entry in catalog_of(template).entries.items():
            if name not in told:
                text = f"{spot.text}.{name}" if spot.text else name
                child = place.child(name) if place is not None else None
                yield _Spot(text, entry, entry.node, child, kinds if entry.is_kind else ())
            told.add(name)


# --- what is known of a key -----------------------------------------------------------------------------------------


def _values(spot: _Spot) -> Iterator[str]:
    node, entry = spot.node, spot.entry
    if spot.kinds or entry is None:
        yield from spot.kinds
    elif isinstance(node, LeafNode):
        yield from (choice if isinstance(choice, str) else yaml_text(choice) for choice in choices_of(entry))
        if not choices_of(entry):
            types = set(iter_types(entry.info.annotation))
            yield from ("true", "false") if bool in types else ()
            yield from ("null",) if NoneType in types else ()
    else:
        yield from kinds_in(node) if isinstance(node, VariantsNode) else ()
        yield from ("null",) if node.is_optional else ()


def _is_path(entry: Entry) -> bool:
    return any(isinstance(part, type) and issubclass(part, PurePath) for part in iter_types(entry.info.annotation))


def _about(spot: _Spot) -> str:
    """A section's summary, or a value's type and what it means."""
    if spot.entry is None or spot.kinds:
        return f"one of: {', '.join(spot.kinds)}"
    described = descriptions_of(spot.entry.template).get(spot.entry.name, "")
    if isinstance(spot.node, LeafNode):
        words = f"{type_text(spot.entry)}: {described}" if described else type_text(spot.entry)
    else:
        words = described or next((summary_of(template) for template in sections_below(spot.node)), "")
    words = " ".join(words.split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
