"""What a launcher is told to have done: one attempt at a run."""

from functools import partial
from typing import Any

from typedcfg.compiler.config import Config
from typedcfg.compiler.writing.secrets import secrets_in
from typedcfg.runner.importing import collector_paused
from typedcfg.runner.launchers.base import Work
from typedcfg.runner.run_book import versions
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.runner.secrets import secrets_variable
from typedcfg.sections.experiment import Experiment


def work_order(run: RunDir, attempt: AttemptDir, config: Config[Experiment], *, script: tuple[str, ...]) -> Work:
    """The work of an attempt.

    Args:
        run: The run.
        attempt: The attempt.
        config: The run's configuration.
        script: What follows the interpreter to start the user's script once more; empty to load the class instead.
    """
    return Work(
        run.path,
        attempt.path,
        partial(_train_here, run, attempt, config),
        script or ("-m", "typedcfg", "worker", str(run.path)),
        variables=secrets_variable(secrets_in(config.params)),
        same=same_of(config),
    )


def same_of(config: Config[Any]) -> dict[str, str]:
    """What has to be the same for all who train together, by its name."""
    return {
        "configuration": str(config.fingerprint),
        "code": str(config.identity.code_uuid),
        "launch": config.params.launch.kind,
        **versions(),
    }


def _train_here(run: RunDir, attempt: AttemptDir, config: Config[Experiment]) -> int:
    with collector_paused():
        from typedcfg.runner.lightning.worker import train
    train(run, attempt, config)
    return 0
