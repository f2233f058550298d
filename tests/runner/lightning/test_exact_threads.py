"""A matrix product is cut into as many parts as there are threads, and rounds otherwise by another number."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from typedcfg.runner.lightning.exact import ExactState
from typedcfg.runner.lightning.seeds import seed_all

Fit: TypeAlias = Callable[..., Tensor]


class Wide(LightningModule):
    """Wide enough for two threads to share its work."""

    def __init__(self) -> None:
        super().__init__()
        first, second = nn.Linear(8, 512), nn.Linear(512, 512)
        self.layers = nn.Sequential(first, nn.BatchNorm1d(512), nn.ReLU(), second, nn.ReLU(), nn.Linear(512, 3))

    def training_step(self, batch: list[Tensor], *_: object) -> Tensor:
        return nn.functional.cross_entropy(self.layers(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=0.01)

    def train_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        draws = torch.Generator().manual_seed(0)
        samples = TensorDataset(torch.randn(512, 8, generator=draws), torch.randint(3, (512,), generator=draws))
        return DataLoader(samples, batch_size=64, shuffle=True)


@pytest.fixture
def fit(trainer: Callable[..., Trainer]) -> Iterator[Fit]:
    """Train for some epochs in a process of so many threads; the weights in the end."""

    def train(epochs: int, *callbacks: Callback, threads: int, save: Path | None = None, **options: Any) -> Tensor:
        torch.set_num_threads(threads)
        seed_all(1)
        fitting = trainer(epochs, *callbacks)
        fitting.fit(module := Wide(), **options)
        if save is not None:
            fitting.save_checkpoint(save)
        return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])

    before = torch.get_num_threads()
    yield train
    torch.set_num_threads(before)


@pytest.mark.parametrize(("saved", "has"), [(2, 1), (1, 2), (4, 1), (3, 8)])
def test_a_resume_computes_with_the_threads_that_were_saved(fit: Fit, tmp_path: Path, saved: int, has: int) -> None:
    straight = fit(4, ExactState(seed=1), threads=saved)

    fit(2, ExactState(seed=1), threads=saved, save=tmp_path / "two.ckpt")
    resumed = fit(4, exact := ExactState(seed=1), threads=has, ckpt_path=tmp_path / "two.ckpt")

    assert torch.equal(resumed, straight)
    assert exact.not_bitwise_because == ()
    assert torch.get_num_threads() == has


def test_a_number_of_threads_that_is_asked_for_is_taken_and_told_where_it_was_another(fit: Fit, tmp_path: Path) -> None:
    straight = fit(4, ExactState(seed=1), threads=2)

    fit(2, ExactState(seed=1), threads=2, save=tmp_path / "two.ckpt")
    resumed = fit(4, exact := ExactState(seed=1, threads=1), threads=2, ckpt_path=tmp_path / "two.ckpt")

    assert not torch.equal(resumed, straight)
    assert exact.not_bitwise_because == ("saved with 2 threads, resumed with 1",)
    assert torch.get_num_threads() == 2


def test_what_is_saved_behind_a_fit_names_the_threads_that_it_was_fitted_with(fit: Fit, tmp_path: Path) -> None:
    straight = fit(4, ExactState(seed=1), threads=1)

    fit(2, ExactState(seed=1, threads=1), threads=2, save=tmp_path / "two.ckpt")
    resumed = fit(4, exact := ExactState(seed=1), threads=2, ckpt_path=tmp_path / "two.ckpt")

    assert torch.equal(resumed, straight)
    assert exact.not_bitwise_because == ()


def test_a_fit_that_fails_leaves_the_process_its_threads(fit: Fit) -> None:
    class Broken(Callback):
        def on_train_epoch_end(self, *_: object) -> None:
            assert torch.get_num_threads() == 1
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fit(1, ExactState(seed=1, threads=1), Broken(), threads=2)

    assert torch.get_num_threads() == 2


def test_a_checkpoint_that_tells_no_number_of_threads_changes_none(fit: Fit, tmp_path: Path) -> None:
    fit(1, ExactState(seed=1), threads=2, save=tmp_path / "one.ckpt")
    checkpoint = torch.load(tmp_path / "one.ckpt", weights_only=True)
    del checkpoint["typedcfg_exact"][0]["threads"]
    torch.save(checkpoint, tmp_path / "one.ckpt")

    class Seen(Callback):
        def on_train_epoch_start(self, *_: object) -> None:
            assert torch.get_num_threads() == 1

    fit(2, exact := ExactState(seed=1), Seen(), threads=1, ckpt_path=tmp_path / "one.ckpt")

    assert exact.not_bitwise_because == ()
