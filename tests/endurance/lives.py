"""Runs that are killed, started again, and compared with one that was never disturbed."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import torch
from torch.distributed.checkpoint.format_utils import dcp_to_torch_save

from typedcfg.records.checkpoint_record import committed

APP: Final = Path(__file__).parent / "enduring.py"
PATIENCE: Final = 120.0
"""How long a life may take [s]."""


class Shape(NamedTuple):
    """How many processes a run has, and how they share the work."""

    ranks: int
    strategy: str

    def __str__(self) -> str:
        return "1 process" if self.ranks == 1 else f"{self.ranks} ranks {self.strategy}"

    @property
    def settings(self) -> tuple[str, ...]:
        """What the command line says of it."""
        return f"trainer.devices={self.ranks}", f"trainer.strategy={self.strategy}"


ALONE: Final = Shape(1, "auto")
COPIES: Final = Shape(2, "ddp")
PARTS: Final = Shape(2, "fsdp")


class Outcome(NamedTuple):
    """What a run came to."""

    state: str
    """A digest of the last checkpoint's weights, buffers, and of what its optimizer and scheduler keep."""
    results: tuple[str, ...]
    """The lines of its results, without the time at which each was written."""


Calm = Callable[[Shape], Outcome]
"""Gives what runs of a shape come to that nobody disturbs."""


class Launcher:
    """The process that was started for a run."""

    def __init__(self, zygote: "subprocess.Popen[bytes]") -> None:
        """Read of it from whom it was forked from."""
        assert zygote.stdout is not None
        self._told = zygote.stdout
        self._code: int | None = None
        self.pid = int(self._told.readline())

    def wait(self, seconds: float) -> int | None:
        """Its exit code, as soon as it has ended; None where it goes on for longer."""
        if self._code is None and select.select([self._told], [], [], seconds)[0]:
            self._code = int(self._told.readline())
        return self._code


class Life(NamedTuple):
    """A run that is going on: its launcher, in a session of its own."""

    folder: Path
    launcher: Launcher

    def send(self, number: int, whom: str, place: str, *, is_last: bool = False) -> None:
        """Send a signal, to `rank 1`, `launcher`, or `all`, when a rank pauses at a place.

        The rank goes on then, unless `is_last`: what was sent is to be all that it has yet to hear.

        Raises:
            TimeoutError: The run went on to its end, or never came to the place.
        """
        named, (kind, *ranks) = place.partition("@")[2], whom.split()
        self._await_pause(f"paused.{named or (ranks[0] if ranks else 0)}.{place}")
        match kind:
            case "launcher":
                os.kill(self.launcher.pid, number)
            case "all":
                for pid in session_of(self.folder):
                    with suppress(ProcessLookupError):
                        os.kill(pid, number)
            case "rank":
                os.kill(int((self.folder / f"process.{ranks[0]}").read_text()), number)
        if not is_last:
            (self.folder / f"sent.{place}").touch()

    def end(self) -> int:
        """Wait until nobody is left, and give the launcher's exit code."""
        code = self.launcher.wait(PATIENCE)
        assert code is not None, f"it goes on after {PATIENCE} s: {(self.folder / 'printed.txt').read_text()}"
        deadline = time.monotonic() + PATIENCE
        while living := session_of(self.folder):
            assert time.monotonic() < deadline, f"processes outlived their launcher: {living}"
            time.sleep(0.02)
        return code

    def _await_pause(self, name: str) -> None:
        mark = self.folder / name
        deadline = time.monotonic() + PATIENCE
        while not mark.exists():
            if time.monotonic() > deadline or self.launcher.wait(0) is not None:
                printed = (self.folder / "printed.txt").read_text()
                raise TimeoutError(f"{mark.name} never came, exit code {self.launcher.wait(0)}: {printed}")
            time.sleep(0.005)


class Zygote:
    """Starts lives in a fraction of a second each."""

    def __init__(self, *options: str) -> None:
        """Start with nothing imported if `--cold` is among the options."""
        self._options = options

    def __enter__(self) -> Self:
        path = os.pathsep.join([str(APP.parent), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, str(APP.with_name("zygote.py")), *self._options],
            bufsize=0,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    @contextmanager
    def life(self, folder: Path, *settings: str, pause: str = "", **variables: str) -> Iterator[Life]:
        """Start the run in a folder, or go on with it; `pause` says at which places."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(APP, folder)
        words = ["-m", "typedcfg", "run", "enduring.py:Enduring", *settings]
        assert self._process.stdin is not None
        self._process.stdin.write(
            json.dumps([str(folder), words, {"ENDURE_PAUSE": pause, **variables}]).encode() + b"\n"
        )
        launcher = Launcher(self._process)
        try:
            yield Life(folder, launcher)
        finally:
            while launcher.wait(0.01) is None or session_of(folder):
                for pid in session_of(folder):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

    def finish(self, folder: Path, *settings: str, **variables: str) -> Outcome:
        """Go on with a run until it is done, undisturbed."""
        with self.life(folder, *settings, **variables) as last:
            code = last.end()
        assert code == 0, (folder / "printed.txt").read_text()
        return outcome(folder)


def outcome(folder: Path) -> Outcome:
    """What the run in a folder came to."""
    attempt = _attempt(folder)
    lines = [json.loads(line) for line in (attempt / "results.jsonl").read_text().splitlines()]
    return Outcome(
        state=sha256(repr(list(_plain(_state(attempt / "checkpoints" / "latest.ckpt")))).encode()).hexdigest(),
        results=tuple(json.dumps({**line, "time": None}, sort_keys=True) for line in lines),
    )


def steps(folder: Path) -> list[int]:
    """The steps of the checkpoints that are committed."""
    return [manifest.step for manifest in committed(_attempt(folder) / "checkpoints").values()]


def operations(folder: Path) -> list[int]:
    """How many operations on the disk each rank needed for the save that was counted."""
    return [int(path.read_text()) for path in sorted(folder.glob("operations.*"))]


def _attempt(folder: Path) -> Path:
    return max(folder.glob("experiments/*/2*Z"))


def _state(checkpoint: Path) -> list[object]:
    if checkpoint.is_dir():
        # What torch itself reads of the parts, put together: all but what is in no part.
        with tempfile.NamedTemporaryFile() as whole:
            dcp_to_torch_save(checkpoint, whole.name)
            parts = torch.load(whole.name, weights_only=True)
        rest = torch.load(checkpoint / "meta.pt", weights_only=True)
        return [parts, rest["typedcfg_buffers"], rest["lr_schedulers"], rest["global_step"]]
    state = torch.load(checkpoint, weights_only=True)
    return [state["state_dict"], state["optimizer_states"], state["lr_schedulers"], state["global_step"]]


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
    """The living processes that work in a folder: whoever started them may be gone."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_zombie = (path / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            if not is_zombie and (path / "cwd").samefile(folder):
                found.append(int(path.name))
    return found
