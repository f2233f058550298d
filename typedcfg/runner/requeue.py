"""Ask SLURM to put this job into its queue once more."""

import logging
import os
import subprocess
from functools import cache
from typing import Final

from typedcfg.runner.launchers.lifeline import PARENT_VARIABLE

_TIMEOUT_S: Final = 20
_log: Final = logging.getLogger(__name__)


def requeue() -> None:
    """Ask for it once, where this is a job of SLURM's; that it is refused is told, and ends nothing.

    A worker leaves it to the owner of the run, which has recorded by then why it stopped: SLURM ends the job for it.
    """
    job = _job()
    if job is not None and PARENT_VARIABLE not in os.environ:
        _queue(job)


@cache
def _queue(job: str) -> None:
    try:
        subprocess.run(["scontrol", "requeue", job], check=True, capture_output=True, timeout=_TIMEOUT_S)  # noqa: S603, S607  # SLURM's own command, wherever a cluster keeps it
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or b""
        _log.warning("SLURM does not queue job %s once more: %s %s", job, error, said.decode(errors="replace").strip())
    else:
        _log.info("SLURM queues job %s once more", job)


def _job() -> str | None:
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID")
