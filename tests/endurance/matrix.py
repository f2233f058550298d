"""Whoever is killed, whenever: a table of runs that were, each compared with one that was not.

Run it as `python tests/endurance/matrix.py`; `--operations 40` kills at each of the first 40 operations of saves too.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lives import Outcome, finish, life


class Cell(NamedTuple):
    """Who gets which signal, and when."""

    ranks: int
    place: str
    number: signal.Signals
    whom: str

    def __str__(self) -> str:
        who = "1 process" if self.ranks == 1 else f"{self.ranks} ranks"
        return f"{who:<10} {self.place:<13} {self.number.name:<8} {self.whom}"


PLACES = ("start", "train:8", "train:9", "save:3", "save:9", "validation:1")
"""Where to pause: before any step, within an epoch with and without gradients that wait, in a save, in a validation."""
KILLED = {1: ("rank 0",), 2: ("rank 0", "rank 1", "all", "launcher")}
STOPPED = {1: ("rank 0",), 2: ("rank 0", "rank 1", "all")}


def cells(ranks: int, operations: int = 0) -> Iterator[Cell]:
    """Every cell of so many ranks; at each of so many operations of saves, all are killed at once."""
    for place in PLACES:
        for number, victims in ((signal.SIGKILL, KILLED), (signal.SIGTERM, STOPPED)):
            for whom in victims[ranks]:
                if not (whom == "rank 1" and place.startswith("save")):  # it pauses nowhere there: rank 0 writes
                    yield Cell(ranks, place, number, whom)
    for operation in range(1, operations + 1):
        yield Cell(ranks, f"save:{operation}", signal.SIGKILL, "all")


def disturbed(cell: Cell, folder: Path) -> tuple[int, Outcome]:
    """A run that was disturbed once: the exit code of its first life, and what it came to in its second."""
    with life(folder, ranks=cell.ranks, pause=cell.place) as first:
        first.send(cell.number, cell.whom)
        code = first.end()
    return code, finish(folder, ranks=cell.ranks)


def main() -> int:
    """Print the table; say by the exit code whether all outcomes are those of an undisturbed run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--operations", type=int, default=0)
    asked = parser.parse_args()
    is_well = True
    with tempfile.TemporaryDirectory() as top:
        for ranks in asked.ranks:
            calm = finish(Path(top) / f"calm-{ranks}", ranks=ranks)
            for number, cell in enumerate(cells(ranks, asked.operations)):
                code, found = disturbed(cell, Path(top) / f"{ranks}-{number}")
                is_same = found == calm
                is_well = is_well and is_same and code != 0
                print(f"{cell!s:<48} exit {code:>4}  {'bitwise the same' if is_same else 'DIFFERS'}", flush=True)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
