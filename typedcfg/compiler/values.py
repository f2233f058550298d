"""Values: every reference, bare text and formula evaluated, each when somebody needs it.

Evaluation is by demand with an explicit stack: a value that reads one which is not known yet is put aside until that
one is. Nothing recurses, so a chain may be as long as memory allows, and when a value waits for itself the stack is
the message.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic import SecretStr, ValidationError

from typedcfg.compiler.crashes import crash
from typedcfg.compiler.descent import Descent
from typedcfg.compiler.expressions import Interpolation, NotPrintable, Reference, absolute, printed, read_interpolation
from typedcfg.compiler.one_field import fields_before, validated
from typedcfg.compiler.shape import Shape, Slot
from typedcfg.compiler.shown import HIDDEN, quoted
from typedcfg.compiler.spots import GroupSpot, NotThere, SectionSpot, Spot, root_spot, spot_of
from typedcfg.compiler.views import ListView, MapView, SectionView
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import REFERENCE_MARK, Text
from typedcfg.sources.yaml_value import NotAValue, read_value
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry
from typedcfg.template.derived import VIEW_WORDS, Derived
from typedcfg.text import listed, nearest, one_of

_MOST_TOLD: Final = 8
"""Of the values in a circle, the first and last are named."""

_LONGEST_TEXT: Final = 1_000_000
"""Characters; ten lines that each refer ten times to the one above would otherwise be gigabytes."""


class _Needs(BaseException):  # no error: it must pass through a formula's own `except Exception`
    """What was read is not known yet."""

    def __init__(self, slots: Iterable[Slot]) -> None:
        super().__init__()
        self.slots = slots


class _Blocked(BaseException):  # as above
    """A value that was read is wrong; that is reported once, at its own place."""


class _Refused(BaseException):  # as above
    """A value cannot be found, for a reason that is reported with its place."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


class _Nowhere(_Refused):
    """A path leads to nothing, as far as one can tell from what was read."""


