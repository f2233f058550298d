from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import BatchSampler, RandomSampler, SubsetRandomSampler, WeightedRandomSampler

from typedcfg.runner.lightning.loading.sampler import DrawnOrder, ExactBatchSampler, ExactSampler, Order

sizes = st.integers(0, 40)
batch_sizes = st.integers(1, 7)


def batches_of(order: Order, batch_size: int, *, epoch: int = 3, drop_last: bool = False) -> ExactBatchSampler:
    batches = ExactBatchSampler(order, batch_size, drop_last=drop_last)
    batches.set_epoch(epoch)
    return batches


@given(sizes, batch_sizes, st.integers(1, 3), st.data())
def test_from_any_batch_on_come_the_batches_that_would_have_come(
    size: int, batch_size: int, world_size: int, data: st.DataObject
) -> None:
    rank = data.draw(st.integers(0, world_size - 1))
    order = ExactSampler(range(size), shuffle=True, seed=1, rank=rank, world_size=world_size)
    batches = batches_of(order, batch_size, drop_last=data.draw(st.booleans()))
    start = data.draw(st.integers(0, len(batches)))
    whole = list(batches)

    batches.seek(start)

    assert list(batches) == whole[start:]
    assert len(whole) == len(batches)


@given(sizes, batch_sizes, st.integers(1, 4))
def test_the_ranks_batches_together_are_the_epochs_order(size: int, batch_size: int, world_size: int) -> None:
    whole = list(ExactSampler(range(size), shuffle=True, seed=1, rank=0, world_size=1))
    per_rank = [
        list(ExactSampler(range(size), shuffle=True, seed=1, rank=rank, world_size=world_size))
        for rank in range(world_size)
    ]
    orders = [ExactSampler(range(size), shuffle=True, seed=1, rank=r, world_size=world_size) for r in range(world_size)]

    batches = [[index for batch in batches_of(order, batch_size, epoch=0) for index in batch] for order in orders]

    assert batches == per_rank
    assert [index for turn in zip(*batches, strict=True) for index in turn][:size] == whole


def test_an_epoch_that_is_gone_through_again_comes_in_another_order() -> None:
    batches = batches_of(ExactSampler(range(20), shuffle=True), 20)

    first, again = list(batches), list(batches)

    assert first != again
    batches.seek(0, lap=1)
    assert list(batches) == again


def test_another_epoch_begins_at_its_beginning() -> None:
    batches = batches_of(ExactSampler(range(9), shuffle=True), 2)
    whole = list(batches)

    batches.seek(3)
    batches.set_epoch(4)

    assert len(list(batches)) == 5
    batches.set_epoch(3)
    assert list(batches) == whole


def test_the_epoch_that_is_told_to_the_sampler_counts() -> None:
    order = ExactSampler(range(9), shuffle=True)
    expected = list(batches_of(ExactSampler(range(9), shuffle=True), 2, epoch=5))

    batches = ExactBatchSampler(order, 2)
    order.set_epoch(5)

    assert list(batches) == expected


@pytest.mark.parametrize(
    "sampler",
    [
        RandomSampler(range(10), replacement=True),
        RandomSampler(range(10), num_samples=25),
        WeightedRandomSampler([0.1, 0.9, 0.5], 12),
        SubsetRandomSampler([1, 5, 7], generator=torch.Generator()),
        BatchSampler(RandomSampler(range(10)), 3, drop_last=False),
        [3, 1, 2],
    ],
    ids=["replacement", "several rounds", "weighted", "subset", "batches", "list"],
)
def test_any_sampler_gives_its_epoch_again_whatever_was_drawn_meanwhile(sampler: list[int]) -> None:
    batches = batches_of(DrawnOrder(sampler, yields_batches=isinstance(sampler, BatchSampler)), 2)
    whole = list(batches)
    torch.rand(5)

    batches.seek(1)

    assert list(batches) == whole[1:]
    assert len(batches) == len(whole)


def test_drawing_an_order_leaves_the_generators_as_they_were() -> None:
    generator = torch.Generator()
    before = torch.get_rng_state(), generator.get_state()

    list(batches_of(DrawnOrder(SubsetRandomSampler(range(9), generator=generator)), 2))

    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.equal(generator.get_state(), before[1])


def test_a_sampler_is_asked_no_earlier_than_its_batch_is() -> None:
    asked = []

    class Adaptive:
        def __iter__(self) -> Iterator[int]:
            for index in range(6):
                asked.append(index)
                yield index

    batches = iter(batches_of(DrawnOrder(Adaptive()), 2))
    next(batches)

    assert asked == [0, 1]


def test_the_samplers_own_epoch_is_told_to_it() -> None:
    class Told(list[int]):
        epoch = 0

        def set_epoch(self, epoch: int) -> None:
            self.epoch = epoch

    sampler = Told([1, 2])

    list(batches_of(DrawnOrder(sampler), 2, epoch=7))

    assert sampler.epoch == 7


def test_a_batch_of_no_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 sample: got 0"):
        ExactBatchSampler(ExactSampler(range(3), shuffle=False), 0)
