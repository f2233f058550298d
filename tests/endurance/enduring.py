"""An experiment with all that a resume can lose: dropout, augmentation, accumulation, loading processes, a scheduler.

`ENDURE_PAUSE=train:5` lets each process wait at a place, or at each of several, once for all lives of a run, and leave
a file `paused.RANK.PLACE`: there somebody may kill it, and lets whoever lives go on by a file `sent.PLACE`. `save:3@1`
is the third operation on the disk of rank 1 in the save at the end of the second epoch, which does all that a save may
do; `operations.RANK` tells how many there were. `stop:3@1` is one in the save of a process that was asked to stop.
"""

import os
import time
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typedcfg import Experiment, NotInIdentity, section
from typedcfg.disk import Disk, using
from typedcfg.sections.checkpoint import Checkpoint
from typedcfg.sections.trainer import Trainer

if TYPE_CHECKING:
    from lightning.pytorch import LightningDataModule, LightningModule
    from torch import Tensor

PATIENCE = 60.0
"""How long a process waits at a place [s]."""


class Enduring(Experiment):
    """A regression on noise, saved every other step."""

    trainer: Trainer = section(Trainer, max_epochs=3, accelerator="cpu", accumulate_grad_batches=2)
    checkpoint: Checkpoint = section(Checkpoint, every_n_steps=2, save_interval=2)
    workers: int = 2
    batch_s: Annotated[float, NotInIdentity()] = 0.0
    """How long a batch takes, at the least; where it is long, ranks agree after each."""

    def build_model(self) -> "LightningModule":
        return _model(self.batch_s)

    def build_data(self) -> "LightningDataModule":
        _tell(f"process.{_rank()}", os.getpid())
        _pause_at("start")
        return _data(self.workers)


def _pause_at(place: str) -> None:
    wanted = {place, f"{place}@{_rank()}"} & {*os.environ.get("ENDURE_PAUSE", "").split()}
    for one in wanted:
        mark, sent = Path(f"paused.{_rank()}.{one}"), Path(f"sent.{one}")
        if not mark.exists():
            _tell(mark.name, os.getpid())
            deadline = time.monotonic() + PATIENCE
            while not sent.exists() and time.monotonic() < deadline:
                time.sleep(0.005)


def _tell(name: str, number: int) -> None:
    Path(f"{name}.new").write_text(str(number))
    Path(f"{name}.new").rename(name)


def _rank() -> str:
    return os.environ.get("RANK", "0")


class PausingDisk(Disk):
    """The real disk, which counts its operations, and may pause before one of them."""

    def __init__(self, deed: str) -> None:
        self.deed = deed
        self.operations = 0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in _OPERATIONS:
            self.operations += 1
            _pause_at(f"{self.deed}:{self.operations}")
        return found


_OPERATIONS = {name for name in vars(Disk) if not name.startswith("_")} - {"sight", "wait"}  # which change nothing


class Counting:
    """The hooks of a module whose operations on the disk are counted in some saves, a deed each."""

    trainer: Any
    current_epoch: int

    def on_train_batch_end(self, *_: object) -> None:
        if self._is_asked_to_stop():
            self._count("stop")

    def on_train_epoch_end(self) -> None:
        if self.current_epoch == 1 and not self._is_asked_to_stop():  # it is saved after this
            disk = self._count("save")
            self._counted.callback(lambda: _tell(f"operations.{_rank()}", disk.operations))

    def on_train_epoch_start(self) -> None:
        self._counted.close()

    @cached_property
    def _counted(self) -> ExitStack:
        return ExitStack()

    def _count(self, deed: str) -> PausingDisk:
        self._counted.close()
        disk = PausingDisk(deed)
        self._counted.enter_context(using(disk))
        return disk

    def _is_asked_to_stop(self) -> bool:
        from typedcfg.runner.lightning.callbacks.pulse import Pulse

        return any(isinstance(one, Pulse) and one.is_asked_to_stop for one in self.trainer.callbacks)


def _model(batch_s: float) -> "LightningModule":
    import torch
    from lightning.pytorch import LightningModule
    from torch import nn

    torch.set_num_threads(1)

    class Model(Counting, LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 1))

        def training_step(self, batch: list["Tensor"], number: int) -> "Tensor":
            time.sleep(batch_s)
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
