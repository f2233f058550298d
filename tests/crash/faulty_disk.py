"""A disk that counts operations, and at one of them is refused, tears what is written, or ends the process."""

import os
import signal
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from typing_extensions import Buffer

from typedcfg.disk import Disk

Kind: TypeAlias = Literal["kill", "tear", "nul", "refuse", "half", "lost answer", "refuse from"]
"""What happens at an operation.

kill         the process is killed before it
tear         of a write, half arrives, then the process is killed
nul          of a write, NUL bytes arrive in its place, then the process is killed
refuse       it fails, and the next one is carried out
refuse from  it fails, and so do all after it
half         of a write, half arrives and it fails
lost answer  it is carried out, and is said to have failed
"""
ENDING: Final[tuple[Kind, ...]] = ("kill", "tear", "nul")
"""Kinds that end the process."""


class Fault(NamedTuple):
    """What happens, and when."""

    kind: Kind
    at: int
    """The operation, from 1."""
    error: int = 0
    """The number of the error that it fails with."""

    @property
    def is_for_writes(self) -> bool:
        """Whether it happens to what is written alone; any other operation goes well then."""
        return self.kind in {"tear", "nul", "half"}


class FaultyDisk(Disk):
    """The real disk, but for a fault. Nothing is fsynced: the processes die here, and the machine goes on."""

    def __init__(self, fault: Fault | None = None) -> None:
        self.fault = fault
        self.operations: list[str] = []

    def create(self, path: Path) -> int:
        self._meet(f"create {path.name}")
        return super().create(path)

    def open(self, path: Path) -> int:
        self._meet(f"open {path.name}")
        return super().open(path)

    def reopen(self, path: Path) -> int:
        self._meet(f"reopen {path.name}")
        return super().reopen(path)

    def write(self, descriptor: int, content: Buffer, at: int) -> int:
        if self._counts("write", for_writes=True):
            assert self.fault is not None
            whole = bytes(memoryview(content))
            super().write(descriptor, b"\0" * len(whole) if self.fault.kind == "nul" else whole[: len(whole) // 2], at)
            self._fail()
        return super().write(descriptor, content, at)

    def truncate(self, descriptor: int, length: int) -> None:
        self._meet("truncate")
        super().truncate(descriptor, length)

    def sync(self, descriptor: int) -> None:  # noqa: ARG002  # as the disk's
        self._meet("sync")

    def sync_folder(self, path: Path) -> None:
        self._meet(f"sync {path.name}/")

    def replace(self, source: Path, target: Path) -> None:
        self._meet(f"replace {target.name}")
        super().replace(source, target)
        self._lose("replace")

    def link(self, source: Path, name: Path) -> None:
        self._meet(f"link {name.name}")
        super().link(source, name)

    def point(self, name: Path, target: Path) -> None:
        self._meet(f"point {name.name}")
        super().point(name, target)

    def unlink(self, path: Path) -> None:
        self._meet(f"unlink {path.name}")
        super().unlink(path)

    def make_folder(self, path: Path) -> None:
        self._meet(f"make {path.name}/")
        super().make_folder(path)

    def remove_folder(self, path: Path) -> None:
        self._meet(f"remove {path.name}/")
        super().remove_folder(path)

    def wait(self, seconds: float) -> None:
        """Nobody waits in a test."""

    def _meet(self, operation: str) -> None:
        if self._counts(operation, for_writes=False):
            self._fail()

    def _counts(self, operation: str, *, for_writes: bool) -> bool:
        """Count an operation, and tell whether it is the one."""
        self.operations.append(operation)
        fault, number = self.fault, len(self.operations)
        if fault is None or fault.kind == "lost answer" or (fault.is_for_writes and not for_writes):
            return False
        if fault.kind == "refuse from":
            return number >= fault.at
        if number == fault.at and for_writes and not fault.is_for_writes:
            self._fail()
        return number == fault.at

    def _lose(self, operation: str) -> None:
        fault = self.fault
        if fault is not None and fault.kind == "lost answer" and len(self.operations) == fault.at:
            raise OSError(fault.error, f"{os.strerror(fault.error)} ({operation})")

    def _fail(self) -> None:
        assert self.fault is not None
        if self.fault.kind in ENDING:
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(self.fault.error, os.strerror(self.fault.error))
