import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    TensorDataset,
    WeightedRandomSampler,
    get_worker_info,
)

from typedcfg.runner.lightning.loading import ExactLoader, exact, why_not_exact


class Noisy(Dataset[Tensor]):
    """Augments from every global generator."""

    def __len__(self) -> int:
        return 11

    def __getitem__(self, index: int) -> Tensor:
        return torch.tensor([index, *draw()])


class Together(Noisy):
    def __getitems__(self, indices: list[int]) -> list[Tensor]:
        return [self[index] for index in indices]


class Endless(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        return iter(range(3))


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002  # the global one is meant


def noisy_collate(samples: list[Tensor]) -> Tensor:
    return torch.stack(samples) + torch.rand(())


def epoch_of(loader: ExactLoader[Any], start: int = 0, epoch: int = 2) -> list[Tensor]:
    loader.set_epoch(epoch)
    loader.seek(start)
    return list(loader)


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    return len(first) == len(second) and all(map(torch.equal, first, second))


@pytest.mark.parametrize(
    "options",
    [{}, {"num_workers": 1}, {"num_workers": 2, "prefetch_factor": 1}, {"num_workers": 2, "persistent_workers": True}],
    ids=["main process", "worker", "two workers", "kept workers"],
)
@pytest.mark.parametrize("dataset", [Noisy(), Together()], ids=["one by one", "together"])
def test_batches_are_the_same_with_any_workers_and_from_any_batch_on(dataset: Noisy, options: dict[str, Any]) -> None:
    expected = epoch_of(ExactLoader(dataset, 3, shuffle=True, seed=1, collate_fn=noisy_collate))
    loader = ExactLoader(dataset, 3, shuffle=True, seed=1, collate_fn=noisy_collate, **options)

    list(loader)  # kept workers have drawn by then

    assert same(epoch_of(loader), expected)
    assert same(epoch_of(loader, 2), expected[2:])


def test_samples_draw_numbers_of_their_own_each_time_they_come() -> None:
    loader = ExactLoader(Noisy(), 4, sampler=[5, 5, 5], seed=1)

    drawn = [*epoch_of(loader)[0][:, 1:].flatten().tolist(), *epoch_of(loader, epoch=3)[0][:, 1:].flatten().tolist()]

    assert len(set(drawn)) == 18


def test_two_ranks_draw_for_a_sample_what_one_alone_would() -> None:
    alone = torch.cat(epoch_of(ExactLoader(Noisy(), 4, shuffle=True, seed=1)))
    ranks: list[DistributedSampler[Tensor]] = [
        DistributedSampler(Noisy(), num_replicas=2, rank=rank) for rank in (0, 1)
    ]

    loaders = [exact(DataLoader(Noisy(), 2, sampler=sampler), seed=1) for sampler in ranks]

    in_turn = torch.stack([torch.cat(epoch_of(loader)) for loader in loaders], dim=1).flatten(0, 1)
    assert torch.equal(in_turn[:11], alone)


def test_the_generators_of_this_process_are_as_they_were_afterwards() -> None:
    random.seed(1), np.random.seed(1), torch.manual_seed(1)  # noqa: NPY002  # the global one is meant
    expected = draw()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)  # noqa: NPY002  # as above

    list(ExactLoader(Noisy(), 3, shuffle=True))

    assert draw() == expected


def test_without_keys_samples_draw_from_the_generators_as_they_stand() -> None:
    torch.manual_seed(1)
    first = epoch_of(ExactLoader(Noisy(), 11, keyed=False))
    torch.manual_seed(1)

    again = epoch_of(ExactLoader(Noisy(), 11, keyed=False))

    assert torch.equal(first[0][:, 3], again[0][:, 3])
    assert not torch.equal(first[0][:, 1], again[0][:, 1])


def note_dataset(worker_id: int) -> None:
    info = get_worker_info()
    assert info is not None
    info.dataset.offset = 100 * (worker_id + 1)  # type: ignore[attr-defined]


