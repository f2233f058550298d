"""Train in parts on two ranks: what is learned, what is saved, and what becomes of it when something breaks."""

import json
from pathlib import Path
from typing import Any

import pytest

from typedcfg.records.checkpoint_record import committed, verify
from typedcfg.runner.launchers.base import Work
from typedcfg.runner.launchers.torchrun import Torchrun

pytestmark = [pytest.mark.multiprocess, pytest.mark.slow]

TRAINING = """
import json, os, shutil, signal, sys
from pathlib import Path
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.utils.data import DataLoader, TensorDataset
from typedcfg.disk import Disk, using
from typedcfg.errors import RecordError, RunError
from typedcfg.records.checkpoint_record import newest_verified
from typedcfg.runner.launchers.lifeline import die_with_parent
from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO
from typedcfg.runner.lightning.exact import ExactState
from typedcfg.runner.lightning.export import export_weights
from typedcfg.runner.lightning.pretrained import load_pretrained
from typedcfg.runner.lightning.seeds import seed_all
from typedcfg.runner.lightning.sharded.strategy import ShardedStrategy

die_with_parent()
torch.set_num_threads(1)
root, rank = Path(os.environ["TYPEDCFG_ATTEMPT"]), int(os.environ["RANK"])
FEATURES = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))

class Model(LightningModule):
    "Has what can be split in different ways, what draws random numbers, and what ranks do not share."
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.blocks = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
        self.head = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))
        self.bias = nn.Parameter(torch.zeros(1))
    def forward(self, x):
        x = self.norm(x)
        for block in self.blocks:
            x = x + block(x)
        return self.head(x) + self.bias
    def training_step(self, batch, _):
        loss = (self(batch[0]) - batch[0].sum(1, keepdim=True)).pow(2).mean()
        self.log("train/loss", loss, on_step=False, on_epoch=True, sync_dist=True)
        return loss
    def validation_step(self, batch, _):
        self.log("val/loss", self(batch[0]).pow(2).mean(), sync_dist=True)
    def on_train_epoch_end(self):
        self._drawn = float(torch.rand(()))  # by an underscore: what a resume does not compare
    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.05)
        return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)]
    def train_dataloader(self):
        return DataLoader(TensorDataset(FEATURES), batch_size=2, shuffle=True)
    def val_dataloader(self):
        return DataLoader(TensorDataset(FEATURES[:4]), batch_size=2)

def whole(module):
    "All weights, in the order of their names; each rank has them."
    weights = (p.full_tensor() if isinstance(p, DTensor) else p for p in module.parameters())
    return torch.cat([w.detach().flatten() for w in weights])

def trainer_of(folder, strategy, *, epochs=3):
    policy = CheckpointPolicy(Recorder(root / folder), every_n_steps=1, keep_last=99)
    return policy, Trainer(
        max_epochs=epochs, accelerator="cpu", devices=2, strategy=strategy, plugins=[VerifiedCheckpointIO()],
        callbacks=[policy.recorder, policy, ExactState(seed=1)], accumulate_grad_batches=2, gradient_clip_val=0.5,
        logger=False, enable_progress_bar=False, enable_model_summary=False,
    )

def fit(folder, kind=Model, strategy=None, epochs=3):
    "Train, from where the folder says; what came of it, in which two trainings can be told apart."
    seed_all(1)
    policy, trainer = trainer_of(folder, strategy or ShardedStrategy(2), epochs=epochs)
    found = policy.find_resumable()
    trainer.fit(module := kind(), ckpt_path=found and found.path)
    exact = next(c for c in trainer.callbacks if isinstance(c, ExactState))
    results = {epoch: (result.samples, result.splits) for epoch, result in policy.recorder.results.items()}
    buffers = {name: buffer.tolist() for name, buffer in module.named_buffers()}
    return whole(module), module._drawn, results, buffers, exact.not_bitwise_because

def is_same(a, b):
    return torch.equal(a[0], b[0]) and a[1:] == b[1:]

def tell(told):
    (root / f"told.{rank}").write_text(json.dumps(told))
"""

