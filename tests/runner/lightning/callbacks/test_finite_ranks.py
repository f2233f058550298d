"""What `test_finite` tests, on two ranks of which one alone diverges: all end, and with one message."""

import json
from pathlib import Path

import pytest

from typedcfg.runner.launchers.base import Work
from typedcfg.runner.launchers.torchrun import Torchrun

pytestmark = [pytest.mark.multiprocess, pytest.mark.slow]

SCRIPT = """
import json, logging, os, sys
from pathlib import Path
import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader
from typedcfg.errors import RunFailed
from typedcfg.records.checkpoint_record import committed
from typedcfg.runner.launchers.lifeline import die_with_parent
from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.callbacks.finite import FiniteWatch
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO

die_with_parent()
torch.set_num_threads(1)
root, rank = Path(os.environ["TYPEDCFG_ATTEMPT"]), int(os.environ["RANK"])
warnings = []

class Noting(logging.Handler):
    def emit(self, record):
        warnings.append(record.getMessage())

logging.getLogger("typedcfg").addHandler(Noting(logging.WARNING))

class Model(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
    def training_step(self, batch, _):
        loss = self.layer(batch).pow(2).mean()
        self.log("val/loss", loss, on_step=False, on_epoch=True, sync_dist=True)
        return loss
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)

class Watch(FiniteWatch):
    "Is shown a loss of rank 1 that is NaN from step 8 on; the gradients are left alone, which would spread it."
    def after_batch(self, trainer, outputs, batch_idx):
        factor = torch.nan if rank == 1 and trainer.global_step >= 8 else 1
        super().after_batch(trainer, {"loss": outputs["loss"] * factor}, batch_idx)

def fit(watch):
    recorder = Recorder(root / watch.on_nan)
    policy = CheckpointPolicy(recorder)
    trainer = Trainer(
        max_epochs=1, accelerator="cpu", devices=2, strategy="ddp", callbacks=[watch, recorder, policy],
        plugins=[VerifiedCheckpointIO()], logger=False, enable_progress_bar=False, enable_model_summary=False,
    )
    ended = ""
    try:
        trainer.fit(Model(), DataLoader(torch.ones(40, 1), batch_size=1))
    except RunFailed as error:
        ended = error.problems[0].what
    return ended, watch.not_finite_since, len(committed(policy.checkpoints.path))

told = {mode: fit(Watch(mode)) for mode in ("stop", "continue")}
(root / f"told.{rank}").write_text(json.dumps({**told, "warnings": warnings}))
"""


def test_all_ranks_end_where_one_diverges(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)

    code = Torchrun(processes=2).launch(
        Work(run=tmp_path, attempt=tmp_path, call=lambda: 0, command=(str(tmp_path / "train.py"),))
    )

    assert code == 0
    first, second = (json.loads((tmp_path / f"told.{rank}").read_text()) for rank in (0, 1))
    what = "the training loss is not finite after step 8"
    assert first["stop"] == second["stop"] == [what, 8, 0]
    assert first["continue"] == second["continue"] == ["", 8, 1]
    assert [warning.split("\n")[0] for warning in first["warnings"]] == [
        what,
        "the training ended with numbers that are not finite, since step 8",
    ]
    assert second["warnings"] == []
