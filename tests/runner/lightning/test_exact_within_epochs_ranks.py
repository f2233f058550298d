"""What `test_exact_within_epochs` tests, on two ranks, with the samplers that Lightning puts into loaders there."""

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
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader
from typedcfg.runner.launchers.lifeline import die_with_parent
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.exact import ExactState
from typedcfg.runner.lightning.seeds import seed_all

die_with_parent()
torch.set_num_threads(1)
root, rank = Path(os.environ["TYPEDCFG_ATTEMPT"]), os.environ["RANK"]
tests = runpy.run_path(sys.argv[1])
Model, SaveAt, LOADERS, Noisy = (tests[name] for name in ("Model", "SaveAt", "LOADERS", "Noisy"))
loaders = {name: LOADERS[name] for name in ("plain", "exact", "weighted", "own sampler", "list", "iterable")}
loaders["workers"] = lambda: DataLoader(Noisy(), batch_size=4, shuffle=True, num_workers=1)
loaders["accumulating"] = LOADERS["plain"]

class Seen(Model):
    "Keeps what this rank was given, to tell the ranks apart."
    def training_step(self, batch, *rest):
        self._seen = float(batch[0].sum()) if isinstance(batch, torch.Tensor) else 0.0
        return super().training_step(batch, *rest)

class Accumulating(Seen):
    "Leaves gradients for the next batch, other ones on each rank."
    def __init__(self, load):
        super().__init__(load)
        self.automatic_optimization = False
    def training_step(self, batch, *rest):
        self.manual_backward(super().training_step(batch, *rest)["loss"])
        self.optimizers().step()
        for parameter in self.parameters():
            parameter.grad = torch.full_like(parameter, self.global_rank * 0.1)

models = {"accumulating": Accumulating}

def fit(name, folder, path, step, ckpt_path=None):
    seed_all(1)
    recorder, saving = Recorder(root / folder), SaveAt(path, step)
    trainer = Trainer(
        max_epochs=3, accelerator="cpu", devices=2, strategy="ddp", limit_val_batches=0,
        callbacks=[exact := ExactState(seed=1), recorder, saving],
        logger=False, enable_progress_bar=False, enable_model_summary=False,
    )
    trainer.fit(module := models.get(name, Seen)(loaders[name]), ckpt_path=ckpt_path)
    weights = torch.cat([p.detach().flatten() for p in module.parameters()])
    last = {epoch: (result.samples, result.splits) for epoch, result in recorder.results.items() if epoch > 1}
    return weights, module._seen, saving.epochs[-1], last, exact.not_bitwise_because

told = {}
for name in loaders:
    path = root / f"{name}.ckpt"
    whole = fit(name, f"{name} whole", path, 5)
    rest = fit(name, f"{name} rest", path, -1, path)
    equal = torch.equal(whole[0], rest[0]) and whole[1:] == rest[1:]
    told[name] = {"equal": equal, "seen": whole[1], "reasons": rest[4], "samples": [r[0] for r in whole[3].values()]}
(root / f"told.{rank}").write_text(json.dumps(told))
"""


def test_two_ranks_resumed_within_an_epoch_are_bitwise_those_that_never_stopped(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    tests = Path(__file__).with_name("test_exact_within_epochs.py")

    code = Torchrun(processes=2).launch(
        Work(run=tmp_path, attempt=tmp_path, call=lambda: 0, command=(str(script), str(tests)))
    )

    assert code == 0
    first, second = (json.loads((tmp_path / f"told.{rank}").read_text()) for rank in (0, 1))
    assert {name for name, told in (*first.items(), *second.items()) if not told["equal"]} == set()
    assert {name: told["reasons"] for name, told in first.items() if told["reasons"]} == {}
    assert first["plain"]["seen"] != second["plain"]["seen"]
    assert first["plain"]["samples"] == [48, 72]
