import copy
import pickle
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.demos.boring_classes import BoringModel, RandomDataset

from typedcfg.runner.lightning.callbacks.listener import Listener


class Counting(Listener):
    """Counts batches, as one who calls `super()`."""

    def __init__(self) -> None:
        self.batches = 0

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *rest: Any) -> None:
        super().on_train_batch_end(trainer, pl_module, *rest)
        self.batches += 1


class CountingFurther(Counting):
    def on_train_batch_start(self, *_: Any) -> None:
        self.batches += 100


def fit(listener: Counting) -> int:
    trainer = Trainer(
        max_epochs=1,
        limit_train_batches=3,
        limit_val_batches=1,
        accelerator="cpu",
        callbacks=[listener],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(BoringModel(), torch.utils.data.DataLoader(RandomDataset(32, 3)))
    return listener.batches


def test_a_hook_that_a_class_has_is_called_and_no_other() -> None:
    assert fit(Counting()) == 3
    assert Counting().on_before_backward is None


def test_a_hook_of_a_subclass_is_called_too() -> None:
    assert fit(CountingFurther()) == 303


def test_a_copy_listens_as_the_original_does() -> None:
    for copied in (copy.deepcopy(Counting()), pickle.loads(pickle.dumps(Counting()))):
        assert fit(copied) == 3
