"""Reading: a configuration whose values are being found, as formulas and references see it.

What is not known yet is asked for, what is wrong is not passed on; both by exceptions that no formula catches.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from typedcfg.compiler.descent import Descent
from typedcfg.compiler.one_field import fields_before, validated
from typedcfg.compiler.shape import Shape
from typedcfg.compiler.slot import Slot
from typedcfg.compiler.spots import GroupSpot, SectionSpot, Spot, root_spot, spot_of
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.template.catalog import Entry
from typedcfg.template.derived import VIEW_WORDS
from typedcfg.text import nearest, one_of


class Needs(BaseException):  # no error: it must pass through a formula's own `except Exception`
    """What was read is not known yet."""

    def __init__(self, slots: Iterable[Slot]) -> None:
        super().__init__()
        self.slots = slots


class Blocked(BaseException):  # as above
    """A value that was read is wrong; that is reported once, at its own place."""


class Refused(BaseException):  # as above
    """A value cannot be found, for a reason that is reported with its place."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


class Nowhere(Refused):
    """A path leads to nothing, as far as one can tell from what was read."""


class Read(NamedTuple):
    """A value that was read."""

    value: Any
    entry: Entry
    """The field it belongs to."""
    bears: bool
    """Whether that field and all sections around it bear on the outcome."""


