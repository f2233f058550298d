import random
from typing import Any

import pytest
import torch
from torch.utils.data import ConcatDataset, Dataset, Subset, TensorDataset, default_collate

from typedcfg.runner.lightning.loading.keyed import KeyedBatches
from typedcfg.runner.lightning.loading.sampler import Request

KEPT = TensorDataset(torch.arange(4.0))
REQUEST = Request([0, 1], key=7, first=0, stride=1)


class Drawing(Dataset[float]):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> float:
        return index + random.random()


class DrawingTensors(TensorDataset):
    def __getitem__(self, index: int) -> Any:
        return self.tensors[0][index] + torch.rand(())


def drawing_collate(samples: list[Any]) -> Any:
    return default_collate(samples), random.random()


@pytest.mark.parametrize("dataset", [KEPT, Subset(KEPT, [0, 1]), ConcatDataset([KEPT, KEPT]), [0.0, 1.0], range(4)])
def test_what_draws_nothing_is_not_seeded(dataset: Any) -> None:
    assert not KeyedBatches(dataset, default_collate).keyed


@pytest.mark.parametrize(
    "dataset",
    [
        Drawing(),
        DrawingTensors(torch.arange(4.0)),
        Subset(Drawing(), [0, 1]),
        Subset(DrawingTensors(torch.arange(4.0)), [0, 1]),
        ConcatDataset([KEPT, DrawingTensors(torch.arange(4.0))]),
    ],
)
def test_what_may_draw_gives_the_same_batch_whenever_it_is_fetched(dataset: Any) -> None:
    batches = KeyedBatches(dataset, default_collate)

    first = batches[REQUEST]
    random.random(), torch.rand(())

    assert str(batches[REQUEST]) == str(first)


def test_a_collation_that_draws_is_seeded_whatever_it_collates() -> None:
    batches = KeyedBatches([0.0, 1.0], drawing_collate)

    assert batches[REQUEST][1] == batches[REQUEST][1]
