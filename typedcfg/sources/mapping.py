"""Settings already in memory: the simplest source, and the one to copy for a new one."""

from collections.abc import Mapping
from typing import Any

from typedcfg.origin import Origin
from typedcfg.sources.base import MOST_LEVELS, Layer, branch_from, endless
from typedcfg.sources.instances import explicit_settings
from typedcfg.template.base import ConfigTemplate


class MappingSource:
    """Python values as one layer; of a section that exists already, what was set explicitly.

    Example:
        >>> [layer] = MappingSource("wide", {"model": {"width": 64}}).read()
        >>> layer.strength, layer.roots, str(layer.roots[0].origins["model"])
        ('presets', ({'model': {'width': 64}},), 'wide')
    """

    def __init__(self, name: str, values: Mapping[str, object] | ConfigTemplate, *, strength: str = "presets") -> None:
        """Hold the values; `name` is what origins call this source."""
        self.name = name
        self.values = values
        self.strength = strength

    def read(self) -> list[Layer]:
        """One layer."""
        return [
            Layer(
                self.name, self.strength, (branch_from(settings_in(self.values, where=self.name), Origin(self.name)),)
            )
        ]


def settings_in(values: Any, *, where: str = "", depth: int = 0) -> Any:
    """The values, with the explicit settings of every section instance in its place.

    Raises:
        ConfigError: A list or mapping holds itself.
    """
    if depth > MOST_LEVELS:
        raise endless(where)
    if isinstance(values, ConfigTemplate):
        return explicit_settings(values)
    if isinstance(values, Mapping):
        return {key: settings_in(value, where=where, depth=depth + 1) for key, value in values.items()}
    return (
        [settings_in(value, where=where, depth=depth + 1) for value in values] if isinstance(values, list) else values
    )
