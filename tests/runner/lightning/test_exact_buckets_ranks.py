"""Three ranks, whose sums depend on the buckets that DDP sums gradients in: a resume is exact from wherever it is."""

import json
from pathlib import Path

import pytest

from typedcfg.runner.launchers.base import Work
from typedcfg.runner.launchers.torchrun import Torchrun

pytestmark = [pytest.mark.multiprocess, pytest.mark.slow]

SCRIPT = """
import json, os, runpy, sys
from pathlib import Path
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.strategies import DDPStrategy
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from typedcfg.runner.launchers.lifeline import die_with_parent
from typedcfg.runner.lightning.exact import ExactState
from typedcfg.runner.lightning.seeds import seed_all

die_with_parent()
torch.set_num_threads(1)
root, ranks = Path(os.environ["TYPEDCFG_ATTEMPT"]), int(os.environ["WORLD_SIZE"])
SaveAt = runpy.run_path(sys.argv[1])["SaveAt"]
FEATURES = torch.randn(ranks * 24, 64, generator=torch.Generator().manual_seed(0))

class Model(LightningModule):
    "Deep and wide enough for sums to differ by their order."
    def __init__(self):
        super().__init__()
        layers = [layer for _ in range(3) for layer in (nn.Linear(64, 64), nn.Tanh(), nn.Dropout(0.1))]
        self.layers = nn.Sequential(*layers, nn.Linear(64, 1))
    def training_step(self, batch):
        return (self.layers(batch[0]) - batch[0].sum(1, keepdim=True)).pow(2).mean()
    def train_dataloader(self):
        return DataLoader(TensorDataset(FEATURES), batch_size=4, shuffle=True)
    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=0.01)

PLACES = {"first step": (1, "on_train_batch_end"), "within": (4, "on_train_batch_end")}

def fit(name, *, ckpt_path=None, accumulate=1, **options):
    seed_all(1)
    places = {**PLACES, "between": (12 // accumulate, "on_train_epoch_end")}
    saving = [SaveAt(root / f"{name} {place}.ckpt", *where) for place, where in places.items()]
    trainer = Trainer(
        max_epochs=3, accelerator="cpu", devices=ranks, strategy=DDPStrategy(**options),
        accumulate_grad_batches=accumulate, callbacks=[exact := ExactState(seed=1), *([] if ckpt_path else saving)],
        logger=False, enable_checkpointing=not ckpt_path, enable_progress_bar=False, enable_model_summary=False,
    )
    trainer.fit(module := Model(), ckpt_path=ckpt_path)
    weights = torch.cat([parameter.detach().flatten() for parameter in module.parameters()])
    return weights, exact.not_bitwise_because, [saved.path for saved in saving]

SETTINGS = {
    "one bucket": {},
    "several buckets": {"bucket_cap_mb": 0.02, "gradient_as_bucket_view": True},
    "accumulated": {"bucket_cap_mb": 0.02, "accumulate": 2},
    "unused": {"find_unused_parameters": True},
}
told = {}
for name, settings in SETTINGS.items():
    whole, _, paths = fit(name, **settings)
    for path in paths:
        weights, reasons, _ = fit(name, ckpt_path=path, **settings)
        told[path.stem] = {"equal": torch.equal(weights, whole), "reasons": reasons}
(root / f"told.{os.environ['RANK']}").write_text(json.dumps(told))
torch.distributed.destroy_process_group()  # or gloo's threads may abort a process that is at its end
"""


def test_three_ranks_resumed_are_bitwise_those_that_never_stopped(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    tests = Path(__file__).with_name("test_exact_within_epochs.py")

    code = Torchrun(processes=3).launch(
        Work(run=tmp_path, attempt=tmp_path, call=lambda: 0, command=(str(script), str(tests)))
    )

    assert code == 0
    told = json.loads((tmp_path / "told.0").read_text())
    assert len(told) == 12
    assert {place: seen for place, seen in told.items() if seen != {"equal": True, "reasons": []}} == {}
