"""A configuration that carries what its fields mean."""

from typing import Any, Final, TypeVar

from typedcfg.compiler.config import Config
from typedcfg.compiler.story import Story
from typedcfg.key_path import KeyPath
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import catalog_of
from typedcfg.template.descriptions import descriptions_of
from typedcfg.template.type_text import type_text

T = TypeVar("T", bound=ConfigTemplate)

HELP: Final = "__help__"
"""The key under which the descriptions stand; no field can have it."""


class DescribedConfig(Config[T]):
    """A configuration with a type and a description for each field, under the key `__help__` of every section.

    What a logger or a tracker is handed with `plain()` then explains itself. The descriptions are no values: they are
    in no identity, no comparison, no iteration and no file.

    Example:
        >>> class Params(ConfigTemplate):
        ...     epochs: int = 10
        >>> config = Params().to_config(store_description=True)
        >>> config["__help__"], config.plain(), config == Params().to_config()
        ({'epochs': '[integer]'}, {'epochs': 10, '__help__': {'epochs': '[integer]'}}, True)
    """

    def __getitem__(self, key: str) -> Any:
        """The value at a key path, or the descriptions."""
        return help_of(self.params) if key == HELP else super().__getitem__(key)

    def plain(self) -> dict[str, Any]:
        """The values as ordinary data, with the descriptions of all sections under `__help__`."""
        return {**super().plain(), HELP: help_of(self.params)}

    def _wrap(self, value: Any, path: KeyPath) -> Any:
        node = super()._wrap(value, path)
        return _described(node.params, node._story, node._path) if isinstance(node, Config) else node  # noqa: SLF001  # a section of ours

    def __reduce__(self) -> tuple[object, ...]:
        return _described, (self.params, self._story, self._path)


def _described(params: T, story: Story, path: KeyPath) -> DescribedConfig[T]:
    return DescribedConfig(params, story, path=path)


def described(config: Config[T]) -> DescribedConfig[T]:
    """The same configuration with its descriptions."""
    return _described(config.params, config._story, config._path)  # noqa: SLF001  # of one kind


def help_of(section: ConfigTemplate) -> dict[str, Any]:
    """`[type] description` for each field of a section, by name; what holds one section has a mapping of its own."""
    told = descriptions_of(type(section))
    return {
        name: help_of(value)
        if isinstance(value := getattr(section, name), ConfigTemplate)
        else f"[{type_text(entry)}] {told.get(name, '')}".rstrip()
        for name, entry in catalog_of(type(section)).entries.items()
    }
