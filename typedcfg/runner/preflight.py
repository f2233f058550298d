"""What is seen to before anything of a run is made: a refusal later would leave it empty."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from typedcfg.compiler.config import Config
from typedcfg.errors import Problem, RecordError, RunError, TemplateError
from typedcfg.records.checkpoint_record import Manifest
from typedcfg.runner.asked import Asked, Beginning, Resume
from typedcfg.runner.given_checkpoint import check_there, given_checkpoint
from typedcfg.runner.launchers.base import Launcher
from typedcfg.runner.launchers.choose import choose_launcher
from typedcfg.runner.launchers.in_process import InProcess
from typedcfg.runner.launchers.lifeline import PARENT_VARIABLE
from typedcfg.runner.template_reference import check_loadable, refer_to
from typedcfg.sections.experiment import Experiment, undefined_builders

_EVERYWHERE: Final = ("auto", "cpu")
"""What can be computed on wherever Python runs, so that torch need not be asked."""


def beginning_of(resume: Resume, config: Config[Experiment]) -> Beginning:
    """What is to be begun with; to be asked before a folder is made, which a refusal would leave empty.

    Raises:
        RunError: There is nothing at the path, no checkpoint, or a run without one.
        RecordError: The checkpoint is not whole.
        ResumeRefused: It was trained with a configuration that means something else; each difference is named.
    """
    match resume:
        case "auto":
            return "auto"
        case "never":
            return "never"
    return given_checkpoint(_path_of(resume), config, check=verify_to_train)


def check_named(resume: Resume) -> None:
    """See to it that there is something at the path that is to be begun with, also where nothing is begun.

    Raises:
        RunError: There is nothing, or no checkpoint.
    """
    if resume not in {"auto", "never"}:
        check_there(_path_of(resume))


def _path_of(resume: Resume) -> Path:
    if resume == "":  # as a path it would be the current folder
        expected = "auto, never, a checkpoint, or the folder of a run"
        raise RunError(Problem("what to begin with is an empty text", expected=expected))
    return Path(resume)


def check_builders(experiment: Experiment) -> None:
    """See to it that there is something to train, before anything is made.

    Raises:
        TemplateError: A builder is not defined.
    """
    if problems := undefined_builders(type(experiment)):
        raise TemplateError(*problems)


def check_machine(config: Config[Experiment]) -> None:
    """See to it that there is what to compute on, before anything is made.

    Raises:
        RunError: The machine has no such accelerator.
    """
    if config.params.trainer.accelerator not in _EVERYWHERE:
        from typedcfg.runner.lightning.machine import check_accelerator

        check_accelerator(config)


def check_started_once() -> None:
    """See to it that no launcher started this process as one of several that each would own the run.

    Raises:
        RunError: torchrun did.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ and PARENT_VARIABLE not in os.environ:
        what = "torchrun started this process, and each that it starts would own the run"
        fix = "leave torchrun out: `typedcfg run APP trainer.devices=2` starts two processes itself"
        raise RunError(Problem(what, expected="one process, which starts the ranks", fix=fix))


def launcher_of(experiment: Experiment, asked: Asked) -> Launcher:
    """The launcher that an experiment asks for.

    Raises:
        RunError: It cannot start as many processes, or not for a class that stands where this one does.
    """
    launcher = choose_launcher(
        experiment.launch, devices=experiment.trainer.devices, nodes=experiment.trainer.num_nodes
    )
    if not isinstance(launcher, InProcess) and not asked.script:
        check_loadable(refer_to(type(experiment)))
    return launcher


def verifier_of(config: Config[Experiment]) -> Callable[[Path], Manifest]:
    """What tells that a checkpoint in a run's folder can be gone on with by the run of a configuration.

    One of another run, which was put there, is whole; and yet to be passed over.
    """

    def verify_own(checkpoint: Path) -> Manifest:
        manifest = verify_to_train(checkpoint)
        if not manifest.is_of(str(config.fingerprint)):
            what = f"checkpoint {checkpoint.name} is another run's: it was trained with another configuration"
            expected = f"one of the configuration with the fingerprint {config.fingerprint}"
            raise RecordError(Problem(what, where=str(checkpoint), expected=expected))
        return manifest

    return verify_own


def verify_to_train(checkpoint: Path) -> Manifest:
    """What tells that a checkpoint can be gone on with; asked by who is about to train, so torch may be imported."""
    from typedcfg.runner.lightning.safe_load import verify_loadable

    return verify_loadable(checkpoint)
