"""What every launcher does: start the workers of one attempt at a run, and wait for them."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

RUN_VARIABLE: Final = "TYPEDCFG_RUN"
"""The run's folder, told to every worker."""
ATTEMPT_VARIABLE: Final = "TYPEDCFG_ATTEMPT"
"""The attempt's folder, told to every worker: ranks that each asked the clock would not agree."""
THREADS_VARIABLE: Final = "TYPEDCFG_THREADS"
"""With how many threads a worker is to compute, told to it where that was asked for."""


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at a run, in both forms that launchers know: a call, and a command line."""

    run: Path
    attempt: Path
    call: Callable[[], int]
    """Does the work in this process; returns its exit code."""
    command: tuple[str, ...]
    """Does the work in a process of its own: what follows the interpreter, `("train.py", "lr=1")`."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What else a process of its own is told, secrets among it."""
    same: Mapping[str, str] = field(default_factory=dict)
    """What has to be the same for all who take part, by its name: the configuration, the code, versions."""

    def environment(self) -> dict[str, str]:
        """The environment of a worker in a process of its own."""
        return {**os.environ, RUN_VARIABLE: str(self.run), ATTEMPT_VARIABLE: str(self.attempt), **self.variables}


def asked_threads() -> int | None:
    """With how many threads this worker is to compute; None where nobody asked for a number."""
    threads = os.environ.get(THREADS_VARIABLE)
    return int(threads) if threads else None


class Launcher(Protocol):
    """Starts workers; `Work` tells them what to do."""

    def launch(self, work: Work) -> int:
        """Start the workers and wait until every one has ended.

        Returns:
            0 if all ended well, else the exit code of one that did not.
        """
        ...


@runtime_checkable
class JoiningLauncher(Launcher, Protocol):
    """A launcher of a group: started on every node, or for every rank, of which the first alone owns the run."""

    @property
    def is_first(self) -> bool:
        """Whether this is the one that owns the run, and launches; the others join."""
        ...

    def join(self, same: Mapping[str, str], work_of: Callable[[str], Work]) -> int:
        """Take part in what the first one launches, and wait until the whole group has ended.

        Args:
            same: What has to be the same for all.
            work_of: The work of the attempt of a name.

        Returns:
            0 if all ended well, else the exit code of one that did not.
        """
        ...
