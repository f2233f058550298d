"""An experiment with all that a resume can lose: dropout, augmentation, accumulation, loading processes, a scheduler.

`ENDURE_PAUSE=train:5` lets each process wait for a moment at a place, once for all lives of a run, and write to
`paused.RANK` who it is: there somebody may kill it.
"""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typedcfg import Experiment, section
from typedcfg.disk import Disk, using
from typedcfg.sections.checkpoint import Checkpoint
from typedcfg.sections.trainer import Trainer

if TYPE_CHECKING:
    from lightning.pytorch import LightningDataModule, LightningModule
    from torch import Tensor

PAUSE_SECONDS = 2.0


class Enduring(Experiment):
    """A regression on noise, saved every other step."""

    trainer: Trainer = section(Trainer, max_epochs=3, accelerator="cpu", accumulate_grad_batches=2)
    checkpoint: Checkpoint = section(Checkpoint, every_n_steps=2, save_interval=2)
    workers: int = 2

    def build_model(self) -> "LightningModule":
        return _model()

    def build_data(self) -> "LightningDataModule":
        _pause_at("start")
        return _data(self.workers)


def _pause_at(place: str) -> None:
    wanted, rank = os.environ.get("ENDURE_PAUSE", ""), os.environ.get("RANK", "0")
    mark = Path(f"paused.{rank}")
    if wanted == place and not mark.exists():
        Path(f"{mark}.new").write_text(str(os.getpid()))
        Path(f"{mark}.new").rename(mark)
        time.sleep(PAUSE_SECONDS)


class PausingDisk(Disk):
    """The real disk, which pauses before one of its operations."""

    def __init__(self) -> None:
        self.operations = 0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in _OPERATIONS:
            self.operations += 1
            _pause_at(f"save:{self.operations}")
        return found


_OPERATIONS = frozenset(name for name in vars(Disk) if not name.startswith("_"))


def _model() -> "LightningModule":
    import torch
    from lightning.pytorch import LightningModule
    from torch import nn

    torch.set_num_threads(1)

    class Model(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 1))

        def on_train_start(self) -> None:
            if self.global_rank == 0 and os.environ.get("ENDURE_PAUSE", "").startswith("save:"):
                self.disk = using(PausingDisk())  # kept: the process ends with it
                self.disk.__enter__()

        def training_step(self, batch: list["Tensor"], number: int) -> "Tensor":
            _pause_at(f"train:{self.current_epoch * 6 + number}")
            loss: Tensor = (self.layers(batch[0]) - batch[0].sum(1, keepdim=True)).pow(2).mean()
            self.log("train/loss", loss, on_step=False, on_epoch=True, sync_dist=True)
            return loss

        def validation_step(self, batch: list["Tensor"], number: int) -> None:
            _pause_at(f"validation:{self.current_epoch * 2 + number}")
            self.log("val/loss", self.layers(batch[0]).pow(2).mean(), sync_dist=True)

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.AdamW(self.parameters(), lr=0.05)
            return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)]

    return Model()


def _data(workers: int) -> "LightningDataModule":
    import torch
    from lightning.pytorch import LightningDataModule
    from torch.utils.data import DataLoader, Dataset, TensorDataset

    features = torch.randn(46, 4, generator=torch.Generator().manual_seed(0))

    class Augmented(Dataset["list[Tensor]"]):
        def __len__(self) -> int:
            return len(features)

        def __getitem__(self, index: int) -> "list[Tensor]":
            return [features[index] + 0.1 * torch.randn(4)]

    class Data(LightningDataModule):
        def train_dataloader(self) -> "DataLoader[list[Tensor]]":
            ranks = self.trainer.world_size if self.trainer else 1
            return DataLoader(Augmented(), batch_size=8 // ranks, shuffle=True, num_workers=workers)

        def val_dataloader(self) -> "DataLoader[tuple[Tensor, ...]]":
            ranks = self.trainer.world_size if self.trainer else 1
            return DataLoader(TensorDataset(features[:16]), batch_size=8 // ranks)

    return Data()
