"""Kill a run at random moments until it is done, again and again: `python tests/endurance/random_kills.py 200`."""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from lives import APP, Outcome, outcome

SETTINGS: Final = ("trainer.max_epochs=6", "workers=1")
"""Long enough to be killed several times."""
LONGEST_LIFE: Final = 1.5
"""By when a life is ended at the latest, after it began [s]."""


class Tally(NamedTuple):
    """How often runs were killed, how many that made, and how many came out otherwise."""

    kills: int
    runs: int
    differing: int

    def __str__(self) -> str:
        return f"{self.kills} kills of {self.runs} runs: {self.runs - self.differing} came out bitwise the same"


class Zygote:
    """Starts lives in a fraction of a second each."""

    def __enter__(self) -> Self:
        path = os.pathsep.join([str(APP.parent), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, str(APP.with_name("zygote.py"))],
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def live(self, folder: Path, *, until: float | None) -> int | None:
        """Live once in a folder, for so long [s] at the most; the exit code, None where it was killed."""
        ended = folder / "ended"
        ended.unlink(missing_ok=True)
        words = ["run", "enduring.py:Enduring", *SETTINGS]
        child = int(self._ask(json.dumps([str(folder), words])))
        deadline = None if until is None else time.monotonic() + until
        while not ended.exists() and (deadline is None or time.monotonic() < deadline):
            time.sleep(0.002)
            if not Path(f"/proc/{child}").exists():
                break
        is_killed = not ended.exists()
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        assert self._read() == "gone"
        return None if is_killed else int(ended.read_text() or -1)

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)
        return self._read()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def kill_at_random(kills: int, seed: int, top: Path) -> Tally:
    """Kill runs so many times, each until it gets to its end, and compare them with one that was left alone."""
    moments = random.Random(seed)
    done, runs, differing = 0, 0, 0
    with Zygote() as zygote:
        calm = _outcome(zygote, _folder(top / "calm"))
        while done < kills:
            folder = _folder(top / f"run-{runs}")
            while done < kills and zygote.live(folder, until=moments.uniform(0, LONGEST_LIFE)) is None:
                done += 1
            runs += 1
            differing += _outcome(zygote, folder) != calm
            shutil.rmtree(folder)
    return Tally(done, runs, differing)


def _outcome(zygote: Zygote, folder: Path) -> Outcome:
    code = zygote.live(folder, until=None)
    assert code == 0, (folder / "printed.txt").read_text()
    return outcome(folder)


def _folder(path: Path) -> Path:
    path.mkdir()
    shutil.copy(APP, path)
    return path


def main() -> int:
    """Print what became of them; say by the exit code whether all came out the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as top:
        tally = kill_at_random(asked.kills, asked.seed, Path(top))
    print(tally)
    return 1 if tally.differing else 0


if __name__ == "__main__":
    sys.exit(main())
