"""The machine: whether it has what a configuration wants to compute on."""

from typing import Any

import torch

from typedcfg.compiler.config import Config
from typedcfg.errors import Problem, RunError


def check_accelerator(config: Config[Any]) -> None:
    """See to it that the machine has the accelerator, before anything is made.

    Raises:
        RunError: It has not.
    """
    wanted = config.params.trainer.accelerator
    has_mps = torch.backends.mps.is_available()
    found = {"cpu": True, "gpu": torch.cuda.is_available() or has_mps, "mps": has_mps}
    if not found.get(wanted, True):
        has = ", ".join(name for name, is_there in found.items() if is_there)
        raise RunError(
            Problem(
                f"trainer.accelerator is {wanted}, and this machine has none that torch {torch.__version__} can use",
                where=config.origin("trainer.accelerator"),
                expected=f"auto, or what is there: {has}",
                fix="trainer.accelerator=auto takes the best that there is",
            )
        )