class Offset(Dataset[int]):
    offset = 0

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> int:
        return index + self.offset


def test_a_worker_begins_with_the_users_own_data_set() -> None:
    loader = ExactLoader(Offset(), 2, num_workers=1, worker_init_fn=note_dataset)

    assert [batch.tolist() for batch in loader] == [[100, 101]]


def test_a_loader_shows_what_it_was_given() -> None:
    dataset, sampler = Noisy(), WeightedRandomSampler([1.0] * 11, 5)

    loader = exact(DataLoader(dataset, 2, sampler=sampler, drop_last=True, collate_fn=noisy_collate), seed=1)

    assert (loader.dataset, loader.sampler, loader.batch_size, loader.drop_last) == (dataset, sampler, 2, True)
    assert loader.collate_fn is noisy_collate
    assert len(loader) == len(list(loader)) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 3, "shuffle": True},
        {"batch_size": 3, "drop_last": True},
        {"batch_size": None},
        {"sampler": RandomSampler(range(11), num_samples=4)},
        {"batch_sampler": BatchSampler(SequentialSampler(range(11)), 4, drop_last=False)},
        {"batch_sampler": [[1, 2], [3]]},
        {"batch_size": 2, "sampler": DistributedSampler(Noisy(), num_replicas=3, rank=1, drop_last=True)},
    ],
)
def test_as_many_batches_of_as_many_samples_come_as_before(options: dict[str, Any]) -> None:
    loader = DataLoader(TensorDataset(torch.arange(11)), **options)

    turned = exact(loader, seed=1)

    assert [len(batch[0]) if batch[0].ndim else 1 for batch in turned] == [
        len(batch[0]) if batch[0].ndim else 1 for batch in loader
    ]
    assert len(turned) == len(loader)


def test_what_is_in_order_stays_so() -> None:
    loader = exact(DataLoader(TensorDataset(torch.arange(6)), 2))

    assert torch.cat([batch[0] for batch in loader]).tolist() == list(range(6))


def test_a_loaders_own_generator_says_the_seed() -> None:
    def turned(seed: int) -> list[Tensor]:
        return list(exact(DataLoader(Noisy(), 3, shuffle=True, generator=torch.Generator().manual_seed(seed))))

    assert same(turned(1), turned(1))
    assert not same(turned(1), turned(2))


class Mine(DataLoader[Tensor]):
    pass


@pytest.mark.parametrize(
    ("loader", "reason"),
    [
        (Mine(Noisy()), "Mine is no plain DataLoader"),
        (DataLoader(Endless()), "Endless is an IterableDataset, which goes its own way"),
        (DataLoader(Noisy(), in_order=False), "in_order=False lets the quicker worker decide the order of batches"),
        ([1, 2], "list is no plain DataLoader"),
    ],
)
def test_a_loader_that_cannot_be_exact_is_left_with_the_reason(loader: Any, reason: str) -> None:
    assert why_not_exact(loader) == reason
    with pytest.raises(ValueError, match=reason):
        exact(loader)


def test_an_exact_loader_refuses_what_cannot_be_exact() -> None:
    with pytest.raises(ValueError, match="goes its own way"):
        ExactLoader(Endless())
    with pytest.raises(ValueError, match="quicker worker"):
        ExactLoader(Noisy(), in_order=False)
    with pytest.raises(ValueError, match="mutually exclusive with shuffle"):
        ExactLoader(Noisy(), shuffle=True, sampler=[1, 2])


def test_an_exact_loader_is_taken_as_it_is() -> None:
    loader = ExactLoader(Noisy())

    assert exact(loader, seed=3) is loader


def test_workers_end_with_their_loader() -> None:
    loader = ExactLoader(Noisy(), 3, num_workers=1, persistent_workers=True)
    list(loader)
    workers = loader._iterator._workers  # type: ignore[union-attr]

    del loader

    assert not workers[0].is_alive()
