"""What every process of a group does but the first: take part in an attempt that the owner of the run makes."""

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from typedcfg.compiler.config import Config
from typedcfg.errors import Problem, RunError, RunFailed
from typedcfg.runner.ending import bad_end
from typedcfg.runner.launchers.base import JoiningLauncher, Work
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.runner.stop_signals import stops_raise
from typedcfg.runner.work_order import same_of, work_order

_PATIENCE_S: Final = 30.0
"""How long a shared file system may take to show what was made on another machine."""
_RETRY_S: Final = 0.2
_log: Final = logging.getLogger(__name__)


def join_run(
    find: Callable[[], RunDir | None],
    config: Config[Any],
    launcher: JoiningLauncher,
    *,
    script: tuple[str, ...],
    restarts: int,
) -> None:
    """Take part until the run is done, or fails once more than it may.

    Args:
        find: The run's folder, once the owner has made it.
        config: The run's configuration.
        launcher: Starts this member's processes.
        script: What follows the interpreter to start the user's script once more; empty to load the class instead.
        restarts: How often the owner begins once more after a failure.

    Raises:
        RunError: The owner did not answer, or refuses this process.
        RunFailed: A process of the training came to a bad end, or the owner was lost.
        Preempted: The training was asked to stop.
    """

    def work_of(attempt: str) -> Work:
        run = _shared(find, attempt, config)
        return work_order(run, AttemptDir(run.path / attempt), config, script=script)

    try:
        with stops_raise():
            code = launcher.join(same_of(config), work_of)
        if code:
            run = find()
            assert run is not None, "what ended had begun"
            raise bad_end(RunBook(run), run.attempts()[-1], code)
    except RunFailed as error:
        if not restarts:
            raise
        _log.warning("joins once more, %s left: %s", restarts - 1, error)
        join_run(find, config, launcher, script=script, restarts=restarts - 1)


def _shared(find: Callable[[], RunDir | None], attempt: str, config: Config[Any]) -> RunDir:
    deadline = time.monotonic() + _PATIENCE_S
    while (run := find()) is None or not (run.path / attempt).is_dir():
        if time.monotonic() > deadline:
            what = "the attempt that the owner of the run has made is not here"
            root = config.params.run.project_root
            fix = "set run.project_root to a folder on a file system that all share"
            raise RunError(Problem(what, where=str(root.absolute()), expected=attempt, fix=fix))
        time.sleep(_RETRY_S)
    return run
