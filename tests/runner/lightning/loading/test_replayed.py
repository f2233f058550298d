from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from typedcfg.runner.lightning.loading.replayed import ReplayedLoader


class Streamed(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        yield from torch.randperm(9).tolist()


def epoch_of(loader: ReplayedLoader, start: int = 0, epoch: int = 2) -> list[Any]:
    loader.set_epoch(epoch)
    loader.seek(start)
    return [batch.tolist() for batch in loader]


def test_an_epoch_comes_again_and_from_any_batch_on_whatever_was_drawn_meanwhile() -> None:
    loader = ReplayedLoader(DataLoader(Streamed(), batch_size=2), seed=1)
    whole = epoch_of(loader)
    torch.rand(5)

    assert epoch_of(loader) == whole
    assert epoch_of(loader, 2) == whole[2:]
    assert epoch_of(loader, epoch=3) != whole


def test_loading_leaves_the_generators_as_they_were() -> None:
    generator = torch.Generator()
    before = torch.get_rng_state(), generator.get_state()

    epoch_of(ReplayedLoader(DataLoader(Streamed(), batch_size=2, generator=generator)))

    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.equal(generator.get_state(), before[1])


def test_an_epoch_that_is_gone_through_again_comes_in_another_order() -> None:
    loader = ReplayedLoader(DataLoader(Streamed(), batch_size=9))

    first, again = list(loader), list(loader)

    assert not torch.equal(first[0], again[0])
    loader.seek(0, lap=1)
    assert torch.equal(next(iter(loader)), again[0])


def test_one_that_begins_again_is_gone_through_as_often_as_it_takes() -> None:
    loader = ReplayedLoader(DataLoader(Streamed(), batch_size=2))
    laps = [[batch.tolist() for batch in loader] for _ in range(3)]

    loader.seek(12, begins_again=True)

    assert [batch.tolist() for batch in loader] == laps[2][2:]
    loader.seek(12)
    assert list(loader) == []


def test_in_all_else_it_is_the_loader_that_it_was_made_of() -> None:
    dataset = TensorDataset(torch.arange(6))

    loader = ReplayedLoader(DataLoader(dataset, 2))

    assert (len(loader), loader.batch_size, loader.dataset) == (3, 2, dataset)


def test_a_loader_that_can_go_to_an_epoch_is_told_it() -> None:
    class Told(DataLoader[int]):
        epoch = 0

        def set_epoch(self, epoch: int) -> None:
            self.epoch = epoch

    ReplayedLoader(told := Told(Streamed(), batch_size=2)).set_epoch(3)

    assert told.epoch == 3
