"""Comparing and explaining: what differs between two configurations, and why a value is what it is."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from compiling import compiled
from stopwatch import Row, race
from workload import workload

from typedcfg import Config, ConfigTemplate
from typedcfg.template.leaves import iter_leaves

_KEY = "named.part_0.loader.width_1"


def compare(sizes: tuple[int, ...], seconds: float) -> Iterator[Row]:
    """A diff of two configurations in which one value differs, and one explanation, against a walk that compares."""
    with TemporaryDirectory() as folder:
        for leaves in sizes:
            work = workload(leaves, Path(folder))
            one, other = compiled(work), work.template.compile(work.base, work.wide, overrides=[f"{_KEY}=18"])
            assert [difference.key for difference in one.diff(other)] == [_KEY], "they differ in one value"
            floor = partial(_walk, one, other)
            yield race(f"diff {leaves:,} leaves", partial(one.diff, other), floor, seconds=seconds, target=1)
            # Of which most is 6,500 lines of text.
            yield race(f"explain all of {leaves:,} leaves", one.explain, floor, seconds=seconds)
            yield race(
                f"explain one of {leaves:,} leaves", partial(one.explain, _KEY), floor, seconds=seconds, target=1
            )


def _walk(one: Config[ConfigTemplate], other: Config[ConfigTemplate]) -> int:
    pairs = zip(iter_leaves(one.params), iter_leaves(other.params), strict=True)
    return sum(leaf.value == twin.value for leaf, twin in pairs)
