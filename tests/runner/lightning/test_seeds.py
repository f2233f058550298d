import os
import random

import numpy as np
import pytest
import torch

from typedcfg.runner.lightning.seeds import RandomStream, determinism, make_deterministic, seed_all


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002  # the global one is meant


def test_one_seed_gives_the_same_numbers_from_every_generator() -> None:
    seed_all(3)
    first = draw()

    seed_all(3)

    assert draw() == first


def test_zero_is_a_seed_like_any_other() -> None:
    seed_all(0)
    first = draw()
    seed_all(5)
    other = draw()

    seed_all(0, rank=0)

    assert draw() == first != other


def test_each_rank_draws_its_own_numbers() -> None:
    seed_all(3)
    first = draw()

    seed_all(3, rank=1)

    assert all(one != other for one, other in zip(draw(), first, strict=True))


def test_a_seed_and_a_rank_may_pass_the_bound_of_numpy() -> None:
    seed_all(2**32 - 1, rank=1)
    first = draw()

    seed_all(0)

    assert draw() == first


def test_deterministic_mode_refuses_what_has_no_deterministic_algorithm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    flags = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    try:
        make_deterministic()

        with pytest.raises(RuntimeError, match="does not have a deterministic implementation"):
            torch.zeros(4).put_(torch.tensor([0]), torch.tensor([1.0]))
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
        assert (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark) == (True, False)
    finally:
        torch.use_deterministic_algorithms(mode=False)
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = flags


def test_a_stream_gives_its_numbers_whatever_is_drawn_between() -> None:
    def drawn(stream: RandomStream) -> list[tuple[float, float, float]]:
        numbers = []
        for _ in range(3):
            with stream.drawn_from():
                numbers.append(draw())
            draw()
        return numbers

    assert drawn(RandomStream(5)) == drawn(RandomStream(5))
    assert drawn(RandomStream(5)) != drawn(RandomStream(6))


def test_drawing_from_a_stream_leaves_the_generators_as_they_were() -> None:
    generator = torch.Generator().manual_seed(3)
    expected = torch.rand((), generator=torch.Generator().manual_seed(3))
    seed_all(3)
    first = draw()
    seed_all(3)

    with RandomStream(5, [generator]).drawn_from():
        draw(), torch.rand((), generator=generator)

    assert draw() == first
    assert torch.rand((), generator=generator) == expected
    assert generator.initial_seed() == 3


def test_determinism_ends_with_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)

    with determinism(is_on=True):
        assert torch.are_deterministic_algorithms_enabled()
        assert "CUBLAS_WORKSPACE_CONFIG" in os.environ

    assert not torch.are_deterministic_algorithms_enabled()
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ


def test_a_workspace_of_the_users_own_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")

    with determinism(is_on=True):
        pass

    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"
