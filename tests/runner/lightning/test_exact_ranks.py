"""What `test_exact` tests, on two ranks: DDP with Lightning's own sampler, dropout, and a resume between epochs."""

import json
from pathlib import Path

import pytest

from typedcfg.runner.launchers.base import Work
from typedcfg.runner.launchers.torchrun import Torchrun

pytestmark = [pytest.mark.multiprocess, pytest.mark.slow]

SCRIPT = """
import json, os, runpy, sys, warnings
from pathlib import Path
import torch
from lightning.pytorch import Trainer
from typedcfg.runner.launchers.lifeline import die_with_parent
from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO
from typedcfg.runner.lightning.exact import ExactState
from typedcfg.runner.lightning.seeds import seed_all

die_with_parent()
torch.set_num_threads(1)
root = Path(os.environ["TYPEDCFG_ATTEMPT"])
Toy = runpy.run_path(sys.argv[1])["Toy"]

class Noisy(Toy):
    "Keeps what each rank drew, to tell the ranks apart."
    def on_train_epoch_end(self):
        self._drawn = float(torch.rand(()))

def fit(folder, epochs):
    seed_all(1)
    policy = CheckpointPolicy(Recorder(root / folder))
    trainer = Trainer(
        max_epochs=epochs, accelerator="cpu", devices=2, strategy="ddp", plugins=[VerifiedCheckpointIO()],
        callbacks=[policy.recorder, policy, exact := ExactState(seed=1)],
        logger=False, enable_progress_bar=False, enable_model_summary=False,
    )
    found = policy.find_resumable()
    trainer.fit(module := Noisy(), ckpt_path=found and found.path)
    weights = torch.cat([p.detach().flatten() for p in module.parameters()])
    results = {epoch: (result.samples, result.splits) for epoch, result in policy.recorder.results.items()}
    return weights, module._drawn, results, exact.not_bitwise_because

straight = fit("straight", 4)
fit("halves", 2)
resumed = fit("halves", 4)
rank = os.environ["RANK"]
(root / f"told.{rank}").write_text(json.dumps({
    "equal": torch.equal(straight[0], resumed[0]) and straight[1:] == resumed[1:],
    "drawn": straight[1], "results": straight[2], "reasons": resumed[3],
}))
torch.distributed.destroy_process_group()  # or gloo's threads may abort a process that is at its end
"""


def test_two_ranks_resumed_between_epochs_are_bitwise_those_that_never_stopped(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    toy = Path(__file__).with_name("conftest.py")

    code = Torchrun(processes=2).launch(
        Work(run=tmp_path, attempt=tmp_path, call=lambda: 0, command=(str(script), str(toy)))
    )

    assert code == 0
    first, second = (json.loads((tmp_path / f"told.{rank}").read_text()) for rank in (0, 1))
    assert first["equal"]
    assert second["equal"]
    assert first["reasons"] == []
    assert first["drawn"] != second["drawn"]
    assert first["results"]["4"][0] == 64
    assert second["results"] == {}
