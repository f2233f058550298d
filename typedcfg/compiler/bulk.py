"""Bulk: how much whole references bring. A list of two references to a list of two doubles with every line."""

from typing import Any, Final

from typedcfg.sources.base import MOST_EXPANDED

CONTAINERS: Final = (dict, list, tuple, set, frozenset)
"""What has entries."""


class Bulk:
    """The entries that references have brought into one configuration so far."""

    def __init__(self) -> None:
        """Begin with none."""
        self.entries = 0
        self._sizes: dict[int, tuple[Any, int]] = {}
        """By identity, with the value itself, which keeps that from being given to another."""

    @property
    def has_room(self) -> bool:
        """Whether that is no more than one configuration may hold."""
        return self.entries <= MOST_EXPANDED

    def take(self, value: Any) -> bool:
        """Count a list or mapping that a reference brings, with all that lies in it; whether there was room for it.

        Example:
            >>> pair, bulk = [1, 2], Bulk()
            >>> bulk.take([pair, pair]), bulk.entries
            (True, 6)
        """
        self.entries += self._size(value)
        return self.has_room

    def _size(self, value: Any) -> int:
        if not isinstance(value, CONTAINERS):
            return 0
        known = self._sizes.get(id(value))
        if known is None:
            items = value.values() if isinstance(value, dict) else value
            known = self._sizes[id(value)] = (value, len(value) + sum(map(self._size, items)))
        return known[1]
