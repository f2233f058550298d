"""A run goes on with as many threads as it began with, wherever it goes on; or says that it was told otherwise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from typedcfg.records.run_record import AttemptRecord, read_run_record

pytestmark = [pytest.mark.slow, pytest.mark.multiprocess]

APP = """
from pathlib import Path

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from typedcfg import Experiment, section
from typedcfg.sections.trainer import Trainer


class Wide(Experiment):
    trainer: Trainer = section(Trainer, max_epochs=4, accelerator="cpu")

    def build_model(self):
        return Model()

    def build_data(self):
        return Data()


class Model(LightningModule):
    def __init__(self):
        super().__init__()
        first, second = nn.Linear(8, 512), nn.Linear(512, 512)
        self.layers = nn.Sequential(first, nn.BatchNorm1d(512), nn.ReLU(), second, nn.ReLU(), nn.Linear(512, 3))

    def on_train_epoch_end(self):
        if self.current_epoch == 1 and Path("break").exists():
            raise ValueError("broken")

    def training_step(self, batch):
        return nn.functional.cross_entropy(self.layers(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=0.01)


class Data(LightningDataModule):
    def train_dataloader(self):
        draws = torch.Generator().manual_seed(0)
        samples = TensorDataset(torch.randn(512, 8, generator=draws), torch.randint(3, (512,), generator=draws))
        return DataLoader(samples, batch_size=64, shuffle=True)
"""


def run(root: str, *arguments: str, threads: int, breaks: bool = False) -> int:
    Path("app.py").write_text(APP)
    Path("break").touch() if breaks else Path("break").unlink(missing_ok=True)
    command = [sys.executable, "-m", "typedcfg", "run", "app.py:Wide", f"run.project_root={root}", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    return subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False).returncode


def last_attempt(root: str) -> AttemptRecord:
    [record] = Path(root).glob("*/run.json")
    return read_run_record(record).attempts[-1]


def weights(root: str) -> torch.Tensor:
    [path] = Path(root).glob(f"*/{last_attempt(root).folder}/checkpoints/latest.ckpt")
    loaded = torch.load(path, weights_only=True)["state_dict"]
    return torch.cat([tensor.flatten() for tensor in loaded.values()])


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_run_goes_on_with_the_threads_that_it_began_with() -> None:
    run("whole", threads=2)

    assert run("halves", threads=2, breaks=True) == 1
    assert run("halves", "launch=torchrun", threads=1) == 0

    assert torch.equal(weights("halves"), weights("whole"))
    assert (last_attempt("halves").is_bitwise, last_attempt("halves").not_bitwise_because) == (True, ())


def test_a_run_takes_the_threads_that_it_is_told_to_take_and_says_so() -> None:
    assert run("halves", threads=2, breaks=True) == 1
    assert run("halves", "launch=torchrun", "launch.threads=1", threads=2) == 0

    reason = "saved with 2 threads, resumed with 1"
    assert (last_attempt("halves").is_bitwise, last_attempt("halves").not_bitwise_because) == (False, (reason,))
