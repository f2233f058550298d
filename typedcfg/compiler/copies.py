"""Copies: a section or list that is a reference to another is made from the other's settings, as if written there."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from typedcfg.compiler.expressions.interpolation import whole_reference
from typedcfg.compiler.merge import Contribution
from typedcfg.compiler.shown import HIDDEN
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.nodes import LeafNode, Node, SectionNode, VariantsNode, sections_below
from typedcfg.text import one_of, shorten

if TYPE_CHECKING:
    from typedcfg.compiler.descent import Descent
    from typedcfg.compiler.place import Place

MOST_CHAINED: Final = 100
MOST_COPIES: Final = 10_000
"""In one configuration: ten lines that each copy the line above twice would be a thousand, twenty a million."""


class Copies:
    """The copies of one compilation: each is made when its place is reached, after what it copies from."""

    def __init__(self, descent: "Descent") -> None:
        """Nothing is being copied."""
        self.descent = descent
        self._open: dict[KeyPath, Origin] = {}
        """The places that are just being copied to, and where the reference of each was written."""
        self._count = 0

    def of(self, place: "Place", contribution: Contribution) -> list[Contribution]:
        """What counts for the section or list that a reference names, said by the layer that refers to it."""
        layer, text, origin = contribution.layer, contribution.value, contribution.origin
        assert isinstance(text, str), "a reference is text"
        target = _target(place, contribution)
        if isinstance(target, Problem):
            return self._refuse(target, place, origin)
        place.copies = (*place.copies, (text, origin))
        source = self._source(target, place.path, origin)
        if source is None or place.path in self.descent.broken:
            return []
        if source.path in self.descent.broken or (isinstance(source.node, VariantsNode) and not source.live):
            # What is wrong there is reported there; that no kind was chosen, if it is wrong.
            self.descent.broken.append(place.path)
            return []
        if source.template is not None and not _fits(source.template, place.node):
            return self._refuse(_another_template(place, source, text), place, origin)
        said = self._settings(source)
        if said is None:
            return self._refuse(_computed(place, source), place, origin)
        first, *rest = said or [Contribution(layer, Branch(origin), origin)]
        copied = [first._replace(replaces=True), *rest]
        return [c._replace(layer=layer, top=_moved(c.top, source.path, place.path)) for c in copied]

    @property
    def are_sought(self) -> bool:
        """Whether the source of a copy is just being looked for."""
        return bool(self._open)

    def _source(self, target: KeyPath, here: KeyPath, origin: Origin) -> "Place | None":
        """The place that is copied from.

        Copies may be chained; one that comes back to itself, or to a section around it, has no end.
        """
        if here in self._open or target == here[: len(target)]:
            self._report_circle({**self._open, here: origin}, here, target)
            return None
        self._count += 1
        if self._count > MOST_COPIES:
            if self._count == MOST_COPIES + 1:
                self.descent.report_at(_too_many(here), origin)
            self.descent.broken.append(here)
            return None
        if len(self._open) >= MOST_CHAINED:
            problem = Problem(
                f"{render_key_path(here)} is a copy of a copy of a copy, more than {MOST_CHAINED} times",
                fix="name the section that is copied in the end",
            )
            self.descent.report_at(problem, origin, broken=here)
            return None
        self._open[here] = origin
        place = self.descent.place(target)
        if place is None and here not in self.descent.broken:
            self.descent.doubt(self.descent.unknown_target(target, where=str(origin)), broken=here)
        del self._open[here]
        return place

    def _settings(self, source: "Place") -> list[Contribution] | None:
        """What may be copied from a place; None if it holds a value that nobody wrote down."""
        if source.live or not isinstance(source.node, LeafNode):
            return source.live
        is_field = source.entry is not None and source.path == source.field
        default = self.descent.default(source.entry) if is_field and source.entry is not None else None
        return None if default is None else [default]

    def _report_circle(self, opened: Mapping[KeyPath, Origin], again: KeyPath, target: KeyPath) -> None:
        paths = list(opened)
        loop = paths[paths.index(again) :]
        self.descent.broken += loop
        names = [render_key_path(path) for path in (*loop, again if len(loop) > 1 else target)]
        places = "\n".join(f"{render_key_path(path)} at {opened[path]}" for path in loop)
        chain = " -> ".join(name or "the whole configuration" for name in names)
        self.descent.report(Problem(f"references go round in a circle: {chain}", places, fix="write one of them out"))

    def _refuse(self, problem: Problem, place: "Place", origin: Origin) -> list[Contribution]:
        self.descent.report_at(problem, origin, broken=place.path)
        return []


def _too_many(here: KeyPath) -> Problem:
    what = f"more than {MOST_COPIES:,} sections and lists are copies of others: {shorten(render_key_path(here))}"
    return Problem(what, fix="look for copies that hold several copies, which do so again")


def _moved(top: KeyPath, source: KeyPath, here: KeyPath) -> KeyPath:
    """The top of a document that may lie in what is copied: the copy is as if it were mounted there as well."""
    return (*here, *top[len(source) :]) if top[: len(source)] == source else top


def _target(place: "Place", contribution: Contribution) -> KeyPath | Problem:
    """The path that a reference means, or why nothing can be copied from there."""
    text, origin, key = str(contribution.value), contribution.origin, render_key_path(place.path)
    target = whole_reference(text, place.path, contribution.top)
    if isinstance(target, Problem) and place.may_hold_secret:
        what = f"{key} cannot be read as a reference ({HIDDEN})"
        return Problem(what, fix="write $${ for a literal ${")
    if (text, origin) in place.copies:
        return Problem(f"{key} lies in what {text} brings, and is {text} itself", fix="write one of them out")
    return target


def _fits(template: type[ConfigTemplate], node: Node) -> bool:
    """Whether a section of a template can be copied to a node: to the same template, or a related one."""
    if not isinstance(node, (SectionNode, VariantsNode)):
        return True
    return any(issubclass(template, one) or issubclass(one, template) for one in sections_below(node))


def _another_template(place: "Place", source: "Place", text: str) -> Problem:
    assert source.template is not None, "it is a section"
    what = f"{render_key_path(source.path)} is of {source.template.__qualname__}"
    wanted = one_of(section.__qualname__ for section in sections_below(place.node))
    return Problem(f"{render_key_path(place.path)} cannot be {text}: {what}", expected=f"a section of {wanted}")


def _computed(place: "Place", source: "Place") -> Problem:
    here, there = render_key_path(place.path), render_key_path(source.path)
    return Problem(
        f"{here} is a reference to {there}, which is computed, and a part of it is set beside",
        fix=f"write {here} out, or leave its parts alone",
    )
