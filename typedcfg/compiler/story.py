"""The story of a compilation: what is kept so that `explain` can tell it."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

from typedcfg.compiler.descent import Descent
from typedcfg.compiler.expressions.variables import Variables
from typedcfg.compiler.migrate import migration_notes
from typedcfg.compiler.shape import Dropped, shape
from typedcfg.compiler.slot import Slot
from typedcfg.compiler.values import Resolver
from typedcfg.key_path import KeyPath
from typedcfg.sources.base import Layer
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry


class Resolution(NamedTuple):
    """How a value was found that no source gave as it is."""

    entry: Entry
    raw: str | None
    """The text with references; None for a formula."""
    inputs: tuple[KeyPath, ...]
    """What was read, in order."""
    variables: tuple[tuple[str, str | None], ...] = ()
    """The environment variables that were read, in order, each with its text; None if it was not set."""


def resolutions_of(slots: Mapping[KeyPath, Slot], variables: Variables) -> dict[KeyPath, Resolution]:
    """How every value was found that is known by now."""
    return {
        path: Resolution(
            slot.entry, slot.raw, slot.inputs, tuple((name, variables.read[name]) for name in slot.variables)
        )
        for path, slot in slots.items()
    }


class Story:
    """Which layers there were, and what was made of them.

    The layers, and the variables that expressions read, are the whole of it; the rest follows from them, and is
    worked out again where a story was unpickled.
    """

    def __init__(self, root: ConfigTemplate, layers: Iterable[Layer], variables: Variables) -> None:
        """Keep the finished configuration, the layers it was made from, weakest first, and the variables."""
        self.root = root
        self.layers = tuple(layers)
        self.variables = variables

    @cached_property
    def descent(self) -> Descent:
        """The way down through the layers."""
        return Descent(type(self.root), self.layers)

    @cached_property
    def _compiled(self) -> tuple[tuple[Dropped, ...], dict[KeyPath, Resolution]]:
        found = shape(self.descent)
        resolver = Resolver(self.descent, found, self.variables)
        resolver.resolve()
        return found.dropped, resolutions_of(found.slots, self.variables)

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """Settings that went with the variant they belonged to."""
        return self._compiled[0]

    @property
    def migrations(self) -> tuple[str, ...]:
        """The migrations that were applied, file by file."""
        return tuple(step for layer in self.layers for step in layer.migrated)

    @property
    def notes(self) -> tuple[str, ...]:
        """What saved files needed to be read today, and the settings that were dropped."""
        dropped = self.dropped  # first: on the way there it is seen which names were given up
        return (*migration_notes(self.layers), *self.descent.renamed, *map(str, dropped))

    @property
    def resolutions(self) -> dict[KeyPath, Resolution]:
        """How each value was found that was a reference, a bare text or a formula."""
        return self._compiled[1]

    def remember(self, descent: Descent, dropped: tuple[Dropped, ...], resolutions: dict[KeyPath, Resolution]) -> None:
        """Keep what the compilation has worked out already."""
        self.__dict__.update(descent=descent, _compiled=(dropped, resolutions))

    def __getstate__(self) -> dict[str, object]:
        return {"root": self.root, "layers": self.layers, "variables": self.variables}
