"""Values: every reference, bare text and formula evaluated, each when somebody needs it.

Evaluation is by demand with an explicit stack: a value that reads one which is not known yet is put aside until that
one is. Nothing recurses, so a chain may be as long as memory allows, and when a value waits for itself the stack is
the message.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import SecretStr, ValidationError

from typedcfg.compiler.descent import Descent, unknown_target
from typedcfg.compiler.expressions import Interpolation, Reference, absolute, read_interpolation
from typedcfg.compiler.shape import Shape, Slot
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import Text
from typedcfg.sources.yaml_reader import NotAValue, read_value
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import (
    KIND,
    Catalog,
    Entry,
    ListNode,
    MapNode,
    Node,
    SectionNode,
    VariantsNode,
    catalog_of,
)
from typedcfg.template.derived import View
from typedcfg.text import shorten


class _Needs(BaseException):  # noqa: N818  # no error: it must pass through a formula's own `except Exception`
    """A value that was read is not known yet."""

    def __init__(self, slot: Slot) -> None:
        super().__init__(slot)
        self.slot = slot


class _Blocked(BaseException):  # noqa: N818  # as above
    """A value that was read is wrong; that is reported once, at its own place."""


class _Refused(Exception):  # noqa: N818  # carries a problem on its way to the collection
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


class Resolver:
    """The values of one configuration, as far as they are known."""

    def __init__(self, descent: Descent, shape: Shape) -> None:
        """Know what is literal, and nothing else yet."""
        self.descent = descent
        self.tree = shape.tree
        self.slots = shape.slots
        self.failed: set[KeyPath] = set()
        """Keys that have no value, for a reason that was reported."""
        self.read: dict[KeyPath, Any] = {}
        """Every value that a formula or reference has seen, as it saw it."""
        self._inputs: dict[KeyPath, None] = {}
        self._within: dict[KeyPath, list[Slot]] = {}
        for slot in shape.slots.values():
            if slot.path != slot.field:
                self._within.setdefault(slot.field, []).append(slot)

    def resolve(self) -> None:
        """Find every value."""
        for slot in self.slots.values():
            if not slot.is_known:
                self._settle(slot)

    def _settle(self, first: Slot) -> None:
        stack: dict[KeyPath, Slot] = {first.path: first}
        while stack:
            slot = stack[next(reversed(stack))]
            self._inputs = {}
            try:
                slot.holder[slot.key] = self._evaluate(slot)
            except _Needs as needs:
                if needs.slot.path not in stack:
                    stack[needs.slot.path] = needs.slot
                    continue
                self._report_cycle(stack, needs.slot)
            except _Blocked:
                self.failed.add(slot.path)
            except _Refused as refused:
                self._fail(slot, refused.problem)
            slot.inputs = tuple(self._inputs)
            slot.is_known = True
            del stack[slot.path]

    # --- evaluating -------------------------------------------------------------------------------------------------

    def _evaluate(self, slot: Slot) -> Any:
        if slot.raw is None:
            value = self._derive(slot)
        elif isinstance(slot.raw, Text) and "${" not in slot.raw:
            return self._from_text(slot, slot.raw)
        else:
            value = self._interpolate(slot, slot.raw)
        self._refuse_leaks(slot)
        return value

    def _from_text(self, slot: Slot, text: Text) -> Any:
        """What a bare text means for its field: the value that a file would mean by it, or the text itself."""
        plain = str(text)
        try:
            value = read_value(plain, Origin(""))
        except NotAValue:
            return plain
        if isinstance(value, str) and value == plain:
            return plain
        validator = slot.entry.validator_at(len(slot.path) - len(slot.field))
        if validator is None or _fits(validator, value) or not _fits(validator, plain):
            return value
        return plain

    def _derive(self, slot: Slot) -> Any:
        derived = slot.entry.derived
        assert derived is not None, "a slot without a text has a formula"
        view = self._section_view(slot.path[:-1])
        try:
            value = derived.function(view)
        except _Refused:
            raise
        except Exception as error:
            raise _Refused(
                self._formula_problem(slot, f"cannot be derived: {type(error).__name__}: {error}")
            ) from error
        if isinstance(value, (_SectionView, _ListView, _MapView, ConfigTemplate)):
            raise _Refused(
                self._formula_problem(slot, "is derived as a section, which would add keys when all keys are known")
            )
        try:
            slot.entry.validator.validate_python(value)
        except ValidationError as error:
            shown = "a secret" if slot.entry.is_secret else shorten(repr(value))
            reason = "; ".join(dict.fromkeys(e["msg"] for e in error.errors(include_url=False, include_input=False)))
            raise _Refused(self._formula_problem(slot, f"is derived as {shown}: {reason}")) from None
        return value

    def _formula_problem(self, slot: Slot, what: str) -> Problem:
        assert slot.entry.derived is not None, "only formulas have these problems"
        read = [f"{render_key_path(p)} = {shorten(repr(self.read[p]))}" for p in self._inputs if p in self.read]
        return Problem(
            f"{render_key_path(slot.path)} {what}",
            where=str(slot.entry.derived.origin),
            expected="",
            fix="\n".join([f"the formula is {slot.entry.derived.formula}", *(f"it read {line}" for line in read)]),
        )

    def _interpolate(self, slot: Slot, text: str) -> Any:
        read = read_interpolation(text)
        if isinstance(read, Problem):
            raise _Refused(read)
        if read.whole is not None:
            return self._referenced(slot, read.whole)
        return self._text_of(slot, read)

    def _text_of(self, slot: Slot, interpolation: Interpolation) -> Any:
        text, is_secret = "", False
        for part in interpolation.parts:
            if isinstance(part, str):
                text += part
                continue
            value = self._referenced(slot, part)
            if isinstance(value, SecretStr):
                value, is_secret = value.get_secret_value(), True
            text += _as_text(value, part, self._absolute(slot, part))
        return SecretStr(text) if is_secret else text

    def _referenced(self, slot: Slot, reference: Reference) -> Any:
        path = self._absolute(slot, reference)
        value = self.value_at(path)
        if isinstance(value, (_SectionView, _ListView, _MapView)):
            raise _Refused(
                Problem(
                    f"{render_key_path(slot.path)} refers to {render_key_path(path)}, which is no value but a section",
                    expected="a key that holds a value",
                    suggestion=next((render_key_path((*path, name)) for name in _names(value)), None),
                )
            )
        return value

    def _absolute(self, slot: Slot, reference: Reference) -> KeyPath:
        sections = tuple(self._sections_around(slot.path))
        path = absolute(reference, sections, slot.path[:-1])
        if path is None:
            raise _Refused(Problem(f"{shorten(str(slot.raw))!r} climbs above the whole configuration"))
        return path

    def _sections_around(self, path: KeyPath) -> Iterator[KeyPath]:
        node: Node = SectionNode(self.descent.template, is_optional=False)
        tree: Any = self.tree
        for depth, step in enumerate(path):
            match node:
                case SectionNode() | VariantsNode():
                    yield path[:depth]
                    node = catalog_of(_template_in(node, tree)).entries[str(step)].node
                case ListNode():
                    node = node.item
                case MapNode():
                    node = node.value
                case _:
                    return
            tree = tree[step] if isinstance(tree, list) or step in tree else {}

    # --- reading ----------------------------------------------------------------------------------------------------

    def value_at(self, path: KeyPath) -> Any:
        """The value at a path, or a view of the section there."""
        value: Any = self._section_view(())
        for depth, step in enumerate(path):
            if isinstance(value, _SectionView):
                entry = value._entry(step, path)
                if entry.is_leaf:
                    return self._leaf(entry, path[: depth + 1], value._tree, path[depth + 1 :])
                value = value._read(entry)
            elif isinstance(value, (_ListView, _MapView)) and step in value.positions():
                value = value[step]
            else:
                raise _Refused(unknown_target(self.descent, path))
        return value

    def _section_view(self, path: KeyPath) -> "_SectionView":
        view = _SectionView(self, (), catalog_of(self.descent.template), self.tree, None)
        for step in path:
            inner = view._read(view._catalog.entries[str(step)]) if isinstance(view, _SectionView) else view[step]
            assert isinstance(inner, (_SectionView, _ListView, _MapView)), f"{path} leads to a section"
            view = inner  # type: ignore[assignment]  # the last step ends at a section
        return view

    def leaf(self, entry: Entry, path: KeyPath, tree: Mapping[str, Any]) -> Any:
        """A leaf's value as the finished configuration will have it."""
        return self._leaf(entry, path, tree, ())

    def _leaf(self, entry: Entry, path: KeyPath, tree: Mapping[str, Any], rest: KeyPath) -> Any:
        self._inputs[(*path, *rest)] = None
        if rest and path in self._within:
            return self._value_within(entry, path, tree, rest)
        self._await(path)
        if path not in self.read:
            self.read[path] = self._validated(entry, path, tree)
        value = self.read[path]
        for step in rest:
            try:
                value = value[step]
            except (LookupError, TypeError):
                raise _Refused(unknown_target(self.descent, (*path, *rest))) from None
        return value

    def _value_within(self, entry: Entry, path: KeyPath, tree: Mapping[str, Any], rest: KeyPath) -> Any:
        """One value of a free list or mapping in which other values may not be known yet."""
        full = (*path, *rest)
        self._await(full)
        if full not in self.read:
            value: Any = tree[entry.name]
            for step in rest:
                try:
                    value = value[step]
                except (LookupError, TypeError):
                    raise _Refused(unknown_target(self.descent, full)) from None
            validator = entry.validator_at(len(rest))
            try:
                self.read[full] = value if validator is None else validator.validate_python(value)
            except ValidationError:
                raise _Blocked from None
        return self.read[full]

    def _await(self, path: KeyPath) -> None:
        """Ask for what is not known yet at a path or, in a free list or mapping, below it."""
        slot = self.slots.get(path)
        for needed in (*((slot,) if slot else ()), *self._within.get(path, ())):
            if not needed.is_known:
                raise _Needs(needed)
            if needed.path in self.failed:
                raise _Blocked

    def _validated(self, entry: Entry, path: KeyPath, tree: Mapping[str, Any]) -> Any:
        try:
            if entry.name in tree:
                return entry.validator.validate_python(tree[entry.name])
            found = entry.validator.get_default_value()
        except ValidationError:
            raise _Blocked from None
        if found is None:
            # Required and not set: validation says so, at its own place.
            raise _Blocked
        return found.value

    # --- what may not be --------------------------------------------------------------------------------------------

    def _refuse_leaks(self, slot: Slot) -> None:
        """Refuse a value that identifies the run and is computed from one that does not, or from a secret."""
        for path in self._inputs:
            entry, is_in_identity = self._identity_of(path)
            if entry.is_secret and not slot.entry.is_secret:
                what = f"{render_key_path(slot.path)} is computed from {render_key_path(path)}, which is a secret"
                raise _Refused(Problem(what, fix="make it a SecretStr: what is built from a secret is one"))
            if not is_in_identity and not entry.is_secret and self._identity_of(slot.path)[1]:
                what = f"{render_key_path(slot.path)} is computed from {render_key_path(path)}, which is not in the identity"
                fix = f"mark {render_key_path(slot.path)} NotInIdentity as well, or take the mark from the other"
                raise _Refused(Problem(what, fix=fix))

    def _identity_of(self, path: KeyPath) -> tuple[Entry, bool]:
        """The field at a path, and whether it and all sections around it bear on the outcome."""
        entry: Entry | None = None
        is_in_identity = True
        for section in self._sections_around(path):
            catalog = self._section_view(section)._catalog
            entry = catalog.entries[str(path[len(section)])]
            is_in_identity = is_in_identity and entry.is_in_identity
        assert entry is not None, "every value lies in a section"
        return entry, is_in_identity

    def _report_cycle(self, stack: Mapping[KeyPath, Slot], again: Slot) -> None:
        paths = list(stack)
        loop = paths[paths.index(again.path) :]
        self.failed |= set(loop)
        chain = " -> ".join(map(render_key_path, (*loop, again.path)))
        places = "\n".join(f"{render_key_path(p)} at {self._place_of(stack[p])}" for p in loop[:5])
        more = f"\nand {len(loop) - 5} more" if len(loop) > 5 else ""
        self.descent.report(
            Problem(
                f"values wait for each other: {shorten(chain, 200)}",
                where=places + more,
                fix="give one of them a value",
            )
        )

    def _fail(self, slot: Slot, problem: Problem) -> None:
        self.failed.add(slot.path)
        where = problem.where or self._place_of(slot)
        self.descent.report(Problem(problem.what, where, problem.expected, problem.suggestion, problem.fix))

    def _place_of(self, slot: Slot) -> str:
        if slot.raw is None and slot.entry.derived is not None:
            return str(slot.entry.derived.origin)
        place = self.descent.place(slot.path)
        return str(place.live[-1].origin) if place is not None and place.live else ""


