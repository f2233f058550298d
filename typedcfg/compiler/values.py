"""Values: every reference, bare text and formula evaluated, each when somebody needs it.

Evaluation is by demand with an explicit stack: a value that reads one which is not known yet is put aside until that
one is. Nothing recurses, so a chain may be as long as memory allows, and when a value waits for itself the stack is
the message.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from typedcfg.compiler.bulk import CONTAINERS, Bulk
from typedcfg.compiler.descent import Descent
from typedcfg.compiler.expressions.interpolation import plain_reference
from typedcfg.compiler.expressions.references import absolute
from typedcfg.compiler.expressions.variables import Variables
from typedcfg.compiler.field_text import read_text
from typedcfg.compiler.formulas import derive
from typedcfg.compiler.interpolated import interpolated, is_of_references
from typedcfg.compiler.reading import Blocked, Needs, Nowhere, Reading, Refused
from typedcfg.compiler.scope import Scope
from typedcfg.compiler.shape import Shape
from typedcfg.compiler.shown import HIDDEN
from typedcfg.compiler.slot import Slot, written_at
from typedcfg.compiler.spots import NotThere
from typedcfg.errors import Problem
from typedcfg.key_path import render_key_path
from typedcfg.sources.base import MOST_EXPANDED, REFERENCE_MARK, Text

_MOST_TOLD: Final = 8
"""Of the values in a circle, the first and last are named."""


class Resolver:
    """The values of one configuration, as far as they are known."""

    def __init__(self, descent: Descent, shape: Shape, variables: Variables) -> None:
        """Know what is literal, and nothing else yet."""
        self.descent = descent
        self.slots = shape.slots
        self.variables = variables
        self.reading = Reading(descent, shape)
        self.bulk = Bulk()
        self.failed = self.reading.failed
        """Keys that have no value, for a reason that was reported."""

    def resolve(self) -> None:
        """Find every value."""
        stack: list[Slot] = []
        opened: set[Slot] = set()
        awaited: dict[Slot, list[Slot]] = {}
        """What slots on the stack have asked for, the next one last."""
        # Deepest first: what sums up usually stands above what it sums, and is put off once for each that is not known.
        for first in sorted(self.slots.values(), key=_depth, reverse=True):
            needed: Slot | None = None if first.is_known else first
            while needed is not None or stack:
                if needed is not None:
                    stack.append(needed)
                    opened.add(needed)
                    needed = self._copied_by(needed)
                slot = stack[-1]
                if awaited and slot in awaited:
                    needed = _next_unknown(awaited[slot])
                if needed is not None and not needed.is_known:
                    if needed not in opened:
                        continue
                    self._report_cycle(stack, needed)
                try:
                    self._evaluate(slot)
                except Needs as needs:
                    awaited[slot] = [*needs.slots][::-1]
                    needed = None
                    continue
                needed = None
                slot.is_known = True
                opened.remove(slot)
                stack.pop()

    def _copied_by(self, slot: Slot) -> Slot | None:
        """What a slot waits for whose text is a plain reference, which it is noted to copy."""
        reference = None if slot.raw is None else plain_reference(slot.raw)
        if reference is None:
            return None
        # What surrounds the slot is not entered yet, and a path through `parent` is found by it.
        slot.copies = absolute(reference, (), slot.path[:-1], slot.top)
        return None if slot.copies is None else self.slots.get(slot.copies)

    # --- evaluating -------------------------------------------------------------------------------------------------

    def _evaluate(self, slot: Slot) -> None:
        """Put a slot's value in its place, or the slot among the failed.

        Raises:
            Needs: Something has to be known before.
        """
        self.reading.inputs = {}
        slot.variables = ()
        try:
            path = slot.copies
            if path is not None and not self.failed:
                # Most references are plain, and most lead to a value of which nothing more can be wrong.
                read = self.reading.read_nearby(path)
                if read is not None and read.bears and not isinstance(read.value, CONTAINERS):
                    slot.holder[slot.key], slot.inputs = read.value, (path,)
                    return
            if not self.failed or slot.path not in self.failed:
                slot.holder[slot.key] = self._value_of(slot)
        except (Blocked, NotThere):
            self.failed.add(slot.path)
        except Refused as refused:
            self.failed.add(slot.path)
            note = self.descent.doubt if isinstance(refused, Nowhere) else self.descent.report
            problem = refused.problem
            if slot.entry.is_secret and slot.raw is not None and not _is_meant(slot.raw, refused):
                # A secret may look as an expression does: not a word of it is repeated.
                what = f"{render_key_path(slot.path)} is no text with references ({HIDDEN})"
                problem = Problem(what, fix="write $${ for a literal ${")
            note(self._placed(problem, slot))
        slot.inputs = tuple(self.reading.inputs)

    def _value_of(self, slot: Slot) -> Any:
        if slot.raw is None:
            return derive(slot, self.reading)
        if isinstance(slot.raw, Text) and REFERENCE_MARK not in slot.raw:
            return read_text(str(slot.raw), slot, self.reading)
        scope = Scope(slot, self.reading, self.variables)
        value = interpolated(slot.raw, scope) if slot.copies is None else scope.value_at(slot.copies)
        self.reading.refuse_leaks(slot)
        if isinstance(value, CONTAINERS):
            self._refuse_bulk(slot, value)
        return value

    # --- what may not be --------------------------------------------------------------------------------------------

    def _refuse_bulk(self, slot: Slot, value: Any) -> None:
        """Refuse a list or mapping when references bring too much; that is reported once."""
        if not self.bulk.has_room:
            raise Blocked
        if not self.bulk.take(value):
            what = f"{render_key_path(slot.path)} refers to one list or mapping too many"
            expected = f"at most {MOST_EXPANDED:,} entries that all references bring"
            fix = "look for lists of references to lists of references, which grow with every line"
            raise Refused(Problem(what, expected=expected, fix=fix))

    def _report_cycle(self, stack: Sequence[Slot], again: Slot) -> None:
        slots = {slot.path: slot for slot in stack[stack.index(again) :]}
        loop = list(slots)
        self.failed.update(loop)
        first, last = (loop, []) if len(loop) <= _MOST_TOLD else (loop[: _MOST_TOLD // 2], loop[-_MOST_TOLD // 2 :])
        names = [*map(render_key_path, first), *(["..."] if last else []), *map(render_key_path, (*last, again.path))]
        chain = " -> ".join(names)
        places = "\n".join(f"{render_key_path(p)} at {written_at(slots[p], self.descent)}" for p in (*first, *last))
        self.descent.report(Problem(f"values wait for each other: {chain}", places, fix="give one of them a value"))

    def _placed(self, problem: Problem, slot: Slot) -> Problem:
        return replace(problem, where=problem.where or written_at(slot, self.descent))


def _depth(slot: Slot) -> int:
    return len(slot.path)


def _is_meant(text: str, refused: Refused) -> bool:
    """Whether a text holds plain references that lead somewhere, and so is meant as it was read."""
    return is_of_references(text) and not isinstance(refused, Nowhere)


def _next_unknown(slots: list[Slot]) -> Slot | None:
    while slots and slots[-1].is_known:
        slots.pop()
    return slots[-1] if slots else None
