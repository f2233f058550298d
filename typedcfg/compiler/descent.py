"""The way down: from the root of a configuration to a key, with all that was said on the way.

A `Place` is one key with the contributions that count for it. Its `child` applies the rules in their fixed order:
the template's own default lies below, texts and references to sections are read, resets and replacements fall, and
of variants only those stay whose layer spoke for the kind that won. `shape` visits every place, `explain` the places
on one path.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from typedcfg.compiler.expressions import whole_reference
from typedcfg.compiler.merge import Contribution, Fallen, at_position, at_root, below, standing
from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import REFERENCE_MARK, Branch, Edit, Items, Layer, Positions, Text, branch_from
from typedcfg.sources.instances import explicit_settings
from typedcfg.sources.yaml_reader import NotAValue, read_value
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import (
    KIND,
    Catalog,
    Entry,
    LeafNode,
    ListNode,
    MapNode,
    Node,
    SectionNode,
    VariantsNode,
    catalog_of,
    kinds_of,
)
from typedcfg.text import nearest, one_of, shorten

_VALUES_BELOW: Final = LeafNode(is_container=True)


class Dropped(NamedTuple):
    """A setting that went with the variant it belonged to."""

    path: KeyPath
    origin: Origin
    reason: str

    def __str__(self) -> str:
        return f"{render_key_path(self.path)} ({self.origin}) does not count: {self.reason}"


class Place:
    """One key, and what counts for it."""

    __slots__ = ("descent", "entry", "fallen", "field", "kind", "live", "node", "outvoted", "path", "template")

    def __init__(self, descent: "Descent", path: KeyPath, node: Node, entry: Entry | None, *, field: KeyPath) -> None:
        self.descent = descent
        self.path = path
        self.node = node
        self.entry = entry
        """The field that this place is, or that it lies in."""
        self.field = field
        """That field's path."""
        self.template: type[ConfigTemplate] | None = None
        """The template in force, where the place is a section."""
        self.kind: str | None = None
        """The kind that was chosen, where there was a choice."""
        self.live: list[Contribution] = []
        self.fallen: list[Fallen] = []
        """What was replaced or reset."""
        self.outvoted: list[Fallen] = []
        """What was said for another kind than the one that won."""

    @property
    def is_section(self) -> bool:
        """Whether the place is a section, and somebody, if only a default, wants it there."""
        return self.template is not None

    @property
    def catalog(self) -> Catalog:
        """The catalog of the template in force."""
        assert self.template is not None, f"{self.path} is no section"
        return catalog_of(self.template)

    def length(self) -> int:
        """How many items the list at this place has."""
        return next((len(c.value) for c in self.live if isinstance(c.value, Items)), 0)

    def names(self) -> list[str]:
        """The keys that mappings set here, in the order in which they first appear."""
        return list(dict.fromkeys(key for c in self.live if isinstance(c.value, Branch) for key in c.value))

    def child(self, step: str | int) -> "Place | None":
        """The place one step down; None if the templates know no such key."""
        node, entry = self._child_node(step)
        if node is None:
            return None
        if isinstance(step, int):
            length = self.length()
            step = step + length if step < 0 else step
            said = at_position(self.live, step, length)
        else:
            said = below(self.live, step)
        path = (*self.path, step)
        place = Place(self.descent, path, node, entry, field=path if self.is_section else self.field)
        if entry is not None and self.is_section:
            default = self.descent.default(entry)
            if default is not None and (not entry.is_leaf or _edits(said)):
                said = [default, *said]
        place.settle(said)
        return place

    def _child_node(self, step: str | int) -> tuple[Node | None, Entry | None]:
        if self.is_section:
            entry = self.catalog.entries.get(step) if isinstance(step, str) else None
            return (entry.node, entry) if entry else (None, None)
        match self.node, step:
            case LeafNode(is_container=True), _:
                return _VALUES_BELOW, self.entry
            case ListNode(item=item), int():
                return item, self.entry
            case MapNode(value=value), str():
                return value, self.entry
        return None, None

    # --- the rules, in order ----------------------------------------------------------------------------------------

    def settle(self, said: list[Contribution]) -> None:
        """Decide what counts of all that was said for this key."""
        if isinstance(self.node, LeafNode):
            if len(said) == 1 and not isinstance(said[0].value, Edit):
                self.live = said
            else:
                self.live, self.fallen = standing(said)
            return
        self.live, self.fallen = standing(self._read_texts(said))
        if isinstance(self.node, VariantsNode):
            self._choose_variant(self.node)
        elif isinstance(self.node, SectionNode) and (not self.live or isinstance(self.live[-1].value, Branch)):
            self.template = self.node.template
        if self.template is not None and self.catalog.renamed:
            self.live = [self._with_new_names(c) for c in self.live]

    def _read_texts(self, said: list[Contribution]) -> list[Contribution]:
        """Bare texts at a section: an inline mapping, a kind, null, or a reference to another section."""
        if not any(isinstance(c.value, str) for c in said):
            return said
        read: list[Contribution] = []
        for contribution in said:
            read += self._read_text(contribution) if isinstance(contribution.value, str) else [contribution]
        return read

    def _read_text(self, contribution: Contribution) -> Sequence[Contribution]:
        layer, text, origin = contribution
        assert isinstance(text, str)
        if REFERENCE_MARK in text:
            return self._copied(contribution)
        value: object = text
        if isinstance(text, Text):
            try:
                value = read_value(text, origin)
            except NotAValue as error:
                self.descent.report(*error.problems)
                return ()
        if isinstance(value, str) and isinstance(self.node, VariantsNode):
            chosen = Branch(origin)
            chosen.put(KIND, value, origin)
            value = chosen
        return [Contribution(layer, value, origin)]

    def _copied(self, contribution: Contribution) -> Sequence[Contribution]:
        """What counts for the section or list that a reference names, as if it had been written here."""
        target = whole_reference(contribution.value, self.path)
        if isinstance(target, Problem):
            self.descent.report_at(target, contribution.origin)
            return ()
        place = self.descent.copy_source(target, self.path, contribution.origin)
        return place.live if place is not None else ()

    def _choose_variant(self, node: VariantsNode) -> None:
        """Keep what was said by layers that speak for the kind that wins; each layer is one voice."""
        if not self.live or not isinstance(self.live[-1].value, Branch):
            return
        voices: list[tuple[type[ConfigTemplate] | None, list[Contribution]]] = []
        in_force: type[ConfigTemplate] | None = None
        chosen_by: Contribution | None = None
        for _, spoken in groupby(self.live, key=lambda c: id(c.layer)):
            voice = list(spoken)
            for kind in below(voice, KIND):
                in_force = self._template_of(node, kind)
                chosen_by = kind
                if in_force is None:
                    self.live = []
                    return
            voices.append((in_force, voice))
        if in_force is None or chosen_by is None:
            self.descent.report(self._missing_kind(node))
            self.live = []
            return
        self.template = in_force
        self.kind = str(chosen_by.value) if chosen_by.value in _literals(in_force) else kinds_of(in_force)[0]
        reason = f"{chosen_by.origin} chose {KIND} {self.kind!r}"
        self.live = [c for template, voice in voices if template is in_force for c in voice]
        for template, voice in voices:
            if template is not in_force:
                belonged = f"it belongs to {KIND} {kinds_of(template)[0]!r}" if template else "it came before any kind"
                self.outvoted += [Fallen(c, f"{belonged}, and {reason}") for c in voice]

    def _template_of(self, node: VariantsNode, kind: Contribution) -> type[ConfigTemplate] | None:
        """The template that a kind names, or None with a problem reported."""
        key = render_key_path((*self.path, KIND))
        known = [kinds_of(t)[0] for t in dict.fromkeys(node.templates.values())]
        if isinstance(kind.value, str) and kind.value in node.templates:
            template = node.templates[kind.value]
            if kind.value not in _literals(template):
                self.descent.warn(f"{kind.origin}: {key} {kind.value!r} is now called {kinds_of(template)[0]!r}")
            return template
        if isinstance(kind.value, str) and REFERENCE_MARK in kind.value:
            problem = Problem(
                f"{key} = {kind.value!r}: a kind is literal text",
                expected=one_of(known),
                fix="write the kind out: it decides which keys there are before any value is known",
            )
        else:
            shown = (
                kind.value if isinstance(kind.value, (str, int, float, bool, type(None))) else type(kind.value).__name__
            )
            problem = Problem(
                f"unknown {KIND} {shown!r} for {render_key_path(self.path)}",
                expected=one_of(known),
                suggestion=nearest(str(shown), known),
            )
        self.descent.report_at(problem, kind.origin, broken=self.path)
        return None

    def _missing_kind(self, node: VariantsNode) -> Problem:
        known = [kinds_of(t)[0] for t in dict.fromkeys(node.templates.values())]
        key = render_key_path(self.path)
        self.descent.broken.append(self.path)
        return Problem(
            f"{key} has no {KIND}",
            where=str(self.live[-1].origin),
            expected=f"{KIND}: {one_of(known)}",
            fix=f"choose one: {key}={known[0]}, or {KIND}: {known[0]} beside the other keys",
        )

    def _with_new_names(self, contribution: Contribution) -> Contribution:
        """A mapping in which fields go by their present names."""
        branch, renamed = contribution.value, self.catalog.renamed
        if not isinstance(branch, Branch) or not (branch.keys() & renamed.keys()):
            return contribution
        present = Branch(branch.origin)
        for key, value in branch.items():
            origin = branch.origins[key]
            name = renamed[key].name if key in renamed and key not in self.catalog.names else key
            old, new = (render_key_path((*self.path, k)) for k in (key, name))
            if name != key and name in branch:
                problem = Problem(
                    f"{old} and {new} are two names of one field, and both are set",
                    where=f"{origin} and {branch.origins[name]}",
                    fix=f"keep {new}",
                )
                self.descent.report(problem)
                continue
            if name != key:
                self.descent.warn(f"{origin}: {old} is now called {new}")
            present.put(name, value, origin)
        return Contribution(contribution.layer, present, contribution.origin)


