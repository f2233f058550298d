import pytest
import torch

from typedcfg.runner.lightning.metrics import batch_length, by_split


@pytest.mark.parametrize(
    ("name", "split", "metric"),
    [
        ("train/loss", "train", "loss"),
        ("val/top/5", "val", "top/5"),
        ("dev/loss", "dev", "loss"),
        ("val_loss", "val", "loss"),
        ("test_top_5", "test", "top_5"),
        ("loss", "train", "loss"),
        ("loss/dataloader_idx_1", "train", "loss/dataloader_idx_1"),
        ("value_loss", "train", "value_loss"),
        ("val_", "train", "val_"),
        ("val/loss/dataloader_idx_1", "val", "loss/dataloader_idx_1"),
    ],
)
def test_a_name_tells_the_split(name: str, split: str, metric: str) -> None:
    assert by_split({name: 1.0}, "train") == {split: {metric: 1.0}}


@pytest.mark.parametrize(
    ("batch", "length"),
    [
        (torch.zeros(3, 2), 3),
        ([torch.zeros(3, 2), torch.zeros(3)], 3),
        ({"text": "ab", "ids": torch.zeros(5)}, 5),
        (torch.tensor(1.0), 1),
        ("text", None),
        ([], None),
    ],
)
def test_a_batch_tells_its_length_by_its_first_tensor(batch: object, length: int | None) -> None:
    assert batch_length(batch) == length
