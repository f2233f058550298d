"""Marks inside `Annotated`: what a field means beyond its type.

A mark is inert: the stages that care look for it. `Unit` is read by help and errors, `NotInIdentity` by identity,
`Deprecated` and `RenamedFrom` when a name from a file is looked up, `AddedIn` and `Kind` by identity.
"""

from typing import ClassVar, Final


class Mark:
    """What every mark has in common: equality by content, and the text that one would write it with."""

    __slots__: tuple[str, ...] = ()

    example: ClassVar[str]
    """How one is written, for who wrote the class alone."""

    def _content(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in type(self).__slots__)

    def _arguments(self) -> str:
        return ", ".join(map(repr, self._content()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash((type(self), *self._content()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._arguments()})"


class Unit(Mark):
    """What a number counts or measures: `Annotated[float, Unit("s")]`."""

    __slots__ = ("symbol",)
    example = 'Unit("s")'

    def __init__(self, symbol: str) -> None:
        """Name the unit, in the field's standard abbreviation: `s`, `GiB`, `samples`, `1/step`."""
        self.symbol: Final = symbol


class NotInIdentity(Mark):
    """The leaf has no bearing on the outcome: two runs that differ only here are one run.

    For where data lies, how many workers read it, how often a line is logged. On a section it holds for
    every leaf below.
    """

    __slots__ = ()
    example = "NotInIdentity()"


class Deprecated(Mark):
    """The field still works and warns where a file, variable or argument sets it.

    Example:
        >>> Deprecated("use optimizer.lr", since="0.3")
        Deprecated('use optimizer.lr', since='0.3')
    """

    __slots__ = ("instead", "since")
    example = 'Deprecated("use lr", since="0.3")'

    def __init__(self, instead: str, *, since: str) -> None:
        """Say what to use instead, and since which version of the user's own package."""
        self.instead: Final = instead
        self.since: Final = since

    def _arguments(self) -> str:
        return f"{self.instead!r}, since={self.since!r}"


class RenamedFrom(Mark):
    """Names that the field used to have; all are still accepted, with a warning.

    One word is a name beside the field, a dotted one is from the top of the configuration. The first is the
    name under which the leaf stays in the identity, so that renaming does not rename old runs.

    Example:
        >>> RenamedFrom("bs", "data.loader.bs").names
        ('bs', 'data.loader.bs')
    """

    __slots__ = ("names",)
    example = 'RenamedFrom("bs")'

    def __init__(self, first: str, *others: str) -> None:
        """List the old names, the one that identities were computed with first."""
        self.names: Final = (first, *others)

    def _arguments(self) -> str:
        return ", ".join(map(repr, self.names))


class AddedIn(Mark):
    """The field came later; while it equals `was`, what runs did before, it stays out of the identity."""

    __slots__ = ("was",)
    example = "AddedIn(was=False)"

    def __init__(self, *, was: object) -> None:
        """Say which value means what runs did before the field existed."""
        self.was: Final = was

    def _arguments(self) -> str:
        return f"was={self.was!r}"


class Kind(Mark):
    """On the `kind` literal of a variant: the name it had before, accepted with a warning and kept in the identity."""

    __slots__ = ("renamed_from",)
    example = 'Kind(renamed_from="adam")'

    def __init__(self, *, renamed_from: str) -> None:
        """Name the old kind."""
        self.renamed_from: Final = renamed_from

    def _arguments(self) -> str:
        return f"renamed_from={self.renamed_from!r}"
