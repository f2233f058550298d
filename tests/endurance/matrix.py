"""Whoever is killed, whenever: runs that were, each compared with one that was not, and a table of how many there were.

Run it as `python tests/endurance/matrix.py`; `python tests/endurance/matrix.py fsdp` tries one of the three shapes.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from lives import ALONE, COPIES, PARTS, Outcome, Shape, Zygote, operations


class Cell(NamedTuple):
    """Who gets which signal, and when."""

    shape: Shape
    place: str
    number: signal.Signals
    whom: str

    def __str__(self) -> str:
        return f"{self.shape!s:<12} {self.place:<13} {self.number.name:<8} {self.whom}"


SHAPES: Final = {shape.strategy: shape for shape in (ALONE, COPIES, PARTS)}
MOMENTS: Final = {
    "start": "before the first step",
    "train:8": "within an epoch, between two steps",
    "train:9": "within an epoch, among batches that make one step",
    "save": "in a save, at each operation on the disk",
    "validation": "in a validation",
}
PLACES: Final = ("start", "train:8", "train:9", "save:20@0", "save:30@0", "validation:1")
"""Where to pause: before any step, within an epoch with and without gradients that wait, in a save, in a validation."""
_SAME: Final = "bitwise the same"
NUMBERS: Final = (signal.SIGKILL, signal.SIGTERM)


def cells(shape: Shape, counted: Sequence[int]) -> Iterator[Cell]:
    """Every cell of a shape; each rank is killed before each of the operations that were counted in a save."""
    victims = ("rank 0",) if shape.ranks == 1 else ("rank 0", "rank 1", "all", "launcher")
    for place in PLACES:
        for number in NUMBERS:
            yield from (Cell(shape, place, number, whom) for whom in victims)
    for rank, last in enumerate(counted):
        places = [f"save:{operation}@{rank}" for operation in range(1, last + 1)]
        yield from (Cell(shape, place, signal.SIGKILL, f"rank {rank}") for place in places if place not in PLACES)


def disturbed(zygote: Zygote, cell: Cell, folder: Path) -> tuple[int, Outcome]:
    """A run that was disturbed once: the exit code of its first life, and what it came to in its second."""
    with zygote.life(folder, *cell.shape.settings, pause=cell.place) as first:
        first.send(cell.number, cell.whom, cell.place)
        code = first.end()
    return code, zygote.finish(folder, *cell.shape.settings)


def _told(zygote: Zygote, cell: Cell, folder: Path, calm: Outcome) -> str:
    try:
        code, found = disturbed(zygote, cell, folder)
    except (AssertionError, TimeoutError) as error:
        return f"{type(error).__name__}: {error}"
    if code == 0:
        return "exit    0  NOT DISTURBED"
    return f"exit {code:>4}  {_SAME if found == calm else 'DIFFERS'}"


def table(found: Mapping[Cell, bool]) -> Iterator[str]:
    """How many cells came out well, by the moment and the shape, in Markdown."""
    shapes = list(dict.fromkeys(cell.shape for cell in found))
    yield f"| disturbed | {' | '.join(map(str, shapes))} |"
    yield "|---|" + "---|" * len(shapes)
    for place, moment in MOMENTS.items():
        of_all = [
            [is_same for cell, is_same in found.items() if cell.shape == shape and cell.place.startswith(place)]
            for shape in shapes
        ]
        yield f"| {moment} | {' | '.join(f'{sum(same)} of {len(same)}' for same in of_all)} |"


def main() -> int:
    """Print each cell, and the table; say by the exit code whether all outcomes are those of an undisturbed run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shapes", nargs="*", metavar="STRATEGY", help="of these alone: auto, ddp, fsdp")
    found: dict[Cell, bool] = {}
    with tempfile.TemporaryDirectory() as top, Zygote() as zygote:
        for name in parser.parse_args().shapes or SHAPES:
            shape, folder = SHAPES[name], Path(top) / name
            calm = zygote.finish(folder, *shape.settings)
            for cell in cells(shape, operations(folder)):
                told = _told(zygote, cell, Path(top) / f"{name}-{len(found)}", calm)
                found[cell] = told.endswith(_SAME)
                print(f"{cell!s:<44} {told}", flush=True)
    print(*table(found), sep="\n")
    return 0 if all(found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
