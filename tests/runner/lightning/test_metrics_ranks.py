"""What two ranks logged is put together where one of them asks first, as Lightning's progress bar does."""

from pathlib import Path

import pytest

from typedcfg.runner.launchers.base import Work
from typedcfg.runner.launchers.torchrun import Torchrun

pytestmark = [pytest.mark.multiprocess, pytest.mark.slow]

SCRIPT = """
import os, sys
from datetime import timedelta
from pathlib import Path
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.strategies import DDPStrategy
from torch.utils.data import DataLoader
from typedcfg.runner.launchers.lifeline import die_with_parent
from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.callbacks.finite import FiniteWatch
from typedcfg.runner.lightning.callbacks.pulse import Pulse
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO

die_with_parent()
torch.set_num_threads(1)
attempt = Path(os.environ["TYPEDCFG_ATTEMPT"])

class Asking(Callback):
    "Asks on one rank alone, and first."
    def on_train_epoch_end(self, trainer, module):
        if trainer.is_global_zero:
            module.told.append(round(float(trainer.callback_metrics["train/rank"]), 3))

class Model(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.told = []
    def training_step(self, batch, _):
        self.log("train/rank", float(self.global_rank), on_step=False, on_epoch=True, sync_dist=True)
        return self.layer(batch).pow(2).mean()
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)

def callbacks(name):
    recorder = Recorder(attempt / name)
    policy = CheckpointPolicy(recorder)
    return {"finite": [FiniteWatch()], "recorder": [recorder, policy], "pulse": [Pulse()]}[name]

for name in ("finite", "recorder", "pulse"):
    model = Model()
    Trainer(
        max_epochs=2, accelerator="cpu", devices=2, strategy=DDPStrategy(timeout=timedelta(seconds=30)),
        callbacks=[Asking(), *callbacks(name)], plugins=[VerifiedCheckpointIO()],
        logger=False, enable_checkpointing=name != "finite", enable_progress_bar=False, enable_model_summary=False,
    ).fit(model, DataLoader(torch.ones(8, 1), batch_size=1))
    if model.global_rank == 0:
        (attempt / f"{name}.told").write_text(str(model.told))
"""


def test_a_rank_that_asks_alone_waits_for_nobody_in_vain(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)

    code = Torchrun(processes=2).launch(
        Work(run=tmp_path, attempt=tmp_path, call=lambda: 0, command=(str(tmp_path / "train.py"),))
    )

    assert code == 0
    for name in ("finite", "recorder", "pulse"):
        assert (tmp_path / f"{name}.told").read_text() == "[0.5, 0.5]"
