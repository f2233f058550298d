"""What every launcher promises, as tests to inherit."""

from pathlib import Path
from typing import Final

from typedcfg.runner.launchers.base import ATTEMPT_VARIABLE, RUN_VARIABLE, Launcher, Work

_WORKER: Final = f"""
import os, pathlib, sys
attempt = pathlib.Path(os.environ["{ATTEMPT_VARIABLE}"])
(attempt / ("told" + os.environ.get("RANK", "0"))).write_text(os.environ["{RUN_VARIABLE}"] + os.environ["TOLD"])
sys.exit(int(sys.argv[1]))
"""


class LauncherContract:
    """Inherit it in a class that pytest collects, and say what your launcher is.

    Example:
        >>> from typedcfg.runner.launchers.in_process import InProcess
        >>> class TestInProcess(LauncherContract):
        ...     def make_launcher(self) -> Launcher:
        ...         return InProcess()
    """

    def make_launcher(self) -> Launcher:
        """A launcher, of one worker or of several; called anew for each test."""
        raise NotImplementedError(f"{type(self).__qualname__}.make_launcher() returns the launcher that is tested")

    def test_the_work_is_done_when_a_launcher_returns(self, tmp_path: Path) -> None:
        code = self.make_launcher().launch(_work(tmp_path, code=0))

        assert code == 0, f"work that ends well ends with {code}"
        assert [*tmp_path.glob("attempt/told*")], "the launcher returns before its workers have done anything"

    def test_work_that_fails_is_told(self, tmp_path: Path) -> None:
        assert self.make_launcher().launch(_work(tmp_path, code=7)) != 0, "work that ends with 7 passes for done"

    def test_workers_are_told_all_that_they_need(self, tmp_path: Path) -> None:
        self.make_launcher().launch(_work(tmp_path, code=0))

        told = {file.read_text() for file in tmp_path.glob("attempt/told*")}
        assert told == {f"{tmp_path}more"}, f"workers need the variables of work.environment(), and have {told}"


def _work(run: Path, *, code: int) -> Work:
    """Work that leaves a file for each rank with what it was told, then ends with a code."""
    script, attempt = run / "worker.py", run / "attempt"
    script.write_text(_WORKER)
    attempt.mkdir()

    def call() -> int:
        (attempt / "told0").write_text(f"{run}more")
        return code

    return Work(run, attempt, call=call, command=(str(script), str(code)), variables={"TOLD": "more"})
