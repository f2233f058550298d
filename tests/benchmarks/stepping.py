"""Training: what our callbacks cost in each step, and how much later the first step comes."""

import gc
import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import TYPE_CHECKING, Any, Final

from stopwatch import Row, least, race_processes

if TYPE_CHECKING:
    from lightning.pytorch import Callback

_APPS: Final = Path(__file__).parent / "apps"
_FIRST: Final = 20
"""Steps that are not measured: the first ones set things up."""
_WINDOW: Final = 100
"""Steps of which the mean is taken, and of these the least: what is done every 50 steps is in each of them."""
_WORK_S: Final = 0.001


def take_steps(steps: int, seconds: float) -> Iterator[Row]:
    """Steps of a trainer with our callbacks, against those of one without."""

    def measure(work_s: float = 0, metrics: int = 0) -> tuple[float, float]:
        return least(lambda runner: _step_s(steps, work_s, metrics, with_ours=runner == 1), seconds)

    logging.getLogger("typedcfg").addHandler(logging.NullHandler())  # that nothing was measured is no news here
    ours_s, theirs_s = measure()
    yield Row("an empty step", ours_s, theirs_s, 1 + 40e-6 / theirs_s)
    # What a step takes in all, of which Lightning's part is most of the empty one.
    yield Row("a step of 1 ms", *measure(max(0, _WORK_S - theirs_s)), 1.03)
    yield Row("a step with 6 metrics, returned, not logged", *measure(metrics=6), 1)


def reach_first_step(seconds: float) -> Iterator[Row]:
    """From the start of a process to a training's first step."""
    with TemporaryDirectory() as folder:
        environment = {
            # Bytecode is kept where it is looked for: to make that of all of torch once more takes long.
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPATH": str(_APPS),
            "TMPDIR": folder,
        }
        ours, theirs = (["-c", f"from first_step import {name}; {name}()"] for name in ("typed", "plain"))
        yield race_processes("start to first step", ours, theirs, seconds=seconds, environment=environment, target=1.05)


def _step_s(steps: int, work_s: float, metrics: int, *, with_ours: bool) -> float:
    """What one step takes, of many in one training, which returns its metrics to ours and logs them else [s of CPU]."""
    import torch
    from lightning.pytorch import LightningModule, Trainer
    from torch.utils.data import DataLoader, TensorDataset

    from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO
    from typedcfg.runner.lightning.quiet import quiet

    class Stepping(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))
            self.began: list[float] = []

        def training_step(self, *_: object) -> dict[str, Any]:
            self.began.append(process_time())
            while process_time() < self.began[-1] + work_s:
                pass
            loss = self.weight.sum()
            measured = {f"train/{number or 'loss'}": loss for number in range(metrics)}
            if not with_ours:
                self.log_dict(measured, on_step=False, on_epoch=True, batch_size=1)
            return {"loss": loss, "metrics": measured}

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    torch.set_num_threads(1)
    window = min(steps, _WINDOW)
    gc.collect()
    with TemporaryDirectory() as folder, quiet():
        trainer = Trainer(
            max_epochs=1,
            accelerator="cpu",
            callbacks=_ours(Path(folder)) if with_ours else [],
            plugins=[VerifiedCheckpointIO()],
            logger=False,
            enable_checkpointing=with_ours,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        module = Stepping()
        trainer.fit(module, DataLoader(TensorDataset(torch.zeros(_FIRST + steps + 1, 1)), batch_size=1))
    began = module.began[_FIRST:]
    return min((began[first + window] - began[first]) / window for first in range(0, steps - window + 1, window))


def _ours(folder: Path) -> "list[Callback]":
    """All that a run listens with, saving at the end alone."""
    from typedcfg.runner.lightning.callbacks.agreement import Agreement
    from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
    from typedcfg.runner.lightning.callbacks.epoch_lines import EpochLines
    from typedcfg.runner.lightning.callbacks.finite import FiniteWatch
    from typedcfg.runner.lightning.callbacks.pulse import Pulse
    from typedcfg.runner.lightning.callbacks.recorder import Recorder
    from typedcfg.runner.lightning.callbacks.step_lines import StepLines
    from typedcfg.runner.lightning.exact import ExactState

    recorder, stream = Recorder(folder), io.StringIO()
    policy = CheckpointPolicy(recorder)
    return [
        Agreement(attempt="benchmark", fingerprint="none"),
        FiniteWatch(),
        recorder,
        policy,
        ExactState(seed=1),
        EpochLines(recorder, stream=stream),
        StepLines(stream=stream),
        Pulse(save=policy.save, begin_save=policy.begin_save, wants_save=policy.wants_save),
    ]
