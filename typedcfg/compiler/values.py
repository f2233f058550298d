"""Values: every reference, bare text and formula evaluated, each when somebody needs it.

Evaluation is by demand with an explicit stack: a value that reads one which is not known yet is put aside until that
one is. Nothing recurses, so a chain may be as long as memory allows, and when a value waits for itself the stack is
the message.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isinf
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from typedcfg.compiler.bulk import CONTAINERS, Bulk
from typedcfg.compiler.crashes import crash
from typedcfg.compiler.descent import Descent
from typedcfg.compiler.expressions.interpolation import Interpolation, climbing, plain_reference, read_interpolation
from typedcfg.compiler.expressions.printed import NotPrintable, printed
from typedcfg.compiler.expressions.references import Reference, Start, absolute
from typedcfg.compiler.expressions.variables import Variables
from typedcfg.compiler.reading import Blocked, Needs, Nowhere, Reading, Refused
from typedcfg.compiler.shape import Shape
from typedcfg.compiler.shown import HIDDEN, quoted
from typedcfg.compiler.slot import Slot
from typedcfg.compiler.spots import GroupSpot, NotThere, SectionSpot
from typedcfg.compiler.texts import unreadable
from typedcfg.compiler.views import ListView, MapView, SectionView
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, KeyPathError, parse_key_path, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import MOST_EXPANDED, REFERENCE_MARK, Text
from typedcfg.sources.yaml_value import NotAValue, read_value
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.derived import Derived
from typedcfg.text import shorten

if TYPE_CHECKING:
    from typedcfg.compiler.expressions.tree import Expression

_MOST_TOLD: Final = 8
"""Of the values in a circle, the first and last are named."""

_LONGEST_TEXT: Final = 1_000_000
"""Characters; ten lines that each refer ten times to the one above would otherwise be gigabytes."""

_REFUSED: Final = object()
"""What a field makes of a value that does not fit."""


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
            if slot.entry.is_secret and slot.raw is not None and not _is_of_references(slot.raw, refused):
                # A secret may look as an expression does: not a word of it is repeated.
                what = f"{render_key_path(slot.path)} is no text with references ({HIDDEN})"
                problem = Problem(what, fix="write $${ for a literal ${")
            note(self._placed(problem, slot))
        slot.inputs = tuple(self.reading.inputs)

    def _value_of(self, slot: Slot) -> Any:
        if slot.raw is None:
            return self._derive(slot)
        if isinstance(slot.raw, Text) and REFERENCE_MARK not in slot.raw:
            return self._read(slot, str(slot.raw))
        value = self._interpolate(slot, slot.raw) if slot.copies is None else self._value_at(slot, slot.copies)
        self._refuse_leaks(slot)
        if isinstance(value, CONTAINERS):
            self._refuse_bulk(slot, value)
        return value

    def _read(self, slot: Slot, text: str) -> Any:
        """What a bare text means for its field: the value that a file would mean by it, or the text itself."""
        try:
            value = read_value(text, Origin(""))
        except NotAValue:
            return self._read_as_text(slot, text)
        if value == text or self._fits(slot, value) or not self._fits(slot, text):
            return value
        return text

    def _read_as_text(self, slot: Slot, text: str) -> Any:
        """A text that no file could mean a value by; only a field that wants text says that it is meant as one."""
        taken = self._taken(slot, text)
        takes_anything = self._fits(slot, object())
        if taken is not _REFUSED and not takes_anything and not (isinstance(taken, float) and isinf(taken)):
            return text
        try:
            read_value(text, Origin(self._place_of(slot)))
        except NotAValue as error:
            fix = "put it in quotes if it is meant as text" if takes_anything else ""
            self.descent.report(*unreadable(error, slot.path, is_secret=slot.entry.is_secret, fix=fix))
        raise Blocked

    def _fits(self, slot: Slot, value: object) -> bool:
        return self._taken(slot, value) is not _REFUSED

    def _taken(self, slot: Slot, value: object) -> Any:
        """What a slot's field makes of a value."""
        try:
            if slot.path == slot.field:
                section = self.reading.section_of(slot.field)
                return self.reading.validated(section, slot.entry, {**section.tree, slot.entry.name: value})
            validator = slot.entry.validator_at(len(slot.path) - len(slot.field))
            return value if validator is None else validator.validate_python(value)
        except Exception:  # noqa: BLE001  # a validator that crashes is told of when the whole is validated
            return _REFUSED

    def _derive(self, slot: Slot) -> Any:
        derived = slot.entry.derived
        assert derived is not None, "a slot without a text has a formula"
        section = self.reading.section_of(slot.field)
        try:
            value = derived.function(SectionView(self.reading, section))
        except Refused as refused:
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
        if isinstance(value, FieldInfo):
            raise self._formula_refused(slot, "is derived as another formula, and a formula gives a value")
        try:
            self.reading.validated(section, slot.entry, {**section.tree, slot.entry.name: value})
        except ValidationError as error:
            reasons = dict.fromkeys(e["msg"] for e in error.errors(include_url=False, include_input=False))
            shown = quoted(value, is_secret=slot.entry.is_secret or self._has_read_secret())
            raise self._formula_refused(slot, f"is derived as {shown}: {'; '.join(reasons)}") from None
        except Exception as error:
            is_secret = slot.entry.is_secret or self._has_read_secret()
            raise Refused(
                crash(render_key_path(slot.path), error, written=str(derived.origin), is_secret=is_secret)
            ) from error
        return value

    def _has_read_secret(self) -> bool:
        return any(read.entry.is_secret for read in self.reading.inputs.values())

    def _formula_refused(self, slot: Slot, what: str) -> Refused:
        derived = slot.entry.derived
        assert derived is not None, "only formulas have these problems"
        return Refused(Problem(f"{render_key_path(slot.path)} {what}", self._place_of_formula(derived)))

    def _place_of_formula(self, derived: Derived) -> str:
        """Where a formula stands, what it says, and what it has read."""
        seen = [
            f"it read {render_key_path(p)} = {quoted(read.value, is_secret=read.entry.is_secret)}"
            for p, read in self.reading.inputs.items()
        ]
        return "\n".join([str(derived.origin), f"the formula is {derived.formula}", *seen])

    # --- texts and expressions --------------------------------------------------------------------------------------

    def _interpolate(self, slot: Slot, text: str) -> Any:
        read = read_interpolation(text)
        if isinstance(read, Problem):
            raise Refused(read)
        whole = read.whole
        if isinstance(whole, Reference):
            return self._referenced(slot, whole)
        return self._text_of(slot, read) if whole is None else self._computed(slot, whole)

    def _text_of(self, slot: Slot, interpolation: Interpolation) -> Any:
        text, is_secret = "", False
        for part, value in zip(interpolation.parts, self._values_of(slot, interpolation), strict=True):
            if isinstance(value, SecretStr):
                value, is_secret = value.get_secret_value(), True  # noqa: PLW2901  # what stands within the text
            try:
                text += printed(value)
            except NotPrintable as error:
                raise Refused(self._without_text(slot, part, error)) from None
            if len(text) > _LONGEST_TEXT:
                what = f"{render_key_path(slot.path)} becomes a text of more than {_LONGEST_TEXT:,} characters"
                raise Refused(Problem(what, fix="look for references that double what they refer to, again and again"))
        return SecretStr(text) if is_secret else text

    def _values_of(self, slot: Slot, interpolation: Interpolation) -> list[Any]:
        """The values of all parts; what they need is asked for together."""
        values: list[Any] = []
        needed: list[Slot] = []
        for part in interpolation.parts:
            try:
                if isinstance(part, Reference):
                    values.append(self._referenced_within(slot, part))
                else:
                    values.append(part if isinstance(part, str) else self._computed(slot, part))
            except Needs as needs:
                needed += needs.slots
        if needed:
            raise Needs(needed)
        return values

    def _computed(self, slot: Slot, expression: "Expression") -> Any:
        # As for the grammar, without which there is no expression to compute.
        from typedcfg.compiler.expressions.arithmetic import Undefined
        from typedcfg.compiler.expressions.evaluation import evaluate

        try:
            return evaluate(expression, _Scope(self, slot))
        except Undefined as error:
            what = f"{render_key_path(slot.path)} cannot be computed: {error.what}"
            where = self._place_in(slot, error.column)
            raise Refused(Problem(what, where, expected=error.expected, fix=error.fix)) from None

    def _referenced(self, slot: Slot, reference: Reference) -> Any:
        return self._value_at(slot, self._absolute(slot, reference))

    def _referenced_within(self, slot: Slot, reference: Reference) -> Any:
        """What a reference means that stands in the midst of a text."""
        try:
            return self._referenced(slot, reference)
        except Nowhere as nowhere:
            where = self._place_in(slot, reference.column)
            raise Nowhere(replace(nowhere.problem, where=where)) from None

    def _value_at(self, slot: Slot, path: KeyPath) -> Any:
        value = self.reading.value_at(path)
        if isinstance(value, (SectionSpot, GroupSpot)):
            raise Refused(
                Problem(
                    f"{render_key_path(slot.path)} refers to {_named(path)}, which is no value but a section",
                    expected="a key that holds a value",
                    suggestion=next((render_key_path((*path, name)) for name in value.names()), None),
                )
            )
        return value

    def _measured(self, slot: Slot, reference: Reference) -> Any:
        path = self._absolute(slot, reference)
        value = self.reading.value_at(path)
        return value.tree if isinstance(value, GroupSpot) else self._value_at(slot, path)

    def operand(self, slot: Slot, reference: Reference, *, is_measured: bool = False) -> Any:
        """What an expression in a slot reads by one of its references."""
        before, self.reading.inputs = self.reading.inputs, {}
        try:
            value = self._measured(slot, reference) if is_measured else self._referenced(slot, reference)
        except Nowhere as nowhere:
            problem = nowhere.problem
            fix = self._quoted_key(slot) or problem.fix
            raise Nowhere(replace(problem, where=self._place_in(slot, reference.column), fix=fix)) from None
        finally:
            read = self.reading.inputs
            self.reading.inputs = before | read
        for path in (path for path, one in read.items() if one.entry.is_secret):
            what = f"{render_key_path(slot.path)} is computed from {render_key_path(path)}, which is a secret"
            raise Refused(Problem(what, fix="refer to it alone, or within a text: those are secrets too"))
        return value

    def _quoted_key(self, slot: Slot) -> str:
        """How to write a key with a dash, where what reads as a subtraction leads nowhere and the key does not."""
        assert slot.raw is not None, "only texts hold references"
        for part in slot.raw.split(REFERENCE_MARK)[1:]:
            try:
                path = parse_key_path(part.partition("}")[0].strip())
                self.reading.value_at((*slot.top, *path))
            except (KeyPathError, Nowhere):
                continue
            except (Needs, Blocked, NotThere):
                pass
            return f"put a key that is no identifier in quotes: ${{{render_key_path(path)}}}"
        return ""

    def _absolute(self, slot: Slot, reference: Reference) -> KeyPath:
        sections: list[KeyPath] = []
        if reference.start is Start.PARENT:
            sections = self._sections_around(slot)
        path = absolute(reference, sections, slot.path[:-1], slot.top)
        if path is None:
            raise Refused(climbing(slot.path))
        return path

    def _sections_around(self, slot: Slot) -> list[KeyPath]:
        if slot.entry.mappings_are_sections:
            return [slot.path[:depth] for depth, step in enumerate(slot.path) if isinstance(step, str)]
        return [section.path for section in self.reading.sections_around(slot.path)]

    def _without_text(self, slot: Slot, part: "str | Expression", error: NotPrintable) -> Problem:
        if isinstance(part, Reference):
            what = f"{render_key_path(self._absolute(slot, part))} is {error}, which has no place within a text"
            fix = "refer to it as a whole value, without text around it"
        else:
            what, fix = f"{render_key_path(slot.path)} comes to {error}, which has no place within a text", ""
        column = 0 if isinstance(part, str) else getattr(part, "column", 0)
        where = self._place_in(slot, column)
        return Problem(what, where, expected="a number, a text or a truth value", fix=fix)

    # --- what may not be --------------------------------------------------------------------------------------------

    def _refuse_leaks(self, slot: Slot) -> None:
        """Refuse a value that identifies the run and is computed from one that does not, or from a secret."""
        for path, read in self.reading.inputs.items():
            if read.bears:
                continue
            key, source = render_key_path(slot.path), render_key_path(path)
            if read.entry.is_secret:
                if not slot.entry.is_secret:
                    fix = "make it a SecretStr: what is built from a secret is one"
                    raise Refused(Problem(f"{key} is computed from {source}, which is a secret", fix=fix))
            elif self.reading.bears(slot.field):
                fix = f"mark {key} NotInIdentity as well, or take the mark from {source}"
                what = f"{key} bears on the run's identity and is computed from {source}, which does not"
                raise Refused(Problem(what, fix=fix))

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
        places = "\n".join(f"{render_key_path(p)} at {self._place_of(slots[p])}" for p in (*first, *last))
        self.descent.report(Problem(f"values wait for each other: {chain}", places, fix="give one of them a value"))

    def _placed(self, problem: Problem, slot: Slot) -> Problem:
        return replace(problem, where=problem.where or self._place_of(slot))

    def _place_of(self, slot: Slot) -> str:
        if slot.raw is None and slot.entry.derived is not None:
            return str(slot.entry.derived.origin)
        place = self.descent.place(slot.path)
        return str(place.live[-1].origin) if place is not None and place.live else ""

    def _place_in(self, slot: Slot, column: int) -> str:
        """Where a slot's text stands, and the column in it."""
        text = HIDDEN if slot.entry.is_secret else repr(shorten(str(slot.raw)))
        return f"{self._place_of(slot)}\ncolumn {column} of {text}"


