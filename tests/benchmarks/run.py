"""Print what typedcfg costs beside what one would write by hand: `python tests/benchmarks/run.py [NAME ...]`."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from comparing import compare
from compiling import compile_files, follow_references
from processes import start_processes
from reading import fingerprint, read_attributes
from resolving import resolve_references
from saving import save
from stepping import reach_first_step, take_steps
from stopwatch import Row


class Effort(NamedTuple):
    """How much to measure."""

    leaves: tuple[int, ...]
    links: tuple[int, ...]
    megabytes: int
    steps: int
    seconds: float
    """For each row; 0 measures everything once."""


FULL: Final = Effort(leaves=(65, 650, 6_500, 65_000), links=(1_000, 10_000), megabytes=40, steps=1_000, seconds=5)
QUICK: Final = Effort(leaves=(65, 650), links=(10, 100), megabytes=1, steps=1, seconds=0)

BENCHMARKS: Final[dict[str, Callable[[Effort], Iterable[Row]]]] = {
    "compile": lambda effort: compile_files(effort.leaves, effort.seconds),
    "references": lambda effort: follow_references(effort.links, effort.seconds),
    "resolve": lambda effort: resolve_references(effort.links, effort.seconds),
    "attributes": lambda effort: read_attributes(effort.seconds),
    "fingerprint": lambda effort: fingerprint(effort.leaves[:3], effort.seconds),
    "diff": lambda effort: compare(effort.leaves[2:3] or effort.leaves[:1], effort.seconds),
    "save": lambda effort: save(effort.megabytes, effort.seconds),
    "steps": lambda effort: take_steps(effort.steps, effort.seconds),
    "start": lambda effort: reach_first_step(effort.seconds),
    "processes": lambda effort: start_processes(effort.seconds),
}


def main(arguments: list[str]) -> None:
    """Measure and print, a line as soon as it is known."""
    parser = ArgumentParser(description="What typedcfg costs beside what one would write by hand.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(BENCHMARKS)}; all")
    parser.add_argument("--quick", action="store_true", help="run everything once, small: it works, and says nothing")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    print(_cells("what", "it", "the floor", "ratio", "target"))
    print(_cells("---", "--:", "--:", "--:", "--:"))
    for name in options.names or BENCHMARKS:
        for row in BENCHMARKS[name](QUICK if options.quick else FULL):
            print(_line(row), flush=True)


def _line(row: Row) -> str:
    target = "" if row.target is None else f"{row.target:.3g}"
    return _cells(row.what, _duration(row.subject_s), _duration(row.floor_s), f"{row.ratio:.2f}", target)


def _cells(what: str, subject: str, floor: str, ratio: str, target: str) -> str:
    return f"| {what:<44} | {subject:>7} | {floor:>9} | {ratio:>5} | {target:>6} |"


def _duration(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, size in {"s": 1.0, "ms": 1e-3, "us": 1e-6}.items():
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


if __name__ == "__main__":
    main(sys.argv[1:])
