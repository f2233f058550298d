"""A few cells of the table that `python tests/endurance/matrix.py` prints."""

import signal
from pathlib import Path

import pytest
from lives import Outcome, finish
from matrix import Cell, disturbed

pytestmark = [pytest.mark.slow, pytest.mark.multiprocess]

CELLS = [
    Cell(1, "train:8", signal.SIGKILL, "rank 0"),
    Cell(1, "save:9", signal.SIGKILL, "rank 0"),
    Cell(1, "validation:1", signal.SIGTERM, "rank 0"),
    Cell(2, "start", signal.SIGKILL, "launcher"),
    Cell(2, "train:9", signal.SIGKILL, "rank 1"),
    Cell(2, "train:9", signal.SIGTERM, "rank 1"),
    Cell(2, "save:9", signal.SIGKILL, "rank 0"),
]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Outcome]:
    """What runs come to that nobody disturbs, by their ranks."""
    return {ranks: finish(tmp_path_factory.mktemp("calm") / str(ranks), ranks=ranks) for ranks in (1, 2)}


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_whoever_is_killed_the_run_comes_to_the_same_end(cell: Cell, calm: dict[int, Outcome], tmp_path: Path) -> None:
    code, found = disturbed(cell, tmp_path / "run")

    assert code == 143 if cell.number == signal.SIGTERM else code != 0
    assert found == calm[cell.ranks]
