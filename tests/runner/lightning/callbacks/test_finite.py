import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from typedcfg.errors import RunFailed
from typedcfg.records.checkpoint_record import committed
from typedcfg.records.result_record import best_index, read_results
from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.callbacks.finite import FiniteWatch
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO

BATCHES = 60


class Diverging(LightningModule):
    """Its loss, or after the last step its weight, is NaN from a step on."""

    def __init__(self, loss_at: int | None = None, weight_at: int | None = None) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.loss_at = loss_at
        self.weight_at = weight_at

    def training_step(self, batch: Tensor, *_: object) -> Tensor:
        loss: Tensor = self.layer(batch).pow(2).mean()
        if self.loss_at is not None and self.global_step >= self.loss_at:
            loss = loss * torch.nan
        self.log("val/loss", loss, on_step=False, on_epoch=True)
        return loss

    def on_train_batch_end(self, *_: object) -> None:
        if self.global_step == self.weight_at:
            with torch.no_grad():
                self.layer.weight.fill_(torch.inf)

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.01)


@pytest.fixture
def train(tmp_path: Path) -> Callable[..., FiniteWatch]:
    def train_with(watch: FiniteWatch, model: Diverging, *, epochs: int = 2) -> FiniteWatch:
        recorder = Recorder(tmp_path)
        trainer = Trainer(
            accelerator="cpu",
            max_epochs=epochs,
            callbacks=[watch, recorder, CheckpointPolicy(recorder)],
            plugins=[VerifiedCheckpointIO()],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(model, DataLoader(torch.ones(BATCHES, 1), batch_size=1))  # type: ignore[arg-type]  # any iterable
        return watch

    return train_with


def test_a_loss_that_is_no_number_fails_the_training_with_its_step(train: Callable[..., FiniteWatch]) -> None:
    with pytest.raises(RunFailed, match="the training loss is not finite after step 8"):
        train(FiniteWatch(), Diverging(loss_at=7))


def test_short_epochs_that_nobody_saves_are_looked_at_too() -> None:
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=30,
        callbacks=[watch := FiniteWatch()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )

    with pytest.raises(RunFailed, match="the training loss is not finite after step 8"):
        trainer.fit(Diverging(loss_at=7), DataLoader(torch.ones(5, 1), batch_size=1))  # type: ignore[arg-type]  # as above

    assert watch.not_finite_since == 8
    assert trainer.global_step <= 50


def test_an_epoch_that_diverged_is_neither_saved_nor_told(train: Callable[..., FiniteWatch], tmp_path: Path) -> None:
    with pytest.raises(RunFailed):
        train(FiniteWatch(), Diverging(loss_at=BATCHES + 55))

    assert [manifest.step for manifest in committed(tmp_path / "checkpoints").values()] == [BATCHES]
    assert list(read_results(tmp_path / "results.jsonl")) == [1]


def test_a_weight_that_the_last_step_made_infinite_fails_the_training(train: Callable[..., FiniteWatch]) -> None:
    with pytest.raises(RunFailed, match=f"a weight is not finite after step {BATCHES}"):
        train(FiniteWatch(), Diverging(weight_at=BATCHES), epochs=1)


def test_a_training_that_may_go_on_says_so_at_once_and_at_its_end(
    train: Callable[..., FiniteWatch], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "typedcfg"):
        watch = train(FiniteWatch("continue"), Diverging(loss_at=BATCHES + 1))

    results = read_results(tmp_path / "results.jsonl")
    assert watch.not_finite_since == BATCHES + 2
    assert caplog.text.count("not finite") == 2
    assert list(results) == [1, 2]
    assert best_index(results, Recorder(tmp_path).rule) == 1, "NaN is never best"


class Manual(Diverging):
    """Optimizes by itself, and returns the loss of each sample."""

    def __init__(self, loss_at: int | None = None) -> None:
        super().__init__(loss_at)
        self.automatic_optimization = False

    def training_step(self, batch: Tensor, *_: object) -> Any:
        optimizer: Any = self.optimizers()
        losses = self.layer(batch.repeat(3, 1)).pow(2).flatten()
        optimizer.zero_grad()
        self.manual_backward(losses.mean())
        optimizer.step()
        if self.loss_at is not None and self.global_step > self.loss_at:
            losses = torch.stack([losses[0], losses[1] * torch.nan, losses[2]])
        return {"loss": losses}


def test_one_sample_of_many_that_has_no_number_is_seen(train: Callable[..., FiniteWatch]) -> None:
    with pytest.raises(RunFailed, match="the training loss is not finite after step 8"):
        train(FiniteWatch(), Manual(loss_at=7))

    assert train(FiniteWatch(), Manual()).not_finite_since is None


def test_numbers_are_left_alone(train: Callable[..., FiniteWatch]) -> None:
    assert train(FiniteWatch(), Diverging()).not_finite_since is None
