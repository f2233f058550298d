"""What of a configuration counts where a loop of one's own trains, and what does not."""

import logging
from typing import Any, Final

from typedcfg.compiler.config import Config
from typedcfg.errors import Problem, RunError
from typedcfg.runner.process import Process
from typedcfg.sections.experiment import Experiment
from typedcfg.sections.scaling import processes
from typedcfg.sections.trainer import Trainer

FIT_ALONE: Final = ("checkpoint.", "launch.", "logging.log_interval", "logging.progress", "run.hang_timeout")
"""How settings begin that count for `Runner.fit` alone: for what saves, starts processes, shows and watches there."""

_log: Final = logging.getLogger(__name__)


def check_processes(trainer: Trainer, process: Process) -> None:
    """See to it that there are as many processes as are configured: their number is part of what the run is.

    Raises:
        RunError: There are more, or fewer.
    """
    found, wanted = process.world_size, processes(trainer)
    if found == wanted:
        return
    nodes = f"--nnodes={trainer.num_nodes} " if trainer.num_nodes > 1 else ""
    start = f"start it with `torchrun {nodes}--nproc-per-node={trainer.devices}`" if wanted > 1 else "start it once"
    instead = "" if found % trainer.num_nodes else f", or set trainer.devices={found // trainer.num_nodes}"
    raise RunError(
        Problem(
            f"the processes of this loop are {found}, and trainer.devices={trainer.devices} on "
            f"trainer.num_nodes={trainer.num_nodes} makes {wanted}",
            expected="a process for each device",
            fix=start + instead,
        )
    )


def tell_of_unheeded(config: Config[Any]) -> None:
    """Tell of settings that were made, and that count for `Runner.fit` alone."""
    usual = Experiment.compile()
    unheeded = [
        f"{key} ({config.origin(key)})"
        for key, value in config.leaves()
        if key.startswith(FIT_ALONE) and key in usual and value != usual[key]
    ]
    if unheeded:
        _log.warning("init_env does nothing with what counts for fit() alone: %s", ", ".join(unheeded))
