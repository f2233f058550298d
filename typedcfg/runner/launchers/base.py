"""What every launcher does: start the workers of one attempt at a run, and wait for them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

RUN_VARIABLE: Final = "TYPEDCFG_RUN"
"""The run's folder, told to every worker."""
ATTEMPT_VARIABLE: Final = "TYPEDCFG_ATTEMPT"
"""The attempt's folder, told to every worker: ranks that each asked the clock would not agree."""


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at a run, in both forms that launchers know: a call, and a command line."""

    run: Path
    attempt: Path
    call: Callable[[], int]
    """Does the work in this process; returns its exit code."""
    command: tuple[str, ...]
    """Does the work in a process of its own: what follows the interpreter, `("train.py", "lr=1")`."""

    def environment(self) -> dict[str, str]:
        """The environment of a worker in a process of its own."""
        return {**os.environ, RUN_VARIABLE: str(self.run), ATTEMPT_VARIABLE: str(self.attempt)}


class Launcher(Protocol):
    """Starts workers; `Work` tells them what to do."""

    def launch(self, work: Work) -> int:
        """Start the workers and wait until every one has ended.

        Returns:
            0 if all ended well, else the exit code of one that did not.
        """
        ...
