"""A training whose process ends where its first step begins: as a run of ours, and by Lightning's trainer alone."""

import os
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightning.pytorch import LightningDataModule, LightningModule


def model() -> "LightningModule":
    """The smallest that can be trained."""
    import torch
    from lightning.pytorch import LightningModule

    class Ending(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def training_step(self, *_: object) -> None:
            os._exit(0)

        def configure_optimizers(self) -> "torch.optim.Optimizer":
            return torch.optim.SGD(self.parameters(), lr=0.1)

    return Ending()


def data() -> "LightningDataModule":
    """A few samples."""
    import torch
    from lightning.pytorch import LightningDataModule
    from torch.utils.data import TensorDataset

    return LightningDataModule.from_datasets(TensorDataset(torch.zeros(8, 1)))


def plain() -> None:
    """Train as one does without us."""
    from lightning.pytorch import Trainer

    Trainer(max_epochs=1, accelerator="cpu", default_root_dir=tempfile.mkdtemp(), logger=False).fit(model(), data())


def typed() -> None:
    """Compile a configuration, identify it, make a run of it, and train that."""
    from typedcfg import Experiment, Runner, section
    from typedcfg.sections.trainer import Trainer

    class Ending(Experiment):
        """A run that ends with its first step."""

        trainer: Trainer = section(Trainer, max_epochs=1, accelerator="cpu")

        def build_model(self) -> "LightningModule":
            return model()

        def build_data(self) -> "LightningDataModule":
            return data()

    os.chdir(tempfile.mkdtemp())
    Runner(Ending.compile()).fit()