class Descent:
    """All layers of one compilation, and what was found wrong on the way down."""

    def __init__(self, template: type[ConfigTemplate], layers: Iterable[Layer]) -> None:
        """Stand at the root."""
        self.template = template
        self.layers = tuple(layers)
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self.broken: list[KeyPath] = []
        """Keys below which nothing is known; what fails there is only a consequence."""
        self._defaults: dict[Entry, Contribution | None] = {}
        self._copying: list[KeyPath] = []
        self.root = Place(self, (), SectionNode(template, is_optional=False), None, field=())
        self.root.template = template
        self.root.live = at_root(self.layers)
        if catalog_of(template).renamed:
            self.root.settle(self.root.live)

    def report(self, *problems: Problem) -> None:
        """Note problems, to be raised together."""
        self.problems += problems

    def report_at(self, problem: Problem, origin: Origin, *, broken: KeyPath | None = None) -> None:
        """Note a problem at a place, and optionally that nothing is known below a key."""
        self.report(Problem(problem.what, str(origin), problem.expected, problem.suggestion, problem.fix))
        if broken is not None:
            self.broken.append(broken)

    def warn(self, text: str) -> None:
        """Note something that works today and should be changed."""
        if text not in self.warnings:
            self.warnings.append(text)

    def default(self, entry: Entry) -> Contribution | None:
        """The template's own default for a field, as the weakest contribution to it."""
        if entry not in self._defaults:
            self._defaults[entry] = _default(entry)
        return self._defaults[entry]

    def place(self, path: KeyPath) -> Place | None:
        """The place at a path; None if the templates know no such key."""
        place: Place | None = self.root
        for step in path:
            if place is None:
                return None
            place = place.child(step)
        return place

    def copy_source(self, target: KeyPath, here: KeyPath, origin: Origin) -> Place | None:
        """The place that a section is copied from.

        Copies may be chained; one that comes back to itself, or to a section around it, has no end.
        """
        chain = [*self._copying, here]
        if target in chain or target == here[: len(target)]:
            loop = " -> ".join(render_key_path(p) or "the whole configuration" for p in (*chain, target))
            self.report_at(Problem(f"references go round in a circle: {loop}"), origin, broken=here)
            return None
        self._copying.append(here)
        place = self.place(target)
        self._copying.pop()
        if place is None:
            self.report_at(unknown_target(self, target), origin, broken=here)
        return place


