"""Buckets that DDP sums gradients in, on one rank that counts as three: what is kept, and what DDP begins with."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor, distributed, nn
from torch._C._distributed_c10d import HashStore
from torch.nn.parallel import DistributedDataParallel

from typedcfg.runner.lightning.exact.buckets import Buckets, GradientBuckets

AS_READY = [[5, 4], [3, 2], [1, 0]]
"""Each layer's alone, for they are larger than a bucket."""


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    distributed.init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


class Model(nn.Module):
    """Layers that are used from the last to the first, or the other way round."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(8, 8) for _ in range(3))
        self.is_reversed = False

    def forward(self, features: Tensor) -> Tensor:
        for layer in reversed(self.layers) if self.is_reversed else self.layers:
            features = layer(features)
        return features


def trainer_of(world_size: int = 3, **options: Any) -> Any:
    """What stands for a trainer."""
    strategy = DDPStrategy(parallel_devices=[torch.device("cpu")], bucket_cap_mb=1e-4, **options)
    return SimpleNamespace(strategy=strategy, world_size=world_size)


def begin(trainer: Any) -> DistributedDataParallel:
    """What Lightning does before the first step."""
    trainer.strategy.model = ddp = trainer.strategy._setup_model(Model())
    assert isinstance(ddp, DistributedDataParallel)
    return ddp


def step(ddp: DistributedDataParallel) -> None:
    ddp(torch.ones(2, 8)).sum().backward()


def buckets_of(ddp: DistributedDataParallel) -> Buckets:
    """Those that the next step sums in, as torch has them."""
    numbers = {id(parameter): number for number, parameter in enumerate(ddp.parameters())}
    buckets = ddp.reducer._get_zeros_like_grad_buckets()
    return [[numbers[id(parameter)] for parameter in bucket.parameters()] for bucket in buckets]


def test_before_a_step_ddp_has_its_own() -> None:
    begin(trainer := trainer_of())

    assert GradientBuckets().capture(trainer) is None


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_those_of_the_next_step_are_captured(steps: int) -> None:
    ddp = begin(trainer := trainer_of())
    for _ in range(steps):
        step(ddp)

    captured = GradientBuckets().capture(trainer)

    step(ddp)
    assert captured == buckets_of(ddp) == AS_READY


def test_steps_go_on_from_what_was_captured_by_a_validation() -> None:
    step(ddp := begin(trainer := trainer_of()))
    with torch.inference_mode():
        GradientBuckets().capture(trainer)

    step(ddp)

    assert buckets_of(ddp) == AS_READY


def test_two_ranks_sum_alike_in_any() -> None:
    step(begin(trainer := trainer_of(world_size=2)))

    assert GradientBuckets().capture(trainer) is None


def test_who_looks_for_unused_parameters_keeps_those_that_ddp_begins_with() -> None:
    step(begin(trainer := trainer_of(find_unused_parameters=True)))

    assert GradientBuckets().capture(trainer) is None
    assert list(GradientBuckets().doubts(trainer)) == []


def test_ddp_begins_with_those_that_were_saved() -> None:
    trainer, buckets = trainer_of(), GradientBuckets()
    buckets.restore([[0, 5], [1], [4, 3, 2]], trainer, is_told=True)

    ddp = begin(trainer)

    assert buckets_of(ddp) == buckets.capture(trainer) == [[0, 5], [1], [4, 3, 2]]
    assert list(buckets.doubts_of_resume(trainer)) == []


def test_the_next_ddp_begins_with_its_own() -> None:
    trainer, buckets = trainer_of(), GradientBuckets()
    own = buckets_of(begin(trainer))
    buckets.restore(AS_READY, trainer, is_told=True)
    begin(trainer)

    assert buckets_of(begin(trainer)) == own != AS_READY


def test_nothing_is_left_of_a_ddp_that_could_not_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, assign = trainer_of(), vars(distributed)["_compute_bucket_assignment_by_size"]
    GradientBuckets().restore(AS_READY, trainer, is_told=True)
    monkeypatch.setattr(distributed, "Reducer", None)
    with pytest.raises(TypeError):
        begin(trainer)

    assert vars(distributed)["_compute_bucket_assignment_by_size"] is assign
    assert "_setup_model" not in vars(trainer.strategy)


def test_a_fit_that_came_to_no_ddp_leaves_none_to_the_next() -> None:
    trainer, buckets = trainer_of(), GradientBuckets()
    buckets.restore(AS_READY, trainer, is_told=True)

    buckets.begin(trainer)

    assert buckets_of(begin(trainer)) != AS_READY
    assert list(buckets.doubts_of_resume(trainer)) == []


def test_other_parameters_are_summed_in_other_buckets_and_it_is_told() -> None:
    trainer, buckets = trainer_of(), GradientBuckets()
    buckets.restore([[0, 1]], trainer, is_told=True)
    begin(trainer)

    reasons = list(buckets.doubts_of_resume(trainer))

    assert reasons == ["DDP does not begin with the buckets that it summed gradients in"]


def test_a_checkpoint_without_them_is_told() -> None:
    begin(trainer := trainer_of())
    (buckets := GradientBuckets()).restore(None, trainer, is_told=False)

    reasons = list(buckets.doubts_of_resume(trainer))

    assert reasons == ["its checkpoint does not tell the buckets that DDP summed gradients in"]


@pytest.mark.parametrize("world_size", [1, 2])
def test_one_or_two_ranks_need_none(world_size: int) -> None:
    begin(trainer := trainer_of(world_size=world_size))
    (buckets := GradientBuckets()).restore(None, trainer, is_told=False)

    assert list(buckets.doubts_of_resume(trainer)) == []


def test_gradients_that_become_ready_in_another_order_are_told() -> None:
    trainer, buckets = trainer_of(), GradientBuckets()
    buckets.restore(AS_READY, trainer, is_told=True)
    ddp = begin(trainer)
    ddp.module.is_reversed = True
    step(ddp)

    (reason,) = buckets.doubts_of_resume(trainer)

    assert reason.startswith("gradients became ready in another order")


@pytest.mark.parametrize(("steps", "reasons"), [(0, 0), (1, 1), (2, 0), (3, 0)])
def test_a_static_graph_is_in_doubt_after_its_first_step(steps: int, reasons: int) -> None:
    ddp = begin(trainer := trainer_of(static_graph=True))
    for _ in range(steps):
        step(ddp)

    assert len(list(GradientBuckets().doubts(trainer))) == reasons


def test_a_torch_that_does_not_tell_them_is_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    step(begin(trainer := trainer_of()))
    monkeypatch.setattr(DistributedDataParallel, "_get_ddp_logging_data", lambda _: {})

    (reason,) = GradientBuckets().doubts(trainer)

    assert reason.startswith("torch does not tell")
