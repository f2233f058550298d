"""A toy that trains in milliseconds, with all that a resume can lose: dropout, shuffling, momentum, a plateau."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from typedcfg.records.result_record import BY_LOSS, ScoreRule
from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO
from typedcfg.runner.lightning.quiet import quiet

Batch: TypeAlias = list[Tensor]
FEATURES = torch.randn(16, 4, generator=torch.Generator().manual_seed(0))


class Toy(LightningModule):
    def __init__(self, *, plateau: bool = False, generator: torch.Generator | None = None, workers: int = 0) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))
        self.plateau = plateau
        self.loader_options: dict[str, Any] = {"generator": generator, "num_workers": workers}

    def training_step(self, batch: Batch, *_: object) -> Tensor:
        loss: Tensor = (self.layers(batch[0]) - batch[0].sum(1, keepdim=True)).pow(2).mean()
        self.log("train/loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Batch, *_: object) -> None:
        self.log("val/loss", self.layers(batch[0]).pow(2).mean())

    def test_step(self, batch: Batch, *_: object) -> None:
        self.log("test/loss", self.layers(batch[0]).pow(2).mean())

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.05)
        if not self.plateau:
            return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)]
        # Every epoch counts as one without progress, so that each step of the scheduler shows in the rate.
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, threshold=1e9)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "monitor": "train/loss"}}

    def train_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        return DataLoader(TensorDataset(FEATURES), batch_size=4, shuffle=True, **self.loader_options)

    def val_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        return DataLoader(TensorDataset(FEATURES[:8]), batch_size=4)

    test_dataloader = val_dataloader


MakeTrainer: TypeAlias = Callable[..., Trainer]


@pytest.fixture
def toy() -> type[LightningModule]:
    return Toy


@pytest.fixture
def trainer() -> MakeTrainer:
    """A trainer on one CPU, with nothing but what a test asks for."""

    def make(epochs: int, *callbacks: Callback, **options: Any) -> Trainer:
        settings = {
            "max_epochs": epochs,
            "callbacks": list(callbacks),
            "accelerator": "cpu",
            "logger": False,
            "enable_checkpointing": any(isinstance(callback, Checkpoint) for callback in callbacks),
            "enable_progress_bar": False,
            "enable_model_summary": False,
        }
        return Trainer(**{**settings, **options})

    return make


MakeSaving: TypeAlias = Callable[..., tuple[Trainer, CheckpointPolicy]]


@pytest.fixture
def saving(trainer: MakeTrainer) -> MakeSaving:
    """A trainer that records into a folder and saves there."""

    def make(
        folder: Path,
        epochs: int,
        *callbacks: Callback,
        rule: ScoreRule = BY_LOSS,
        asynchronous: bool = False,
        keep: dict[str, Any] | None = None,
        **options: Any,
    ) -> tuple[Trainer, CheckpointPolicy]:
        policy = CheckpointPolicy(Recorder(folder, rule=rule), **keep or {})
        plugins = [VerifiedCheckpointIO(asynchronous=asynchronous)]
        return trainer(epochs, policy.recorder, policy, *callbacks, plugins=plugins, **options), policy

    return make


@pytest.fixture(autouse=True)
def _calm() -> Iterator[None]:
    """Warnings are errors in tests, and Lightning's known noise is none of ours."""
    # One thread: the toy is too small for two.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    with quiet():
        yield
    torch.set_num_threads(threads)
