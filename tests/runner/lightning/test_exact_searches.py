"""Searches for a learning rate and a batch size, in a training that goes on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule
from lightning.pytorch.callbacks import BatchSizeFinder, LearningRateFinder
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from typedcfg.records.checkpoint_record import committed
from typedcfg.runner.lightning.exact import ExactState
from typedcfg.runner.lightning.seeds import seed_all

FEATURES = torch.randn(24, 4, generator=torch.Generator().manual_seed(0))


class Searched(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))
        self.lr, self.batch_size = 0.05, 1
        self.lr_at_first: float | None = None

    def training_step(self, batch: list[Tensor], *_: object) -> Tensor:
        loss: Tensor = (self.layers(batch[0]) - batch[0].sum(1, keepdim=True)).pow(2).mean()
        self.log("train/loss", loss, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self) -> Any:
        self.lr_at_first = self.lr
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.lr)
        return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)]

    def train_dataloader(self) -> Any:
        return DataLoader(TensorDataset(FEATURES), self.batch_size, shuffle=True)


def rate_search(*, update_attr: bool = True) -> Callback:
    return LearningRateFinder(num_training_steps=60, early_stop_threshold=None, update_attr=update_attr)


def size_search() -> Callback:
    return BatchSizeFinder(max_trials=1, init_val=4)


SEARCHES: dict[str, Callable[[], list[Callback]]] = {
    "rate": lambda: [rate_search()],
    "rate, not set": lambda: [rate_search(update_attr=False)],
    "size": lambda: [size_search()],
    "both": lambda: [rate_search(), size_search()],
}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_a_training_that_goes_on_has_what_was_found_and_searches_no_more(
    search: Callable[[], list[Callback]], tmp_path: Path, saving: Callable[..., Any]
) -> None:
    options: dict[str, Any] = {"default_root_dir": tmp_path}
    seed_all(1)
    keep = {"every_n_steps": 1, "keep_last": 99}
    before, policy = saving(tmp_path / "whole", 2, ExactState(seed=1), *search(), keep=keep, **options)
    before.fit(whole := Searched())
    *written, _ = committed(policy.checkpoints.path)  # after the last there is nothing to do

    for path in written[1 :: len(written) // 3]:
        seed_all(5)
        again, rest = saving(tmp_path / path.stem, 2, exact := ExactState(seed=1), *search(), **options)
        again.fit(part := Searched(), ckpt_path=path, weights_only=True)

        assert all(map(torch.equal, whole.state_dict().values(), part.state_dict().values()))
        assert (part.lr, part.batch_size, part.lr_at_first) == (whole.lr, whole.batch_size, 0.05)
        for epoch, result in rest.recorder.results.items():
            assert result.splits == policy.recorder.results[epoch].splits
        assert exact.not_bitwise_because == ()
    assert list(tmp_path.rglob("*.ckpt*")) == list(tmp_path.rglob("checkpoints/*.ckpt*"))


def test_what_is_found_is_not_what_was_configured(tmp_path: Path, saving: Callable[..., Any]) -> None:
    trainer, _ = saving(tmp_path, 1, ExactState(seed=1), *SEARCHES["both"](), default_root_dir=tmp_path)

    trainer.fit(model := Searched())

    assert model.lr != 0.05
    assert model.batch_size == 4


def test_a_search_that_comes_before_the_checkpoint_is_loaded_is_told(
    tmp_path: Path, saving: Callable[..., Any]
) -> None:
    class LoadingLate(SingleDeviceStrategy):
        restore_checkpoint_after_setup = True

    def fit(epochs: int, path: Path | None = None) -> tuple[Any, tuple[str, ...]]:
        options = {"strategy": LoadingLate("cpu"), "default_root_dir": tmp_path}
        trainer, policy = saving(tmp_path, epochs, exact := ExactState(seed=1), rate_search(), **options)
        trainer.fit(Searched(), ckpt_path=path)
        return policy, exact.not_bitwise_because

    policy, _ = fit(1)
    _, told = fit(2, policy.find_resumable().path)

    assert "LearningRateFinder searched once more, and may have found something else" in told


def test_a_training_that_begins_with_callbacks_that_went_on_searches(
    tmp_path: Path, saving: Callable[..., Any]
) -> None:
    search = LearningRateFinder(num_training_steps=60, early_stop_threshold=None)
    first, policy = saving(tmp_path / "first", 1, ExactState(seed=1), search, default_root_dir=tmp_path)
    first.fit(Searched())
    search.optimal_lr = None
    on, _ = saving(tmp_path / "on", 2, ExactState(seed=1), search, default_root_dir=tmp_path)
    on.fit(Searched(), ckpt_path=policy.find_resumable().path)
    had_searched = search.optimal_lr is not None

    new, _ = saving(tmp_path / "new", 1, ExactState(seed=1), search, default_root_dir=tmp_path)
    new.fit(Searched())

    assert not had_searched
    assert search.optimal_lr is not None
