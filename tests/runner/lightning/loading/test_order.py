import torch
from hypothesis import given
from hypothesis import strategies as st

from typedcfg.runner.lightning.loading.order import epoch_order, key, share

sizes = st.integers(0, 60)
ranks = st.integers(1, 5)


def test_a_key_is_another_one_for_other_numbers() -> None:
    keys = [key(seed, epoch, place) for seed in range(8) for epoch in range(8) for place in range(8)]

    assert len(set(keys)) == 512
    assert key(-1) == key(2**64 - 1)


@given(sizes, st.integers(-(2**63), 2**64), st.integers(0, 99))
def test_an_epochs_order_has_every_sample_once_and_is_always_the_same(size: int, seed: int, epoch: int) -> None:
    order = epoch_order(size, seed=seed, epoch=epoch, shuffle=True)

    assert sorted(order.tolist()) == list(range(size))
    assert torch.equal(order, epoch_order(size, seed=seed, epoch=epoch, shuffle=True))


def test_seed_epoch_and_lap_each_make_another_order() -> None:
    first = epoch_order(50, seed=1, epoch=1, shuffle=True)

    others = [
        epoch_order(50, seed=2, epoch=1, shuffle=True),
        epoch_order(50, seed=1, epoch=2, shuffle=True),
        epoch_order(50, seed=1, epoch=1, shuffle=True, lap=1),
    ]

    assert not any(torch.equal(first, other) for other in others)


def test_without_shuffling_the_order_is_the_data_sets() -> None:
    assert epoch_order(3, seed=1, epoch=2, shuffle=False).tolist() == [0, 1, 2]


@given(sizes, ranks)
def test_shares_in_turn_are_the_order_padded_from_its_beginning(size: int, world_size: int) -> None:
    order = epoch_order(size, seed=1, epoch=0, shuffle=True)
    shares = [share(order, rank=rank, world_size=world_size).tolist() for rank in range(world_size)]

    in_turn = [index for indices in zip(*shares, strict=True) for index in indices]
    assert in_turn[:size] == order.tolist()
    assert in_turn[size:] == (order.tolist() * world_size)[: len(in_turn) - size]
    assert len(in_turn) - size < world_size


@given(sizes, ranks)
def test_shares_that_leave_out_what_is_uneven_have_no_sample_twice(size: int, world_size: int) -> None:
    order = epoch_order(size, seed=1, epoch=0, shuffle=True)

    shares = [share(order, rank=rank, world_size=world_size, drop_uneven=True).tolist() for rank in range(world_size)]

    assert len({len(indices) for indices in shares}) == 1
    assert sum(len(indices) for indices in shares) == size - size % world_size
    assert len({index for indices in shares for index in indices}) == size - size % world_size
