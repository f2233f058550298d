"""The smallest experiment that trains: a few weights, three epochs, and all that a resume can lose."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Gt
from pydantic import SecretStr

from typedcfg import ConfigTemplate, Experiment, NotInIdentity, main, section
from typedcfg.sections.trainer import Trainer

if TYPE_CHECKING:
    from lightning.pytorch import LightningDataModule, LightningModule
    from torch import Tensor
    from torch.utils.data import DataLoader


class Faults(ConfigTemplate):
    """What goes wrong on purpose: in which epoch, from 0, and in which rank."""

    crash_at: Annotated[int | None, NotInIdentity()] = None
    wait_at: Annotated[int | None, NotInIdentity()] = None
    """Wait to be killed; `waiting.0` beside the current folder says that rank 0 does."""
    rank: Annotated[int, NotInIdentity()] = 0


class Tiny(Experiment):
    """A regression on noise."""

    trainer: Trainer = section(Trainer, max_epochs=3, accelerator="cpu")
    faults: Faults
    lr: Annotated[float, Gt(0)] = 0.05
    token: SecretStr | None = None
    other_token: SecretStr = SecretStr("")

    def build_model(self) -> "LightningModule":
        return _model(self)

    def build_data(self) -> "LightningDataModule":
        return _data()


def _is_asked_to_stop(trainer: Any) -> bool:
    from typedcfg.runner.lightning.callbacks.pulse import Pulse

    return any(callback.is_asked_to_stop for callback in trainer.callbacks if isinstance(callback, Pulse))


def _model(config: Tiny) -> "LightningModule":
    import torch
    from lightning.pytorch import LightningModule
    from torch import nn

    torch.set_num_threads(1)

    class Model(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.5), nn.Linear(16, 1))

        def training_step(self, batch: list["Tensor"], *_: object) -> "Tensor":
            self._meet_faults()
            loss: Tensor = (self.layers(batch[0]) - batch[0].sum(1, keepdim=True)).pow(2).mean()
            self.log("train/loss", loss, on_step=False, on_epoch=True, sync_dist=True)
            return loss

        def validation_step(self, batch: list["Tensor"], *_: object) -> None:
            self.log("val/loss", self.layers(batch[0]).pow(2).mean(), sync_dist=True)

        def test_step(self, batch: list["Tensor"], *_: object) -> None:
            self.log("test/loss", self.layers(batch[0]).pow(2).mean())

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.AdamW(self.parameters(), lr=config.lr)
            return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)]

        def _meet_faults(self) -> None:
            faults = config.faults
            if faults.rank == self.global_rank and faults.crash_at == self.current_epoch:
                raise ValueError(f"the model broke, its token was {config.token and config.token.get_secret_value()}")
            if faults.wait_at == self.current_epoch:
                Path(f"waiting.{self.global_rank}.new").write_text(str(os.getpid()))
                Path(f"waiting.{self.global_rank}.new").rename(f"waiting.{self.global_rank}")
                while not _is_asked_to_stop(self.trainer):
                    time.sleep(0.01)

    return Model()


def _data(samples: int = 16) -> "LightningDataModule":
    import torch
    from lightning.pytorch import LightningDataModule
    from torch.utils.data import DataLoader, TensorDataset

    features = torch.randn(samples, 4, generator=torch.Generator().manual_seed(0))

    class Data(LightningDataModule):
        def train_dataloader(self) -> "DataLoader[tuple[Tensor, ...]]":
            return DataLoader(TensorDataset(features), batch_size=4, shuffle=True)

        def val_dataloader(self) -> "DataLoader[tuple[Tensor, ...]]":
            return DataLoader(TensorDataset(features[:8]), batch_size=4)

        test_dataloader = val_dataloader

    return Data()


if __name__ == "__main__":
    main(Tiny)