# --- what a formula sees --------------------------------------------------------------------------------------------


class _SectionView(View[Any]):
    """A section, its values by attribute; every name of its own is private, for any other may be a field."""

    __slots__ = ("_above", "_catalog", "_path", "_resolver", "_tree")

    def __init__(
        self, resolver: Resolver, path: KeyPath, catalog: Catalog, tree: Mapping[str, Any], above: "_SectionView | None"
    ) -> None:
        self._resolver = resolver
        self._above = above
        self._path = path
        self._catalog = catalog
        self._tree = tree

    @property
    def root(self) -> Any:
        return self._resolver._section_view(())

    @property
    def parent(self) -> Any:
        if self._above is None:
            raise _Refused(
                Problem(f"{self._catalog.template.__qualname__} is the whole configuration: it has no parent")
            )
        return self._above

    def __getattr__(self, name: str) -> Any:
        return self._read(self._entry(name, (*self._path, name)))

    def _entry(self, step: str | int, path: KeyPath) -> Entry:
        """The field of a name."""
        entry = self._catalog.entries.get(step) if isinstance(step, str) else None
        if entry is None:
            raise _Refused(unknown_target(self._resolver.descent, path))
        return entry

    def _read(self, entry: Entry) -> Any:
        """A field's value, or a view of what it holds."""
        path = (*self._path, entry.name)
        if entry.is_leaf:
            return self._resolver.leaf(entry, path, self._tree)
        return _view(self._resolver, path, entry.node, self._tree.get(entry.name), self)


