"""A real file system that is small, or may not be written to."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class SmallDisk:
    """A file system of its own, mounted for a test."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self, *, leave: int) -> None:
        """Write until so much is left [bytes]; a little less may be left."""
        with (self.path / "filler").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                file.truncate(max(0, file.tell() - leave))

    def empty(self) -> None:
        """Take away what filled it."""
        (self.path / "filler").unlink()

    def make_read_only(self) -> None:
        """Refuse every write from now."""
        _mount("-o", "remount,ro", str(self.path))


@contextmanager
def mounted(path: Path, *, size: str) -> Iterator[SmallDisk]:
    """A file system in memory; the test is skipped where none can be mounted."""
    path.mkdir()
    refusal = _refusal("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path))
    if refusal:
        pytest.skip(f"no file system can be mounted here: {refusal}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _refusal(*arguments: str) -> str:
    """Why a file system cannot be mounted; empty where it was."""
    if sys.platform != "linux":
        return "this is not Linux"
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "there is no command mount"
    return done.stderr.strip() if done.returncode else ""
