"""All ranks train one thing: the same attempt at the same run, with the same configuration."""

from lightning.pytorch import LightningModule, Trainer
from typing_extensions import override

from typedcfg.errors import Problem, RunError
from typedcfg.runner.lightning.callbacks.listener import Listener


class Agreement(Listener):
    """Compares, before anything is trained, what each rank believes with what rank 0 does."""

    def __init__(self, *, attempt: str, fingerprint: str) -> None:
        """Take what this rank believes.

        Args:
            attempt: The name of the attempt's folder.
            fingerprint: That of the configuration.
        """
        self._believes = {"attempt": attempt, "configuration": fingerprint}

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        told: dict[str, str] = trainer.strategy.broadcast(self._believes)
        differences = [
            f"{name}: {told[name]} in rank 0, {mine} in rank {trainer.global_rank}"
            for name, mine in self._believes.items()
            if told[name] != mine
        ]
        if differences:
            what = f"rank {trainer.global_rank} would train something else than rank 0"
            raise RunError(Problem(what, expected="\n".join(["the same in all ranks", *differences])))