class _Scope:
    """What the expressions of one slot read."""

    def __init__(self, resolver: Resolver, slot: Slot) -> None:
        self._resolver = resolver
        self._slot = slot

    def value(self, reference: Reference) -> Any:
        """The value that a reference means."""
        return self._resolver.operand(self._slot, reference)

    def measured(self, reference: Reference) -> Any:
        """The same; a list or mapping of sections, too."""
        return self._resolver.operand(self._slot, reference, is_measured=True)

    def variable(self, name: str) -> str | None:
        """The text of an environment variable, which is noted as read."""
        self._slot.variables = tuple(dict.fromkeys((*self._slot.variables, name)))
        return self._resolver.variables.text(name)


def _depth(slot: Slot) -> int:
    return len(slot.path)


def _next_unknown(slots: list[Slot]) -> Slot | None:
    while slots and slots[-1].is_known:
        slots.pop()
    return slots[-1] if slots else None


def _is_of_references(text: str, refused: Refused) -> bool:
    """Whether a text holds plain references that lead somewhere, and so is meant as it was read."""
    read = read_interpolation(text)
    is_plain = isinstance(read, Interpolation) and all(isinstance(part, (str, Reference)) for part in read.parts)
    return is_plain and not isinstance(refused, Nowhere)


def _holds_section(value: Any) -> bool:
    """Whether a formula returned a section, be it within a list or mapping."""
    if isinstance(value, (dict, list, tuple)):
        return any(map(_holds_section, value.values() if isinstance(value, dict) else value))
    return isinstance(value, (SectionView, ListView, MapView, ConfigTemplate))


def _named(path: KeyPath) -> str:
    return render_key_path(path) or "the whole configuration"
