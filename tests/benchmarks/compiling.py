"""Compiling: files, an override and references, against what one would write by hand."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml
from pydantic import BaseModel
from stopwatch import Row, race
from workload import Workload, workload

from typedcfg import Config, ConfigTemplate

_OVERRIDE: Final = "named.part_0.loader.width_1=17"
_TARGETS: Final = {65: 1.2, 650: 0.8, 6_500: 0.8, 65_000: 0.6}


def compile_files(sizes: tuple[int, ...], seconds: float) -> Iterator[Row]:
    """Two files and an override, with the place of every value, for about so many leaves."""
    with TemporaryDirectory() as folder:
        work = {leaves: workload(leaves, Path(folder)) for leaves in sizes}
        for leaves, one in work.items():
            assert compiled(one).plain() == _by_hand(one).model_dump(), "both are the same configuration"
            yield race(
                f"compile {leaves:,} leaves",
                partial(compiled, one),
                partial(_by_hand, one),
                seconds=seconds,
                target=_TARGETS[leaves],
            )
        *_, fewer, more = work.values()
        yield race(
            "compile ten times the leaves",
            partial(compiled, more),
            partial(compiled, fewer),
            seconds=seconds,
            target=12,
        )


def compiled(one: Workload) -> Config[ConfigTemplate]:
    """A workload's configuration."""
    return one.template.compile(one.base, one.wide, overrides=[_OVERRIDE])


def _by_hand(one: Workload) -> BaseModel:
    tree: dict[str, Any] = yaml.load(one.base.read_bytes(), yaml.CSafeLoader)
    _merge(tree, yaml.load(one.wide.read_bytes(), yaml.CSafeLoader))
    key, _, text = _OVERRIDE.partition("=")
    *above, last = key.split(".")
    here = tree
    for step in above:
        here = here[step]
    here[last] = text
    return one.model.model_validate(tree)


def _merge(weak: dict[str, Any], strong: dict[str, Any]) -> None:
    for key, value in strong.items():
        if isinstance(value, dict) and isinstance(weak.get(key), dict):
            _merge(weak[key], value)
        else:
            weak[key] = value


class Chain(ConfigTemplate):
    """Values that refer to one another."""

    links: list[int]


def follow_references(sizes: tuple[int, ...], seconds: float) -> Iterator[Row]:
    """A list in which every value refers to the one before it, written last to first to be met the long way."""
    fewer, more = (_chain(length) for length in sizes)
    assert Chain.compile(presets=[more]).params.links[0] == 1, "the chain is followed to its end"
    yield race(
        f"follow {sizes[1]:,} references against {sizes[0]:,}",
        partial(Chain.compile, presets=[more]),
        partial(Chain.compile, presets=[fewer]),
        seconds=seconds,
        target=15,
    )


def _chain(length: int) -> dict[str, object]:
    return {"links": [*(f"${{links[{number + 1}]}}" for number in range(length)), 1]}
