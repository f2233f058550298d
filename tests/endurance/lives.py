"""Runs that are killed, started again, and compared with one that was never disturbed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch

APP: Final = Path(__file__).parent / "enduring.py"
PATIENCE: Final = 120.0
"""How long a life may take [s]."""


class Outcome(NamedTuple):
    """What a run came to."""

    weights: str
    """A digest of the last checkpoint's weights, and of what its optimizer and scheduler keep."""
    results: tuple[str, ...]
    """The lines of its results, without the time at which each was written."""


class Life(NamedTuple):
    """A run that is going on: its launcher, in a session of its own."""

    folder: Path
    launcher: "subprocess.Popen[bytes]"
    ranks: int

    def pid(self, rank: int) -> int:
        """The process of a rank, as soon as that pauses.

        Raises:
            TimeoutError: The run went on to its end, or never came to the place.
        """
        mark = self.folder / f"paused.{rank}"
        deadline = time.monotonic() + PATIENCE
        while not mark.exists():
            if time.monotonic() > deadline or self.launcher.poll() is not None:
                raise TimeoutError(f"{mark.name} never came: {self.launcher.poll()}")
            time.sleep(0.005)
        return int(mark.read_text())

    def send(self, number: int, whom: str) -> None:
        """Send a signal, to `rank 1`, `launcher`, or `all`, when rank 0 pauses."""
        first = self.pid(0)
        match whom.split():
            case ["launcher"]:
                self.launcher.send_signal(number)
            case ["all"]:
                os.killpg(self.launcher.pid, number)
                # Whoever was started in a session of its own is not in the group.
                for pid in {first, *descendants(self.launcher.pid)}:
                    with suppress(ProcessLookupError):
                        os.kill(pid, number)
            case ["rank", rank]:
                os.kill(self.pid(int(rank)), number)

    def end(self) -> int:
        """Wait until nobody is left, and give the launcher's exit code."""
        code = self.launcher.wait(PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while living := session_of(self.folder):
            assert time.monotonic() < deadline, f"processes outlived their launcher: {living}"
            time.sleep(0.02)
        return code


@contextmanager
def life(folder: Path, *, ranks: int, pause: str = "", settings: Sequence[str] = ()) -> Iterator[Life]:
    """Start the run in a folder, or go on with it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(APP, folder)
    command = [sys.executable, "-m", "typedcfg", "run", "enduring.py:Enduring", f"trainer.devices={ranks}", *settings]
    environment = {**os.environ, "ENDURE_PAUSE": pause, "OMP_NUM_THREADS": "1", "ENDURE_FOLDER": str(folder)}
    with (
        (folder / "printed.txt").open("ab") as printed,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=printed, stderr=printed, start_new_session=True
        ) as launcher,
    ):
        try:
            yield Life(folder, launcher, ranks)
        finally:
            for pid in session_of(folder):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def finish(folder: Path, *, ranks: int, settings: Sequence[str] = ()) -> Outcome:
    """Go on with a run until it is done, undisturbed."""
    with life(folder, ranks=ranks, settings=settings) as last:
        code = last.end()
    assert code == 0, (folder / "printed.txt").read_text()
    return outcome(folder)


def outcome(folder: Path) -> Outcome:
    """What the run in a folder came to."""
    attempt = max(folder.glob("experiments/*/2*Z"))
    state = torch.load(attempt / "checkpoints" / "latest.ckpt", weights_only=True)
    kept = [state["state_dict"], state["optimizer_states"], state["lr_schedulers"], state["global_step"]]
    lines = [json.loads(line) for line in (attempt / "results.jsonl").read_text().splitlines()]
    return Outcome(
        weights=sha256(repr(list(_plain(kept))).encode()).hexdigest(),
        results=tuple(json.dumps({**line, "time": None}, sort_keys=True) for line in lines),
    )


def _plain(value: Any) -> Iterator[object]:
    """Every bit of a nest of tensors and plain values, in order."""
    if isinstance(value, torch.Tensor):
        yield value.dtype, tuple(value.shape), value.contiguous().view(-1).view(torch.uint8).numpy().tobytes()
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            yield str(key)
            yield from _plain(value[key])
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _plain(one)
    else:
        yield repr(value)


def session_of(folder: Path) -> list[int]:
    """The living processes that work in a folder, found by their environment: whoever started them may be gone."""
    wanted = f"ENDURE_FOLDER={folder}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_zombie = (path / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            if not is_zombie and wanted in (path / "environ").read_bytes().split(b"\0"):
                found.append(int(path.name))
    return found


def descendants(pid: int) -> list[int]:
    """The processes below another."""
    children = [int(c) for path in Path(f"/proc/{pid}/task").glob("*/children") for c in path.read_text().split()]
    return [*children, *(below for child in children for below in descendants(child))]
