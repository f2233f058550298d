"""Saving: a checkpoint that is hashed, committed and made sure of, against `torch.save` and an fsync."""

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from stopwatch import Row, race


def save(megabytes: int, seconds: float) -> Iterator[Row]:
    """One checkpoint under a new name on the disk that this folder is on, and the one before removed."""
    with TemporaryDirectory(dir=Path(__file__).parent) as folder:
        checkpoint = _checkpoint(megabytes)
        subject, floor = _ours(checkpoint, Path(folder)), _floor(checkpoint, Path(folder))
        what = f"save {megabytes} MB (wall time)"
        yield race(what, subject, floor, seconds=seconds, target=1.3, clock=perf_counter)


def _checkpoint(megabytes: int) -> dict[str, Any]:
    import torch

    progress = {"ready": 1, "processed": 1}
    fit_loop = {"epoch_progress": {"current": progress}, "epoch_loop.batch_progress": {"current": progress}}
    weights = {f"layer_{number}": torch.randn(250_000) for number in range(megabytes)}
    return {"state_dict": weights, "global_step": 1, "loops": {"fit_loop": fit_loop}}


def _ours(checkpoint: dict[str, Any], folder: Path) -> Callable[[], None]:
    from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO

    plugin, steps = VerifiedCheckpointIO(), count(1)

    def write() -> None:
        step = next(steps)
        plugin.save_checkpoint(checkpoint, folder / f"step-{step:08d}.ckpt")
        (folder / f"step-{step - 1:08d}.ckpt").unlink(missing_ok=True)

    return write


def _floor(checkpoint: dict[str, Any], folder: Path) -> Callable[[], None]:
    import torch

    steps = count(1)

    def write() -> None:
        step = next(steps)
        with (folder / f"{step}.pt").open("wb") as file:
            torch.save(checkpoint, file)
            file.flush()
            os.fsync(file.fileno())
        (folder / f"{step - 1}.pt").unlink(missing_ok=True)

    return write
