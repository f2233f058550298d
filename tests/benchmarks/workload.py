"""Configurations of any size, and the same twice: as templates, and as plain pydantic models."""

from itertools import cycle, islice
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, TypeVar

import yaml
from annotated_types import Ge, Gt, Lt
from pydantic import BaseModel, ConfigDict, create_model

from typedcfg import ConfigTemplate

M = TypeVar("M", bound=BaseModel)

_FIELDS: Final[dict[str, tuple[Any, Any]]] = {
    "lr": (Annotated[float, Gt(0)], 0.0125),
    "width": (Annotated[int, Gt(0)], 128),
    "shuffle": (bool, True),
    "activation": (str, "gelu"),
    "weight_decay": (Annotated[float, Ge(0)], 1e-05),
    "clip": (float, 1.0),
    "depth": (Annotated[int, Gt(0)], 4),
    "strides": (list[int], [2, 4, 8]),
    "dropout": (Annotated[float, Ge(0), Lt(1)], 0.15),
    "temperature": (float, 20.0),
    "schedule": (str | None, None),
}
"""What leaves are like; those of a section are taken from here in turn."""

_DIRECT: Final = 40
_OPTIMIZER: Final = 10
_LOADER: Final = 15
LEAVES_OF_A_PART: Final = _DIRECT + _OPTIMIZER + _LOADER


class PlainSection(BaseModel):
    """What a careful user writes by hand."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Workload(NamedTuple):
    """One configuration, as two files and an override."""

    template: type[ConfigTemplate]
    model: type[BaseModel]
    base: Path
    """Sets every leaf."""
    wide: Path
    """Sets some again."""


def workload(leaves: int, folder: Path) -> Workload:
    """About so many leaves: parts of 65 each, half of them in a mapping, half in a list; two files in a folder."""
    count = max(1, leaves // LEAVES_OF_A_PART)
    listed = count // 2
    named = {f"part_{number}": _part(number) for number in range(count - listed)}
    base = {"seed": 1, "named": named, "listed": [_part(number) for number in range(listed)]}
    wide = {"named": {name: {"optimizer": _leaves(_OPTIMIZER, 7)} for name in named}}
    return Workload(
        declare(ConfigTemplate),
        declare(PlainSection),
        _written(folder / f"base_{leaves}.yaml", base),
        _written(folder / f"wide_{leaves}.yaml", wide),
    )


def declare(section: type[M]) -> type[M]:
    """The classes of a configuration, derived from one base or another."""
    optimizer = create_model("Optimizer", __base__=section, **_declared(_OPTIMIZER))
    loader = create_model("Loader", __base__=section, **_declared(_LOADER))
    below: dict[str, Any] = {"optimizer": optimizer, "loader": loader}
    part = create_model("Part", __base__=section, **_declared(_DIRECT), **below)
    held: dict[str, Any] = {"seed": int, "named": dict[str, part], "listed": list[part]}  # type: ignore[valid-type]  # made above
    return create_model("Root", __base__=section, **held)


def _part(number: int) -> dict[str, Any]:
    return {
        **_leaves(_DIRECT, number),
        "optimizer": _leaves(_OPTIMIZER, number),
        "loader": _leaves(_LOADER, number),
    }


def _names(count: int) -> list[tuple[str, str]]:
    """Names of fields, each with the name of its kind."""
    return [(f"{kind}_{position}", kind) for position, kind in enumerate(islice(cycle(_FIELDS), count))]


def _declared(count: int) -> dict[str, Any]:
    return {name: _FIELDS[kind] for name, kind in _names(count)}


def _leaves(count: int, number: int) -> dict[str, Any]:
    """Values for a section; those of one differ a little from those of another."""
    return {name: _varied(_FIELDS[kind][1], number) for name, kind in _names(count)}


def _varied(value: Any, number: int) -> Any:
    if isinstance(value, list):
        return [item + number for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return value + number if value >= 1 else value / (1 + number)


def _written(path: Path, values: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return path
