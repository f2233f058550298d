"""Scope: what the text of one slot reads, by its references and by the variables that its expressions name."""

from dataclasses import replace
from typing import Any

from typedcfg.compiler.expressions.interpolation import climbing
from typedcfg.compiler.expressions.references import Reference, Start, absolute
from typedcfg.compiler.expressions.variables import Variables
from typedcfg.compiler.reading import Blocked, Needs, Nowhere, Reading, Refused
from typedcfg.compiler.slot import Slot, written_in
from typedcfg.compiler.spots import GroupSpot, NotThere, SectionSpot
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, KeyPathError, parse_key_path, render_key_path
from typedcfg.sources.base import REFERENCE_MARK


class Scope:
    """What can be read from one slot, and where its references lead from there."""

    __slots__ = ("_reading", "_variables", "slot")

    def __init__(self, slot: Slot, reading: Reading, variables: Variables) -> None:
        """Stand at a slot."""
        self.slot = slot
        self._reading = reading
        self._variables = variables

    def where(self, column: int) -> str:
        """Where the slot's text stands, and a column in it."""
        return written_in(self.slot, column, self._reading.descent)

    # --- references -------------------------------------------------------------------------------------------------

    def path(self, reference: Reference) -> KeyPath:
        """The path that a reference means here, from the top."""
        sections: list[KeyPath] = []
        if reference.start is Start.PARENT:
            sections = self._sections_around()
        path = absolute(reference, sections, self.slot.path[:-1], self.slot.top)
        if path is None:
            raise Refused(climbing(self.slot.path))
        return path

    def _sections_around(self) -> list[KeyPath]:
        path = self.slot.path
        if self.slot.entry.mappings_are_sections:
            return [path[:depth] for depth, step in enumerate(path) if isinstance(step, str)]
        return [section.path for section in self._reading.sections_around(path)]

    def value_at(self, path: KeyPath) -> Any:
        """The value at a path; a section is none."""
        value = self._reading.value_at(path)
        if isinstance(value, (SectionSpot, GroupSpot)):
            named = render_key_path(path) or "the whole configuration"
            raise Refused(
                Problem(
                    f"{render_key_path(self.slot.path)} refers to {named}, which is no value but a section",
                    expected="a key that holds a value",
                    suggestion=next((render_key_path((*path, name)) for name in value.names()), None),
                )
            )
        return value

    def referenced(self, reference: Reference) -> Any:
        """What a reference means that is the whole text."""
        return self.value_at(self.path(reference))

    def referenced_within(self, reference: Reference) -> Any:
        """What a reference means that stands in the midst of a text."""
        try:
            return self.referenced(reference)
        except Nowhere as nowhere:
            raise Nowhere(replace(nowhere.problem, where=self.where(reference.column))) from None

    # --- expressions ------------------------------------------------------------------------------------------------

    def value(self, reference: Reference) -> Any:
        """What an expression reads by a reference."""
        return self._operand(reference)

    def measured(self, reference: Reference) -> Any:
        """The same; a list or mapping of sections, too."""
        return self._operand(reference, is_measured=True)

    def variable(self, name: str) -> str | None:
        """The text of an environment variable, which is noted as read."""
        self.slot.variables = tuple(dict.fromkeys((*self.slot.variables, name)))
        return self._variables.text(name)

    def _operand(self, reference: Reference, *, is_measured: bool = False) -> Any:
        before, self._reading.inputs = self._reading.inputs, {}
        try:
            value = self._measured(reference) if is_measured else self.referenced(reference)
        except Nowhere as nowhere:
            problem = nowhere.problem
            fix = self._quoted_key() or problem.fix
            raise Nowhere(replace(problem, where=self.where(reference.column), fix=fix)) from None
        finally:
            read = self._reading.inputs
            self._reading.inputs = before | read
        for path in (path for path, one in read.items() if one.entry.is_secret):
            what = f"{render_key_path(self.slot.path)} is computed from {render_key_path(path)}, which is a secret"
            raise Refused(Problem(what, fix="refer to it alone, or within a text: those are secrets too"))
        return value

    def _measured(self, reference: Reference) -> Any:
        path = self.path(reference)
        value = self._reading.value_at(path)
        return value.tree if isinstance(value, GroupSpot) else self.value_at(path)

    def _quoted_key(self) -> str:
        """How to write a key with a dash, where what reads as a subtraction leads nowhere and the key does not."""
        assert self.slot.raw is not None, "only texts hold references"
        for part in self.slot.raw.split(REFERENCE_MARK)[1:]:
            try:
                path = parse_key_path(part.partition("}")[0].strip())
                self._reading.value_at((*self.slot.top, *path))
            except (KeyPathError, Nowhere):
                continue
            except (Needs, Blocked, NotThere):
                pass
            return f"put a key that is no identifier in quotes: ${{{render_key_path(path)}}}"
        return ""
