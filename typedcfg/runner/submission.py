"""Hand a run in to SLURM: a script in the run's folder, and the command that puts it into the queue."""

import re
import shlex
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from typedcfg.compiler.config import Config
from typedcfg.compiler.writing.secrets import secrets_in
from typedcfg.errors import Problem, RunError
from typedcfg.runner.ownership import Ownership
from typedcfg.runner.recorded_config import config_text
from typedcfg.runner.run_dir import RunDir
from typedcfg.sections.launch import SlurmLaunch
from typedcfg.sections.trainer import Trainer
from typedcfg.storage import write_atomically

_TIMEOUT_S: Final = 60
_NOT_IN_A_NAME: Final = re.compile(r"[^\w.=+-]", re.ASCII)
"""What would end an option in a script's comment, or the comment; a person may have renamed the folder."""


class Submission(NamedTuple):
    """A job that was handed in, or could be."""

    script: Path
    command: tuple[str, ...]
    """What hands it in."""
    log: Path
    """What the job prints; `%j` stands for its number."""
    job: str | None = None
    """The job's number; None where it was not handed in."""


def submit_run(run: RunDir, config: Config[Any], app: tuple[str, ...], *, flags: tuple[str, ...] = ()) -> Submission:
    """Write what the job needs into the run's folder, and hand it in if the section `launch` says so.

    The job trains the configuration as it is now, whatever becomes of the files it was read from.

    Args:
        run: The run's folder.
        config: The run's configuration.
        app: What follows the interpreter up to the configuration's file.
        flags: What is asked for when the job begins, and not when it is queued once more: `--again`.

    Raises:
        RunOwned: The run is trained already.
        RunError: SLURM refuses the job.
    """
    launch, trainer = config.params.launch, config.params.trainer
    written, script, log = run.job_config, run.job_script, run.path / "slurm-%j.log"
    text = job_script(
        launch,
        trainer,
        name=run.path.name,
        command=(sys.executable, *app, str(written.absolute())),
        flags=flags,
    )
    with Ownership(run.lock):
        write_atomically(written, config_text(config).encode())
        write_atomically(script, text.encode())
    folder, escaped = str(Path.cwd()).replace("%", "%%"), str(run.path.absolute()).replace("%", "%%")
    command = ("sbatch", "--parsable", f"--chdir={folder}", f"--output={escaped}/{log.name}", str(script))
    return Submission(script, command, log, _submitted(command) if launch.submit else None)


def job_script(
    launch: SlurmLaunch, trainer: Trainer, *, name: str, command: tuple[str, ...], flags: tuple[str, ...] = ()
) -> str:
    """The script of a job.

    Args:
        launch: What is asked of the cluster.
        trainer: How many nodes and devices.
        name: The job's name.
        command: What each rank begins with.
        flags: What is added to it when the job begins, and not when it is queued once more.
    """
    options = {
        "job-name": _NOT_IN_A_NAME.sub("_", name),
        "nodes": trainer.num_nodes,
        "ntasks-per-node": trainer.devices,
        "partition": launch.partition,
        "account": launch.account,
        "time": None if launch.time is None else _time(launch.time),
        "cpus-per-task": launch.cpus_per_task,
        "mem": launch.mem,
        "gres": launch.gres,
        "signal": f"USR1@{launch.lead_time.total_seconds():.0f}",
        "open-mode": "append",
    }
    head = [f"#SBATCH --{option}={value}" for option, value in options.items() if value is not None]
    # A task that ends must not have the others killed that still save: they hear of it themselves.
    started = f"exec srun --kill-on-bad-exit=0 {shlex.join(command)}"
    first = f'if [ "${{SLURM_RESTART_COUNT:-0}}" -eq 0 ]; then\n  {started} {shlex.join(flags)}\nfi\n' if flags else ""
    requeue = "#SBATCH --requeue" if launch.requeue else "#SBATCH --no-requeue"
    return "\n".join(["#!/bin/bash", *head, requeue, *launch.lines, "", f"{first}{started}", ""])


def _time(time: timedelta) -> str:
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours // 24}-{hours % 24:02}:{minutes:02}:{seconds:02}"


def _submitted(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S)  # noqa: S603  # SLURM's own command
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", None) or error).strip()
        raise RunError(Problem(f"SLURM did not take the job: {said}", where=command[-1])) from error
    return done.stdout.strip().partition(";")[0]  # the cluster's name may follow


def check_submittable(config: Config[Any]) -> None:
    """See to it that a run can be handed in, before anything is made.

    Raises:
        RunError: A secret cannot reach the job, or there is no SLURM to hand it to.
    """
    given = {key: config.origin(key) for key in secrets_in(config.params) if config.origin(key) != "default"}
    problems = [
        Problem(
            f"the secret {key} would not reach the job, since no file may hold it",
            where=origin,
            fix="give it as a variable of the environment, which sbatch passes on",
        )
        for key, origin in given.items()
        if not origin.startswith("variable ")
    ]
    if config.params.launch.submit and shutil.which("sbatch") is None:
        fix = "give the command on a login node of the cluster, or set launch.submit=false to see the script"
        problems.append(Problem("sbatch is not installed here", fix=fix))
    if problems:
        raise RunError(*problems)