def unknown_target(descent: Descent, target: KeyPath) -> Problem:
    """The problem of a reference to a key that does not exist."""
    place: Place | None = descent.root
    known: list[str] = []
    for depth, step in enumerate(target):
        assert place is not None
        known = [render_key_path((*target[:depth], name)) for name in known_keys(place)]
        place = place.child(step)
        if place is None:
            break
    key = render_key_path(target)
    return Problem(
        f"the reference to {shorten(key)} leads nowhere",
        expected="a key of the configuration, from the top; parent. and here. begin a relative path",
        suggestion=nearest(key, known),
    )


def known_keys(place: Place) -> list[str]:
    """The keys that may stand at a place."""
    return list(place.catalog.entries) if place.is_section else place.names()


def _default(entry: Entry) -> Contribution | None:
    if not entry.has_default:
        return None
    name = f"default of {entry.template.__qualname__}.{entry.name}"
    origin = Origin(name)
    settings = explicit_settings(entry.default())
    held = branch_from({entry.name: settings}, origin)[entry.name] if _is_tree(settings) else settings
    return Contribution(Layer(name, DEFAULTS, ()), held, origin)


def _is_tree(value: object) -> bool:
    return isinstance(value, (Mapping, list, tuple))


def _edits(said: Sequence[Contribution]) -> bool:
    """Whether something is said that builds on what lies below: one key of a mapping, one position of a list."""
    return any(isinstance(c.value, (Branch, Positions)) for c in said)


def _literals(template: type[ConfigTemplate]) -> tuple[str, ...]:
    """The kinds that a template goes by today."""
    from typing import get_args

    return tuple(map(str, get_args(template.__pydantic_fields__[KIND].annotation)))
