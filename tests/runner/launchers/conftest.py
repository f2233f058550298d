import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from typedcfg.runner.launchers.base import Work

WORKER = """
import os, pathlib, signal, sys
from typedcfg.runner.launchers.lifeline import die_with_parent

die_with_parent()
attempt = pathlib.Path(os.environ["TYPEDCFG_ATTEMPT"])
rank = os.environ.get("RANK", "0")
(attempt / f"rank{rank}.new").write_text(str(os.getpid()))
(attempt / f"rank{rank}.new").rename(attempt / f"rank{rank}")
if sys.argv[1] == "wait":
    signal.pause()
sys.exit(int(sys.argv[1]) if rank == "0" else 0)
"""


@pytest.fixture
def work(tmp_path: Path) -> Callable[[str], Work]:
    """Work that leaves a file for each rank, then exits with a code, or waits to be killed."""
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    attempt = tmp_path / "attempt"
    attempt.mkdir()

    def make(what: str) -> Work:
        def call() -> int:
            (attempt / "rank0").write_text("here")
            return int(what)

        return Work(run=tmp_path, attempt=attempt, call=call, command=(str(script), what))

    return make


LAUNCH = """
import sys
from pathlib import Path
from typedcfg.runner.launchers.base import Work
from typedcfg.runner.launchers.torchrun import Torchrun

run, attempt, *command = sys.argv[1:]
sys.exit(Torchrun(processes=2).launch(Work(Path(run), Path(attempt), call=lambda: 0, command=tuple(command))))
"""


@pytest.fixture
def launch_command() -> Callable[[Work], list[str]]:
    """The command line of a process that launches two ranks."""
    return lambda work: [sys.executable, "-c", LAUNCH, str(work.run), str(work.attempt), *work.command]
