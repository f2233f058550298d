"""What a formula sees of a configuration that is being made."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from typedcfg.compiler.spots import GroupSpot, SectionSpot, Spot
from typedcfg.template.catalog import Entry
from typedcfg.template.derived import View
from typedcfg.template.nodes import ListNode


class Reader(Protocol):
    """Finds values and sections on behalf of views."""

    def root(self) -> SectionSpot:
        """The whole configuration."""
        ...

    def parent(self, section: SectionSpot) -> SectionSpot:
        """The section above another; refused at the root."""
        ...

    def entry(self, section: SectionSpot, name: str) -> Entry:
        """The field of a name; a name that is none is refused."""
        ...

    def leaf(self, section: SectionSpot, entry: Entry) -> Any:
        """A value, validated; waited for if it is not known yet."""
        ...

    def enter(self, section: SectionSpot, entry: Entry) -> Spot:
        """What a field of sections holds."""
        ...

    def at(self, group: GroupSpot, step: str | int) -> Spot:
        """What a list or mapping of sections holds."""
        ...


def view_of(reader: Reader, spot: Spot) -> Any:
    """The view of a spot; None where an optional section is not there."""
    if isinstance(spot, SectionSpot):
        return SectionView(reader, spot)
    if isinstance(spot, GroupSpot):
        return ListView(reader, spot) if isinstance(spot.node, ListNode) else MapView(reader, spot)
    return None


class SectionView(View[Any]):
    """A section, its values by attribute; names of its own are private, for any other may be a field's."""

    __slots__ = ("_reader", "_spot")

    def __init__(self, reader: Reader, spot: SectionSpot) -> None:
        self._reader = reader
        self._spot = spot

    @property
    def root(self) -> Any:
        """The whole configuration."""
        return SectionView(self._reader, self._reader.root())

    @property
    def parent(self) -> Any:
        """The section that holds this one."""
        return SectionView(self._reader, self._reader.parent(self._spot))

    def __getattr__(self, name: str) -> Any:
        entry = self._reader.entry(self._spot, name)
        if entry.is_leaf:
            return self._reader.leaf(self._spot, entry)
        return view_of(self._reader, self._reader.enter(self._spot, entry))


class ListView(Sequence[Any]):
    """A list of sections."""

    def __init__(self, reader: Reader, spot: GroupSpot) -> None:
        self._reader = reader
        self._spot = spot

    def __len__(self) -> int:
        return len(self._spot.tree)

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, slice):
            return [self[i] for i in range(*position.indices(len(self)))]
        # An IndexError must leave here as one: iteration ends by it.
        index = range(len(self))[position]
        return view_of(self._reader, self._reader.at(self._spot, index))


class MapView(Mapping[str, Any]):
    """Sections by name."""

    def __init__(self, reader: Reader, spot: GroupSpot) -> None:
        self._reader = reader
        self._spot = spot

    def __len__(self) -> int:
        return len(self._spot.tree)

    def __iter__(self) -> Iterator[str]:
        return (str(name) for name in self._spot.names())

    def __getitem__(self, key: str) -> Any:
        if key not in self._spot.tree:
            raise KeyError(key)
        return view_of(self._reader, self._reader.at(self._spot, key))
