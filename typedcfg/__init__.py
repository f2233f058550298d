"""Typed configuration for training runs: declared, compiled, explained, identified, run."""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typedcfg.errors import ConfigError as ConfigError
    from typedcfg.errors import TypedcfgError as TypedcfgError

_HOMES: Final = {
    "ConfigError": "typedcfg.errors",
    "TypedcfgError": "typedcfg.errors",
}
"""Where each public name lives; a module is imported when its first name is asked for."""

__all__ = sorted(_HOMES)  # noqa: PLE0605  # one table, not two


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'typedcfg' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
