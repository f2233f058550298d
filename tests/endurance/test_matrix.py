"""A few cells of the table that `python tests/endurance/matrix.py` prints."""

import signal
from pathlib import Path

import pytest
from lives import ALONE, COPIES, PARTS, Calm, Zygote
from matrix import Cell, disturbed

pytestmark = [pytest.mark.slow, pytest.mark.multiprocess]

KILL, TERM = signal.SIGKILL, signal.SIGTERM
CELLS = [
    Cell(ALONE, "train:8", KILL, "rank 0"),
    Cell(ALONE, "save:20@0", KILL, "rank 0"),
    Cell(ALONE, "validation:1", TERM, "rank 0"),
    Cell(COPIES, "start", KILL, "launcher"),
    Cell(COPIES, "train:9", KILL, "rank 1"),
    Cell(COPIES, "train:9", TERM, "rank 1"),
    Cell(COPIES, "save:20@0", KILL, "rank 0"),
    Cell(COPIES, "save:20@0", TERM, "rank 1"),
    Cell(PARTS, "train:9", TERM, "rank 1"),
    Cell(PARTS, "save:3@1", KILL, "rank 1"),
    Cell(PARTS, "save:41@0", KILL, "rank 0"),
    Cell(PARTS, "save:46@0", KILL, "launcher"),
]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_whoever_is_killed_the_run_comes_to_the_same_end(
    cell: Cell, zygote: Zygote, calm: Calm, tmp_path: Path
) -> None:
    code, found = disturbed(zygote, cell, tmp_path / "run")

    assert code == 143 if cell.number == TERM else code != 0
    assert found == calm(cell.shape)


@pytest.mark.parametrize("whom", ["rank 0", "launcher"])
def test_a_kill_leaves_no_orphan_of_interpreters_started_anew(
    whom: str, zygote: Zygote, calm: Calm, tmp_path: Path
) -> None:
    with Zygote("--cold") as cold, cold.life(tmp_path / "run", *COPIES.settings, pause="train:9") as life:
        life.send(KILL, whom, "train:9")
        code = life.end()

    assert code != 0
    assert zygote.finish(tmp_path / "run", *COPIES.settings) == calm(COPIES)