class Reading:
    """What is known of one configuration, and what was read of it."""

    def __init__(self, descent: Descent, shape: Shape) -> None:
        """Know what is literal, and nothing else yet."""
        self.descent = descent
        self.slots = shape.slots
        self.failed: set[KeyPath] = set()
        """Keys that have no value, for a reason that was reported."""
        self.seen: dict[KeyPath, Read] = {}
        """Every value that a formula or reference has read, as it was then."""
        self.inputs: dict[KeyPath, Read] = {}
        """What the value read that is just being found, in order."""
        self._root = root_spot(descent.template, shape.tree)
        self._spots: dict[KeyPath, SectionSpot | GroupSpot] = {(): self._root}
        """Sections, and lists and mappings of them, that were entered: their form no longer changes."""
        self._within: dict[KeyPath, list[Slot]] = {}
        """What is not known yet within a free list or mapping, by the field and every path on the way."""
        for slot in (slot for slot in shape.slots.values() if slot.path is not slot.field):
            for depth in range(len(slot.field), len(slot.path)):
                self._within.setdefault(slot.path[:depth], []).append(slot)

    def root(self) -> SectionSpot:
        """The whole configuration."""
        return self._root

    def parent(self, section: SectionSpot) -> SectionSpot:
        """The section above another."""
        if section.above is None:
            name = section.catalog.template.__qualname__
            raise Refused(Problem(f"{name} is the whole configuration here, and has no parent"))
        return section.above

    def entry(self, section: SectionSpot, name: str) -> Entry:
        """The field of a name."""
        found = section.catalog.entries.get(name)
        if found is None:
            known = section.catalog.entries
            near = nearest(name, [*known, *VIEW_WORDS])
            raise Nowhere(
                Problem(
                    f"there is no key {render_key_path((*section.path, name))}",
                    expected=f"{one_of(VIEW_WORDS)}, or {section.catalog.keys_told}",
                    suggestion=render_key_path((*section.path, near)) if near in known else near,
                )
            )
        return found

    def enter(self, section: SectionSpot, entry: Entry) -> Spot:
        """What a field of sections holds."""
        path = (*section.path, entry.name)
        if path in self._spots:
            return self._spots[path]
        if entry.name not in section.tree:
            raise Blocked
        bears = section.bears and entry.is_in_identity
        return self._entered(path, spot_of(entry.node, section.tree[entry.name], path, section, bears=bears))

    def at(self, group: GroupSpot, step: str | int) -> Spot:
        """What a list or mapping of sections holds."""
        path = (*group.path, step)
        return self._spots[path] if path in self._spots else self._entered(path, group.at(step))

    def _entered(self, path: KeyPath, spot: Spot) -> Spot:
        if spot is not None:
            self._spots[path] = spot
        return spot

    def leaf(self, section: SectionSpot, entry: Entry) -> Any:
        """A value as the finished configuration will have it."""
        path = (*section.path, entry.name)
        read = self.inputs[path] = self._read_field(path, section, entry)
        return read.value

    def _read_field(self, path: KeyPath, section: SectionSpot, entry: Entry) -> Read:
        read = self.seen.get(path)
        return self._first_read(path, section, entry) if read is None else read

    def _first_read(self, path: KeyPath, section: SectionSpot, entry: Entry) -> Read:
        self._await(path)
        try:
            value = self.validated(section, entry, section.tree)
        except Exception:  # noqa: BLE001
            # Wrong, or required and not set, or its validator crashed: validation says so, at its own place.
            raise Blocked from None
        read = self.seen[path] = Read(value, entry, section.bears and entry.is_in_identity)
        return read

    def validated(self, section: SectionSpot, entry: Entry, values: Mapping[str, Any]) -> Any:
        """What a section's values make of one field, once those are known that its validators may ask for."""
        for other in fields_before(entry):
            self._await((*section.path, other.name))
        return validated(entry, values)

    def read_nearby(self, path: KeyPath) -> Read | None:
        """What stands at a path that was read before, or in a section that was; None where it has to be looked for."""
        read = self.seen.get(path)
        if read is None and path:
            around = self._spots.get(path[:-1])
            if isinstance(around, SectionSpot):
                entry = around.catalog.entries.get(path[-1])  # type: ignore[arg-type]  # a position is no key there
                if entry is not None and entry.is_leaf:
                    return self._first_read(path, around, entry)
        return read

    def value_at(self, path: KeyPath) -> Any:
        """The value at a path, or the spot of a section there."""
        read = self.read_nearby(path)
        if read is not None:
            self.inputs[path] = read
            return read.value
        spot: Spot = self._root
        for depth, step in enumerate(path):
            if isinstance(spot, SectionSpot):
                entry = spot.catalog.entries.get(str(step))
                if entry is None:
                    raise Nowhere(self.descent.unknown_target(path))
                if entry.is_leaf:
                    return self._value_below(spot, entry, path[depth + 1 :])
                spot = self.enter(spot, entry)
            elif isinstance(spot, GroupSpot) and (there := spot.step_to(step)) is not None:
                spot = self.at(spot, there)
            else:
                problem = self.descent.unknown_target(path)
                if spot is None:
                    problem = replace(
                        problem, what=f"{problem.what}: {render_key_path(path[:depth])} is null", expected=""
                    )
                raise Nowhere(problem)
        return spot

    def _value_below(self, section: SectionSpot, entry: Entry, rest: KeyPath) -> Any:
        """A leaf's value, or one within its free list or mapping, where others may not be known yet."""
        field = (*section.path, entry.name)
        if not rest:
            return self.leaf(section, entry)
        rest = _from_the_start(section.tree.get(entry.name), rest)
        path = (*field, *rest)
        if field not in self._within:
            read = self._read_field(field, section, entry)
            self.inputs[path] = read._replace(value=self._step_down(read.value, rest, path))
            return self.inputs[path].value
        for depth in range(len(field), len(path)):
            self._await_slot(path[:depth])
        self._await(path)
        if path not in self.seen:
            value = self._step_down(section.tree[entry.name], rest, path)
            validator = entry.validator_at(len(rest))
            try:
                value = value if validator is None else validator.validate_python(value)
            except Exception:  # noqa: BLE001  # as above
                raise Blocked from None
            self.seen[path] = Read(value, entry, section.bears and entry.is_in_identity)
        self.inputs[path] = self.seen[path]
        return self.seen[path].value

    def _step_down(self, value: Any, rest: KeyPath, path: KeyPath) -> Any:
        for step in rest:
            held: Any = () if isinstance(value, str) else value  # a text has no items, as a number has none
            try:
                value = held[step]
            except (LookupError, TypeError):
                raise Nowhere(self.descent.unknown_target(path)) from None
        return value

    @property
    def has_read_secret(self) -> bool:
        """Whether a secret was read for the value that is just being found."""
        return any(read.entry.is_secret for read in self.inputs.values())

    def refuse_leaks(self, slot: Slot) -> None:
        """Refuse a value that identifies the run and is computed from one that does not, or from a secret."""
        for path, read in self.inputs.items():
            if read.bears:
                continue
            key, source = render_key_path(slot.path), render_key_path(path)
            if read.entry.is_secret:
                if not slot.entry.is_secret:
                    fix = "make it a SecretStr: what is built from a secret is one"
                    raise Refused(Problem(f"{key} is computed from {source}, which is a secret", fix=fix))
            elif self.bears(slot.field):
                fix = f"mark {key} NotInIdentity as well, or take the mark from {source}"
                what = f"{key} bears on the run's identity and is computed from {source}, which does not"
                raise Refused(Problem(what, fix=fix))

    def _await(self, path: KeyPath) -> None:
        """Ask for what is not known yet at a path or, in a free list or mapping, below it."""
        self._await_slot(path)
        if self._within and (within := self._within.get(path)):
            if any(not slot.is_known for slot in within):
                raise Needs(within)
            if not self.failed.isdisjoint(slot.path for slot in within):
                raise Blocked

    def _await_slot(self, path: KeyPath) -> None:
        slot = self.slots.get(path)
        if slot is not None and not slot.is_known:
            raise Needs((slot,))
        if self.failed and path in self.failed:
            raise Blocked

    def section_of(self, field: KeyPath) -> SectionSpot:
        """The section that a field belongs to."""
        section = self._spots.get(field[:-1])
        return section if isinstance(section, SectionSpot) else [*self.sections_around(field)][-1]

    def bears(self, field: KeyPath) -> bool:
        """Whether a field, and all sections around it, bear on the outcome."""
        section = self.section_of(field)
        return section.bears and section.catalog.entries[str(field[-1])].is_in_identity

    def sections_around(self, path: KeyPath) -> Iterator[SectionSpot]:
        """The sections that a value lies in, from the root down."""
        spot: Spot = self.root()
        for step in path:
            if isinstance(spot, SectionSpot):
                yield spot
                entry = spot.catalog.entries[str(step)]
                if entry.is_leaf:
                    return
                spot = self.enter(spot, entry)
            elif isinstance(spot, GroupSpot):
                spot = self.at(spot, step)


def _from_the_start(value: Any, steps: KeyPath) -> KeyPath:
    """Steps into a value with the positions that count from the end of a list counted from its start."""
    found: list[str | int] = []
    for step in steps:
        counted = step + len(value) if isinstance(value, list) and isinstance(step, int) and step < 0 else step
        found.append(counted)
        try:
            value = value[counted]
        except (LookupError, TypeError):
            value = None
    return tuple(found)