class _ListView(Sequence[Any]):
    """A list of sections."""

    def __init__(self, resolver: Resolver, path: KeyPath, node: ListNode, tree: list[Any], above: _SectionView) -> None:
        self._held = [_view(resolver, (*path, i), node.item, item, above) for i, item in enumerate(tree)]

    def positions(self) -> range:
        return range(len(self._held))

    def __len__(self) -> int:
        return len(self._held)

    def __getitem__(self, position: Any) -> Any:
        return self._held[position]


class _MapView(Mapping[str, Any]):
    """Sections by name."""

    def __init__(
        self, resolver: Resolver, path: KeyPath, node: MapNode, tree: Mapping[str, Any], above: _SectionView
    ) -> None:
        self._held = {key: _view(resolver, (*path, key), node.value, item, above) for key, item in tree.items()}

    def positions(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __getitem__(self, key: str) -> Any:
        return self._held[key]


def _view(resolver: Resolver, path: KeyPath, node: Node, tree: Any, above: _SectionView) -> Any:
    """A view of what a node holds; None where an optional section is not there."""
    if isinstance(node, (SectionNode, VariantsNode)) and isinstance(tree, dict):
        return _SectionView(resolver, path, catalog_of(_template_in(node, tree)), tree, above)
    if isinstance(node, ListNode) and isinstance(tree, list):
        return _ListView(resolver, path, node, tree, above)
    if isinstance(node, MapNode) and isinstance(tree, dict):
        return _MapView(resolver, path, node, tree, above)
    if tree is None:
        return None
    raise _Blocked


def _template_in(node: SectionNode | VariantsNode, tree: Mapping[str, Any]) -> type[ConfigTemplate]:
    return node.template if isinstance(node, SectionNode) else node.templates[tree[KIND]]


def _names(view: Any) -> list[str | int]:
    return list(view._catalog.entries) if isinstance(view, _SectionView) else list(view.positions())


def _fits(validator: Any, value: object) -> bool:
    try:
        validator.validate_python(value)
    except ValidationError:
        return False
    return True


def _as_text(value: Any, reference: Reference, path: KeyPath) -> str:
    """A value as it prints within a text: numbers as in JSON, texts as they are."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, str)):
        return str(getattr(value, "value", value))
    if value is None or isinstance(value, (list, dict, set, tuple)):
        found = "null" if value is None else f"a {'mapping' if isinstance(value, dict) else 'list'}"
        raise _Refused(
            Problem(
                f"{render_key_path(path)} is {found}, which has no place within a text",
                expected="a number, a text or a truth value",
                fix="refer to it as a whole value, without text around it",
            )
        )
    return str(value)