IN_PARTS = (
    TRAINING
    + """
class SplitsItself(Model):
    def configure_model(self):
        for part in (*self.blocks, self.head, self):
            fully_shard(part, mesh=self.device_mesh["data_parallel"])
        torch.distributed.fsdp.register_fsdp_forward_method(self, "training_step")
        torch.distributed.fsdp.register_fsdp_forward_method(self, "validation_step")

class SplitsHalf(Model):
    def configure_model(self):
        fully_shard(self.head, mesh=self.device_mesh["data_parallel"])

def copy(folder, target, last, damage=None):
    "What a training that was killed after a step leaves."
    if rank == 0:
        shutil.copytree(root / folder, root / target, symlinks=True)
        for path in (root / target / "checkpoints").iterdir():
            if path.name[:5] == "step-" and int(path.name[5:13]) > last:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if damage:
            damage(root / target / "checkpoints" / f"step-{last:08d}.ckpt")
    torch.distributed.barrier()

def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

damages = {
    "a shard is missing": lambda path: (path / "__1_0.distcp").unlink(),
    "a bit flipped": lambda path: flip(path / "__0_0.distcp"),
    "the plan is torn": lambda path: (path / ".metadata").write_bytes((path / ".metadata").read_bytes()[:-9]),
    "a foreign file": lambda path: (path / "__2_0.distcp").touch(),
    "gone": shutil.rmtree,
}

class Refusing(Disk):
    "The disk of rank 1 is full when it is to write its shard."
    def create(self, path):
        if rank == 1 and "distcp" in path.name:
            raise OSError(28, "No space left on device")
        return super().create(path)

told = {}
straight = fit("straight")
told["samples"] = [samples for samples, _ in straight[2].values()]
told["ranks draw"] = straight[1]
told["as ddp"] = float((straight[0] - fit("ddp", strategy="ddp")[0]).abs().max())
copy("straight", "within", 6)
told["resumed within"] = is_same(straight, fit("within"))
copy("straight", "between", 8)
told["resumed between"] = is_same(straight, fit("between"))
own = fit("own", SplitsItself)
copy("own", "own within", 6)
told["own"] = is_same(own, fit("own within", SplitsItself))
for name, damage in damages.items():
    copy("straight", name, 7, damage)
    found = trainer_of(name, "auto")[0].find_resumable()
    told[name] = [found.path.name, found.refused[0].what, is_same(straight, fit(name))]
    torch.distributed.barrier()

try:
    fit("half", SplitsHalf)
except RunError as error:
    told["half split"] = error.problems[0].what
try:
    with using(Refusing()):
        fit("full")
except RecordError as error:
    told["full"] = error.problems[0].what
told["full leaves"] = sorted(path.name for path in (root / "full" / "checkpoints").iterdir())
told["after full"] = is_same(straight, fit("full"))

if rank == 0:
    newest = newest_verified([root / "straight" / "checkpoints"]).path
    load_pretrained(gathered := Model(), newest)
    told["gathered"] = torch.equal(whole(gathered), straight[0])
    export_weights(newest, root / "weights.safetensors")
    load_pretrained(exported := Model(), root / "weights.safetensors")
    told["exported"] = torch.equal(whole(exported), straight[0])
    best = newest.with_name("best.ckpt")
    told["best"] = [str(best.readlink()), sorted(path.name for path in best.iterdir())]
tell(told)
"""
)

KILLED = (
    TRAINING
    + """
victim, moment = json.loads(sys.argv[1])

class Killing(Disk):
    "Ends one rank when it is about to give a file its name."
    def replace(self, source, target):
        if rank == victim and target.name == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        super().replace(source, target)

with using(Killing()):
    ended = fit("killed")
undisturbed = fit("undisturbed")
tell({"same": is_same(ended, undisturbed)})
"""
)


def launch(folder: Path, script: str, *arguments: str) -> int:
    (folder / "train.py").write_text(script)
    command = (str(folder / "train.py"), *arguments)
    return Torchrun(processes=2).launch(Work(run=folder, attempt=folder, call=lambda: 0, command=command))


def told_in(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    first, second = (json.loads((folder / f"told.{rank}").read_text()) for rank in (0, 1))
    return first, second


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """What both ranks tell of all that can be seen without killing them."""
    folder = tmp_path_factory.mktemp("fsdp")
    assert launch(folder, IN_PARTS) == 0
    return told_in(folder)


Told = tuple[dict[str, Any], dict[str, Any]]


def test_a_model_in_parts_learns_what_one_in_copies_learns(told: Told) -> None:
    assert told[0]["as ddp"] < 1e-5
    assert told[0]["samples"] == [32, 64, 96]
    assert told[0]["ranks draw"] != told[1]["ranks draw"]


@pytest.mark.parametrize("where", ["resumed within", "resumed between", "own"])
def test_a_resume_in_parts_is_bitwise_what_never_stopped(told: Told, where: str) -> None:
    assert told[0][where]
    assert told[1][where]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("a shard is missing", "__1_0.distcp is missing"),
        ("a bit flipped", "the sha256 of __0_0.distcp is not the one its manifest states"),
        ("the plan is torn", ".metadata has"),
        ("a foreign file", "__2_0.distcp is none of its files"),
        ("gone", "cannot read checkpoint step-00000007.ckpt: No such file"),
    ],
)
def test_a_damaged_folder_is_passed_over_and_told_of(told: Told, damage: str, reason: str) -> None:
    path, why, is_same = told[0][damage]

    assert path == "step-00000006.ckpt"
    assert reason in why
    assert is_same


def test_a_module_that_splits_some_of_itself_is_refused(told: Told) -> None:
    assert "splits its parameters, but for bias, norm.weight, norm.bias, blocks.0.weight" in told[0]["half split"]


def test_all_ranks_end_where_one_could_not_write_its_part(told: Told) -> None:
    for of_rank in told:
        assert of_rank["full"] == "cannot write __1_0.distcp: No space left on device"
        assert of_rank["full leaves"] == []
        assert of_rank["after full"]


def test_weights_in_parts_are_put_together(told: Told) -> None:
    assert told[0]["gathered"]
    assert told[0]["exported"]


def test_a_name_for_people_is_a_link_to_a_folder(told: Told) -> None:
    name, files = told[0]["best"]

    assert name.startswith("step-")
    assert files == [".metadata", "__0_0.distcp", "__1_0.distcp", "meta.pt"]


def test_a_rank_that_is_killed_amid_a_save_costs_nothing_but_the_save(tmp_path: Path) -> None:
    kills = [(1, "__1_0.distcp"), (0, "step-00000002.ckpt"), (0, "step-00000003.ckpt.json"), (1, "never")]

    codes = [launch(tmp_path, KILLED, json.dumps(kill)) for kill in kills]

    assert 0 not in codes[:-1]
    assert codes[-1] == 0
    assert all(told["same"] for told in told_in(tmp_path))
    checkpoints = tmp_path / "killed" / "checkpoints"
    assert [verify(path).step for path in committed(checkpoints)] == list(range(1, 13))
    assert not list(checkpoints.glob(".*"))
