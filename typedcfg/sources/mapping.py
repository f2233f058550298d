"""Settings already in memory: the simplest source, and the one to copy for a new one."""

from collections.abc import Mapping

from typedcfg.origin import Origin
from typedcfg.sources.base import Layer, branch_from


class MappingSource:
    """Plain Python values as one layer.

    Example:
        >>> [layer] = MappingSource("wide", {"model": {"width": 64}}).read()
        >>> layer.strength, layer.roots, str(layer.roots[0].origins["model"])
        ('presets', ({'model': {'width': 64}},), 'wide')
    """

    def __init__(self, name: str, values: Mapping[str, object], *, strength: str = "presets") -> None:
        """Hold the values; `name` is what origins call this source."""
        self.name = name
        self.values = values
        self.strength = strength

    def read(self) -> list[Layer]:
        """One layer."""
        return [Layer(self.name, self.strength, (branch_from(self.values, Origin(self.name)),))]
