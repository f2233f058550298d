"""What `test_checkpoints` tests of disks that are full, on two ranks: rank 0 writes, and all must agree on the rest."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.multiprocess

SCRIPT = """
import json, os, runpy, sys
from pathlib import Path
import torch
from lightning.pytorch import Callback, Trainer
from typedcfg.errors import Problem, RecordError
from typedcfg.records.checkpoint_record import committed
from typedcfg.runner.lightning import checkpoint_io
from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO

torch.set_num_threads(1)
toy, folder, on_write_failure, asynchronous = sys.argv[1:]
root = Path(folder)
write = checkpoint_io.write_manifest

def refuse(path, manifest):
    if manifest.step == 2:
        raise RecordError(Problem(f"cannot write {path.name}: No space left on device"))
    write(path, manifest)

checkpoint_io.write_manifest = refuse

class AsksAgain(Callback):
    "Wants what could not be written to be written once more, as a stop does."
    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == 1:
            policy.save(trainer)

policy = CheckpointPolicy(
    Recorder(root), every_n_steps=1, every_minutes=1e-9, keep_last=9, on_write_failure=on_write_failure
)
trainer = Trainer(
    max_epochs=2, accelerator="cpu", devices=2, strategy="ddp", callbacks=[policy.recorder, policy, AsksAgain()],
    plugins=[VerifiedCheckpointIO(asynchronous=asynchronous == "True")],
    logger=False, enable_progress_bar=False, enable_model_summary=False,
)
ended = ""
try:
    trainer.fit(runpy.run_path(toy)["Toy"]())
except RecordError as error:
    ended = error.problems[0].what
rank = os.environ["RANK"]
saved = [(m.step, m.batch, m.samples, m.world_size) for m in committed(policy.checkpoints.path).values()]
(root / f"told.{rank}").write_text(json.dumps({"ended": ended, "step": trainer.global_step, "saved": saved}))
"""


def train(folder: Path, on_write_failure: str, *, asynchronous: bool) -> list[dict[str, Any]]:
    script, toy = folder / "train.py", Path(__file__).parent.parent / "conftest.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    subprocess.run([*command, str(toy), str(folder), on_write_failure, str(asynchronous)], check=True, timeout=120)
    return [json.loads((folder / f"told.{rank}").read_text()) for rank in (0, 1)]


@pytest.mark.slow
@pytest.mark.parametrize("asynchronous", [False, True])
def test_all_ranks_end_where_one_could_not_write(tmp_path: Path, *, asynchronous: bool) -> None:
    first, second = train(tmp_path, "stop", asynchronous=asynchronous)

    assert first["ended"] == second["ended"] == "cannot write step-00000002.ckpt: No space left on device"
    assert first["step"] == second["step"]


@pytest.mark.slow
@pytest.mark.parametrize("asynchronous", [False, True])
def test_all_ranks_go_on_where_one_could_not_write(tmp_path: Path, *, asynchronous: bool) -> None:
    first, second = train(tmp_path, "continue", asynchronous=asynchronous)

    assert first["ended"] == second["ended"] == ""
    assert first["step"] == second["step"] == 4
    assert first["saved"] == [[1, 1, 8, 2], [3, 1, 24, 2], [4, 0, 32, 2]]
