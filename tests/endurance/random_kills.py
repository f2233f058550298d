"""Kill a run at random moments until it is done, again and again: `python tests/endurance/random_kills.py 200`."""

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from lives import ALONE, COPIES, PARTS, Shape, Zygote

SETTINGS: Final = ("trainer.max_epochs=6", "workers=1")
"""Long enough to be killed several times."""
SHAPES: Final = {shape.strategy: shape for shape in (ALONE, COPIES, PARTS)}
LONGEST_LIFE: Final = {ALONE: 1.5, COPIES: 5.0, PARTS: 5.0}
"""By when a life is ended at the latest, after it began [s]."""


class Tally(NamedTuple):
    """How often runs were killed, how many that made, and how many came out otherwise."""

    kills: int
    runs: int
    differing: int

    def __str__(self) -> str:
        return f"{self.kills} kills of {self.runs} runs: {self.runs - self.differing} came out bitwise the same"


def kill_at_random(kills: int, seed: int, top: Path, shape: Shape = ALONE) -> Tally:
    """Kill runs so many times, each until it gets to its end, and compare them with one that was left alone."""
    moments, settings = random.Random(seed), (*shape.settings, *SETTINGS)
    done, runs, differing = 0, 0, 0
    with Zygote() as zygote:
        calm = zygote.finish(top / "calm", *settings)
        while done < kills:
            folder = top / f"run-{runs}"
            code = None
            while done < kills and code is None:
                with zygote.life(folder, *settings) as life:
                    code = life.launcher.wait(moments.uniform(0, LONGEST_LIFE[shape]))
                done += code is None
            assert not code, (folder / "printed.txt").read_text()
            runs += 1
            differing += zygote.finish(folder, *settings) != calm
            shutil.rmtree(folder)
    return Tally(done, runs, differing)


def main() -> int:
    """Print what became of them; say by the exit code whether all came out the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shape", choices=list(SHAPES), default=ALONE.strategy)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as top:
        tally = kill_at_random(asked.kills, asked.seed, Path(top), SHAPES[asked.shape])
    print(tally)
    return 1 if tally.differing else 0


if __name__ == "__main__":
    sys.exit(main())