class Resolver:
    """The values of one configuration, as far as they are known."""

    def __init__(self, descent: Descent, shape: Shape) -> None:
        """Know what is literal, and nothing else yet."""
        self.descent = descent
        self.tree = shape.tree
        self.slots = shape.slots
        self.failed: set[KeyPath] = set()
        """Keys that have no value, for a reason that was reported."""
        self.seen: dict[KeyPath, Any] = {}
        """Every value that a formula or reference has read, as it was then."""
        self._inputs: dict[KeyPath, None] = {}
        self._within: dict[KeyPath, list[Slot]] = {}
        """What is not known yet within a free list or mapping, by the field and every path on the way."""
        for slot in shape.slots.values():
            for depth in range(len(slot.field), len(slot.path)):
                self._within.setdefault(slot.path[:depth], []).append(slot)

    def resolve(self) -> None:
        """Find every value."""
        # Deepest first: what sums up usually stands above what it sums, and is put off once for each that is not known.
        for slot in sorted(self.slots.values(), key=lambda slot: -len(slot.path)):
            if not slot.is_known:
                self._settle(slot)

    def _settle(self, first: Slot) -> None:
        stack: dict[KeyPath, Slot] = {first.path: first}
        awaited: dict[KeyPath, Iterator[Slot]] = {first.path: iter(())}
        while stack:
            slot = stack[next(reversed(stack))]
            needed = next((one for one in awaited[slot.path] if not one.is_known), None)
            if needed is not None and needed.path not in stack:
                stack[needed.path], awaited[needed.path] = needed, iter(())
                continue
            if needed is not None:
                self._report_cycle(stack, needed)
            try:
                self._evaluate(slot)
            except _Needs as needs:
                awaited[slot.path] = iter(needs.slots)
                continue
            slot.is_known = True
            del stack[slot.path]

    # --- evaluating -------------------------------------------------------------------------------------------------

    def _evaluate(self, slot: Slot) -> None:
        """Put a slot's value in its place, or the slot among the failed.

        Raises:
            _Needs: Something has to be known before.
        """
        self._inputs = {}
        try:
            if slot.path not in self.failed:
                slot.holder[slot.key] = self._value_of(slot)
        except (_Blocked, NotThere):
            self.failed.add(slot.path)
        except _Refused as refused:
            self.failed.add(slot.path)
            if not isinstance(refused, _Nowhere):
                self.descent.report(self._placed(refused.problem, slot))
            elif slot.entry.is_secret and slot.raw is not None:
                # A secret may begin as a reference does: not a word of it is repeated.
                what = f"{render_key_path(slot.path)} cannot be read as a reference ({HIDDEN})"
                self.descent.doubt(self._placed(Problem(what), slot))
            else:
                self.descent.doubt(self._placed(refused.problem, slot))
        slot.inputs = tuple(self._inputs)

    def _value_of(self, slot: Slot) -> Any:
        if slot.raw is None:
            return self._derive(slot)
        if isinstance(slot.raw, Text) and REFERENCE_MARK not in slot.raw:
            return self._read(slot, str(slot.raw))
        value = self._interpolate(slot, slot.raw)
        self._refuse_leaks(slot)
        return value

    def _read(self, slot: Slot, text: str) -> Any:
        """What a bare text means for its field: the value that a file would mean by it, or the text itself."""
        try:
            value = read_value(text, Origin(""))
        except NotAValue:
            return text
        if value == text or self._fits(slot, value) or not self._fits(slot, text):
            return value
        return text

    def _fits(self, slot: Slot, value: object) -> bool:
        try:
            if slot.path == slot.field:
                (*_, section) = self._sections_around(slot.path)
                self._validated(section, slot.entry, {**section.tree, slot.entry.name: value})
            elif validator := slot.entry.validator_at(len(slot.path) - len(slot.field)):
                validator.validate_python(value)
        except Exception:  # noqa: BLE001  # a validator that crashes is told of when the whole is validated
            return False
        return True

    def _derive(self, slot: Slot) -> Any:
        derived = slot.entry.derived
        assert derived is not None, "a slot without a text has a formula"
        (*_, section) = self._sections_around(slot.path)
        try:
            value = derived.function(SectionView(self, section))
        except _Refused as refused:
            what = f"{render_key_path(slot.path)} cannot be derived: {refused.problem.what}"
            where = self._place_of_formula(derived)
            raise type(refused)(replace(refused.problem, what=what, where=where)) from None
        except (Exception, SystemExit) as error:  # whatever a user's formula raises is told with its key and place
            # The text of an error may quote what was read.
            told = "" if self._has_read_secret() else f": {error}"
            raise self._formula_refused(slot, f"cannot be derived: {type(error).__name__}{told}") from error
        self._refuse_leaks(slot)
        if isinstance(value, Iterator):
            # Read once here, it would be empty for validation.
            value = list(value)
        if _holds_section(value):
            raise self._formula_refused(slot, "is derived as a section, which would add keys when all keys are known")
        try:
            self._validated(section, slot.entry, {**section.tree, slot.entry.name: value})
        except ValidationError as error:
            reasons = dict.fromkeys(e["msg"] for e in error.errors(include_url=False, include_input=False))
            shown = quoted(value, is_secret=slot.entry.is_secret or self._has_read_secret())
            raise self._formula_refused(slot, f"is derived as {shown}: {'; '.join(reasons)}") from None
        except Exception as error:
            is_secret = slot.entry.is_secret or self._has_read_secret()
            raise _Refused(
                crash(render_key_path(slot.path), error, written=str(derived.origin), is_secret=is_secret)
            ) from error
        return value

    def _has_read_secret(self) -> bool:
        return any(self._bearing_of(path)[0].is_secret for path in self._inputs)

    def _formula_refused(self, slot: Slot, what: str) -> _Refused:
        derived = slot.entry.derived
        assert derived is not None, "only formulas have these problems"
        return _Refused(Problem(f"{render_key_path(slot.path)} {what}", self._place_of_formula(derived)))

    def _place_of_formula(self, derived: Derived) -> str:
        """Where a formula stands, what it says, and what it has read."""
        seen = [
            f"it read {render_key_path(p)} = {quoted(self.seen[p], is_secret=self._bearing_of(p)[0].is_secret)}"
            for p in self._inputs
            if p in self.seen
        ]
        return "\n".join([str(derived.origin), f"the formula is {derived.formula}", *seen])

    def _interpolate(self, slot: Slot, text: str) -> Any:
        read = read_interpolation(text)
        if isinstance(read, Problem):
            if slot.entry.is_secret:
                what = f"{render_key_path(slot.path)} is no text with references ({HIDDEN})"
                read = Problem(what, expected=read.expected, fix="write $${ for a literal ${")
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
            try:
                text += printed(value)
            except NotPrintable as error:
                raise _Refused(_without_text(self._absolute(slot, part), error)) from None
            if len(text) > _LONGEST_TEXT:
                what = f"{render_key_path(slot.path)} becomes a text of more than {_LONGEST_TEXT:,} characters"
                raise _Refused(Problem(what, fix="look for references that double what they refer to, again and again"))
        return SecretStr(text) if is_secret else text

    def _referenced(self, slot: Slot, reference: Reference) -> Any:
        path = self._absolute(slot, reference)
        value = self.value_at(path)
        if isinstance(value, (SectionSpot, GroupSpot)):
            raise _Refused(
                Problem(
                    f"{render_key_path(slot.path)} refers to {_named(path)}, which is no value but a section",
                    expected="a key that holds a value",
                    suggestion=next((render_key_path((*path, name)) for name in value.names()), None),
                )
            )
        return value

    def _absolute(self, slot: Slot, reference: Reference) -> KeyPath:
        sections = tuple(section.path for section in self._sections_around(slot.path))
        path = absolute(reference, sections, slot.path[:-1])
        if path is None:
            raise _Refused(
                Problem(f"{render_key_path(slot.path)} has a reference that climbs above the whole configuration")
            )
        return path

    # --- reading: what views ask for --------------------------------------------------------------------------------

    def root(self) -> SectionSpot:
        """The whole configuration."""
        return root_spot(self.descent.template, self.tree)

    def parent(self, section: SectionSpot) -> SectionSpot:
        """The section above another."""
        if section.above is None:
            name = section.catalog.template.__qualname__
            raise _Refused(Problem(f"{name} is the whole configuration here, and has no parent"))
        return section.above

    def entry(self, section: SectionSpot, name: str) -> Entry:
        """The field of a name."""
        found = section.catalog.entries.get(name)
        if found is None:
            known = section.catalog.entries
            near = nearest(name, [*known, *VIEW_WORDS])
            keys = f"a key of {section.catalog.template.__qualname__}: {listed(known)}"
            raise _Nowhere(
                Problem(
                    f"there is no key {render_key_path((*section.path, name))}",
                    expected=f"{one_of(VIEW_WORDS)}, or {keys}",
                    suggestion=render_key_path((*section.path, near)) if near in known else near,
                )
            )
        return found

    def enter(self, section: SectionSpot, entry: Entry) -> Spot:
        """What a field of sections holds."""
        path = (*section.path, entry.name)
        if entry.name not in section.tree:
            raise _Blocked
        return spot_of(entry.node, section.tree[entry.name], path, section)

    def at(self, group: GroupSpot, step: str | int) -> Spot:
        """What a list or mapping of sections holds."""
        return group.at(step)

    def leaf(self, section: SectionSpot, entry: Entry) -> Any:
        """A value as the finished configuration will have it."""
        path = (*section.path, entry.name)
        self._inputs[path] = None
        self._await(path)
        if path not in self.seen:
            try:
                self.seen[path] = self._validated(section, entry, section.tree)
            except Exception:  # noqa: BLE001
                # Wrong, or required and not set, or its validator crashed: validation says so, at its own place.
                raise _Blocked from None
        return self.seen[path]

    def _validated(self, section: SectionSpot, entry: Entry, values: Mapping[str, Any]) -> Any:
        """What a section's values make of one field, once those are known that its validators may ask for."""
        for other in fields_before(entry):
            self._await((*section.path, other.name))
        return validated(entry, values)

    def value_at(self, path: KeyPath) -> Any:
        """The value at a path, or the spot of a section there."""
        spot: Spot = self.root()
        for depth, step in enumerate(path):
            if isinstance(spot, SectionSpot):
                entry = spot.catalog.entries.get(str(step))
                if entry is None:
                    raise _Nowhere(self.descent.unknown_target(path[: depth + 1]))
                if entry.is_leaf:
                    return self._value_below(spot, entry, path[depth + 1 :])
                spot = self.enter(spot, entry)
            elif isinstance(spot, GroupSpot) and (there := spot.step_to(step)) is not None:
                spot = spot.at(there)
            else:
                raise _Nowhere(self.descent.unknown_target(path))
        return spot

    def _value_below(self, section: SectionSpot, entry: Entry, rest: KeyPath) -> Any:
        """A leaf's value, or one within its free list or mapping, where others may not be known yet."""
        field = (*section.path, entry.name)
        if not rest:
            return self.leaf(section, entry)
        rest = _from_the_start(section.tree.get(entry.name), rest)
        path = (*field, *rest)
        if field not in self._within:
            whole = self.leaf(section, entry)
            del self._inputs[field]
            self._inputs[path] = None
            return self._step_down(whole, rest, path)
        self._inputs[path] = None
        for depth in range(len(field), len(path)):
            self._await_slot(path[:depth])
        self._await(path)
        if path not in self.seen:
            value = self._step_down(section.tree[entry.name], rest, path)
            validator = entry.validator_at(len(rest))
            try:
                self.seen[path] = value if validator is None else validator.validate_python(value)
            except Exception:  # noqa: BLE001  # as above
                raise _Blocked from None
        return self.seen[path]

    def _step_down(self, value: Any, rest: KeyPath, path: KeyPath) -> Any:
        for step in rest:
            try:
                value = value[step]
            except (LookupError, TypeError):
                raise _Nowhere(self.descent.unknown_target(path)) from None
        return value

    def _await(self, path: KeyPath) -> None:
        """Ask for what is not known yet at a path or, in a free list or mapping, below it."""
        self._await_slot(path)
        within = self._within.get(path, ())
        if any(not slot.is_known for slot in within):
            raise _Needs(within)
        if not self.failed.isdisjoint(slot.path for slot in within):
            raise _Blocked

    def _await_slot(self, path: KeyPath) -> None:
        slot = self.slots.get(path)
        if slot is not None and not slot.is_known:
            raise _Needs((slot,))
        if path in self.failed:
            raise _Blocked

    def _sections_around(self, path: KeyPath) -> Iterator[SectionSpot]:
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
                spot = spot.at(step)

    # --- what may not be --------------------------------------------------------------------------------------------

    def _refuse_leaks(self, slot: Slot) -> None:
        """Refuse a value that identifies the run and is computed from one that does not, or from a secret."""
        key = render_key_path(slot.path)
        for path in self._inputs:
            entry, bears = self._bearing_of(path)
            source = render_key_path(path)
            if entry.is_secret:
                if not slot.entry.is_secret:
                    fix = "make it a SecretStr: what is built from a secret is one"
                    raise _Refused(Problem(f"{key} is computed from {source}, which is a secret", fix=fix))
            elif not bears and self._bearing_of(slot.path)[1]:
                fix = f"mark {key} NotInIdentity as well, or take the mark from {source}"
                what = f"{key} bears on the run's identity and is computed from {source}, which does not"
                raise _Refused(Problem(what, fix=fix))

    def _bearing_of(self, path: KeyPath) -> tuple[Entry, bool]:
        """The field at a path, and whether it and all sections around it bear on the outcome."""
        entries = [s.catalog.entries[str(path[len(s.path)])] for s in self._sections_around(path)]
        return entries[-1], all(entry.is_in_identity for entry in entries)

    def _report_cycle(self, stack: Mapping[KeyPath, Slot], again: Slot) -> None:
        paths = list(stack)
        loop = paths[paths.index(again.path) :]
        self.failed |= set(loop)
        first, last = (loop, []) if len(loop) <= _MOST_TOLD else (loop[: _MOST_TOLD // 2], loop[-_MOST_TOLD // 2 :])
        names = [*map(render_key_path, first), *(["..."] if last else []), *map(render_key_path, (*last, again.path))]
        chain = " -> ".join(names)
        places = "\n".join(f"{render_key_path(p)} at {self._place_of(stack[p])}" for p in (*first, *last))
        self.descent.report(Problem(f"values wait for each other: {chain}", places, fix="give one of them a value"))

    def _placed(self, problem: Problem, slot: Slot) -> Problem:
        return replace(problem, where=problem.where or self._place_of(slot))

    def _place_of(self, slot: Slot) -> str:
        if slot.raw is None and slot.entry.derived is not None:
            return str(slot.entry.derived.origin)
        place = self.descent.place(slot.path)
        return str(place.live[-1].origin) if place is not None and place.live else ""


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


def _holds_section(value: Any) -> bool:
    """Whether a formula returned a section, be it within a list or mapping."""
    if isinstance(value, (dict, list, tuple)):
        return any(map(_holds_section, value.values() if isinstance(value, dict) else value))
    return isinstance(value, (SectionView, ListView, MapView, ConfigTemplate))


def _without_text(path: KeyPath, error: NotPrintable) -> Problem:
    return Problem(
        f"{render_key_path(path)} is {error}, which has no place within a text",
        expected="a number, a text or a truth value",
        fix="refer to it as a whole value, without text around it",
    )


def _named(path: KeyPath) -> str:
    return render_key_path(path) or "the whole configuration"
