"""Typed configuration for training runs: declared, compiled, explained, identified, run."""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typedcfg.cli.main import main as main
    from typedcfg.compiler.config import Config as Config
    from typedcfg.compiler.drafts.draft import Draft as Draft
    from typedcfg.errors import ConfigError as ConfigError
    from typedcfg.errors import TypedcfgError as TypedcfgError
    from typedcfg.runner.environment import init_env as init_env
    from typedcfg.runner.run import Runner as Runner
    from typedcfg.sections.experiment import Experiment as Experiment
    from typedcfg.sections.scaling import scale_lr as scale_lr
    from typedcfg.sources.escapes import literal as literal
    from typedcfg.template.base import ConfigTemplate as ConfigTemplate
    from typedcfg.template.derived import View as View
    from typedcfg.template.derived import derived as derived
    from typedcfg.template.derived import section as section
    from typedcfg.template.marks import AddedIn as AddedIn
    from typedcfg.template.marks import Deprecated as Deprecated
    from typedcfg.template.marks import Kind as Kind
    from typedcfg.template.marks import NotInIdentity as NotInIdentity
    from typedcfg.template.marks import RenamedFrom as RenamedFrom
    from typedcfg.template.marks import Unit as Unit
    from typedcfg.template.migrations import migrates as migrates

_HOMES: Final = {
    "AddedIn": "typedcfg.template.marks",
    "Config": "typedcfg.compiler.config",
    "ConfigError": "typedcfg.errors",
    "ConfigTemplate": "typedcfg.template.base",
    "Deprecated": "typedcfg.template.marks",
    "Draft": "typedcfg.compiler.drafts.draft",
    "Experiment": "typedcfg.sections.experiment",
    "Kind": "typedcfg.template.marks",
    "NotInIdentity": "typedcfg.template.marks",
    "RenamedFrom": "typedcfg.template.marks",
    "Runner": "typedcfg.runner.run",
    "TypedcfgError": "typedcfg.errors",
    "Unit": "typedcfg.template.marks",
    "View": "typedcfg.template.derived",
    "derived": "typedcfg.template.derived",
    "init_env": "typedcfg.runner.environment",
    "literal": "typedcfg.sources.escapes",
    "main": "typedcfg.cli.main",
    "migrates": "typedcfg.template.migrations",
    "scale_lr": "typedcfg.sections.scaling",
    "section": "typedcfg.template.derived",
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
