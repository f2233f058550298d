from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import LearningRateFinder

from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.exact import ExactState
from typedcfg.runner.lightning.seeds import seed_all

Fit: TypeAlias = Callable[..., tuple[LightningModule, Mapping[int, Any]]]


@pytest.fixture
def fit(saving: Callable[..., tuple[Trainer, CheckpointPolicy]], toy: Callable[..., LightningModule]) -> Fit:
    """Train a toy for some epochs, from the start or from where a folder's checkpoints end."""

    def train(folder: Path, epochs: int, *callbacks: Callback, **options: Any) -> Any:
        seed_all(1)
        if options.get("generator"):
            options["generator"] = torch.Generator().manual_seed(7)
        module = toy(**options)
        trainer, policy = saving(folder, epochs, *callbacks)
        found = policy.find_resumable()
        trainer.fit(module, ckpt_path=found and found.path)
        return module, {epoch: result.splits for epoch, result in policy.recorder.results.items()}

    return train


def weights(module: LightningModule) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


@pytest.mark.parametrize(
    "options",
    [{}, {"generator": True}, {"plateau": True}, {"workers": 1}],
    ids=["shuffle", "own generator", "plateau", "workers"],
)
def test_a_training_resumed_between_epochs_is_bitwise_the_one_that_never_stopped(
    tmp_path: Path, fit: Fit, options: dict[str, Any]
) -> None:
    straight, expected = fit(tmp_path / "straight", 4, ExactState(seed=1), **options)

    fit(tmp_path / "halves", 2, ExactState(seed=1), **options)
    resumed, results = fit(tmp_path / "halves", 4, exact := ExactState(seed=1), **options)

    assert torch.equal(weights(resumed), weights(straight))
    assert results == expected
    assert exact.not_bitwise_because == ()


def test_without_exact_state_a_resumed_training_differs(tmp_path: Path, fit: Fit) -> None:
    straight, _ = fit(tmp_path / "straight", 4)

    fit(tmp_path / "halves", 2)
    resumed, _ = fit(tmp_path / "halves", 4)

    assert not torch.equal(weights(resumed), weights(straight))


def test_a_checkpoint_without_random_states_makes_a_resume_not_bitwise(tmp_path: Path, fit: Fit) -> None:
    fit(tmp_path, 1)

    fit(tmp_path, 2, exact := ExactState(seed=1))

    assert exact.not_bitwise_because == ("its checkpoint holds no random states: it was saved without ExactState",)


def test_another_number_of_ranks_makes_a_resume_not_bitwise(tmp_path: Path, fit: Fit) -> None:
    class TwoRanks(ExactState):
        def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
            super().on_save_checkpoint(trainer, pl_module, checkpoint)
            checkpoint["typedcfg_exact"] *= 2

    fit(tmp_path, 1, TwoRanks(seed=1))

    fit(tmp_path, 2, exact := ExactState(seed=1))

    assert exact.not_bitwise_because == ("saved by 2 ranks, resumed by 1 rank",)


def test_what_goes_on_from_an_inexact_training_is_no_more_exact(tmp_path: Path, fit: Fit) -> None:
    fit(tmp_path, 1)
    fit(tmp_path, 2, ExactState(seed=1))
    told: list[str] = []

    fit(tmp_path, 3, exact := ExactState(seed=1, on_doubt=told.extend))

    reason = "its checkpoint holds no random states: it was saved without ExactState"
    assert [*exact.not_bitwise_because] == told == [reason]


def test_the_seed_decides_what_training_draws(tmp_path: Path, fit: Fit) -> None:
    runs = [fit(tmp_path / str(number), 1, ExactState(seed=seed))[0] for number, seed in enumerate([1, 1, 2])]

    first, same, other = map(weights, runs)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_a_checkpoint_from_before_any_training_begins_one(
    tmp_path: Path, trainer: Callable[..., Trainer], toy: Callable[[], LightningModule]
) -> None:
    validating = trainer(1, ExactState(seed=1))
    validating.validate(module := toy(), verbose=False)
    validating.save_checkpoint(tmp_path / "none.ckpt")
    trainer(1, ExactState(seed=1)).fit(module)

    trainer(1, exact := ExactState(seed=1)).fit(begun := toy(), ckpt_path=tmp_path / "none.ckpt")

    assert torch.equal(weights(begun), weights(module))
    assert exact.not_bitwise_because == ()


def test_a_search_for_the_learning_rate_leaves_the_training_after_it_a_beginning(
    trainer: Callable[..., Trainer], toy: Callable[[], LightningModule]
) -> None:
    class Searched(toy):  # type: ignore[misc,valid-type]  # the fixture's class
        lr = 0.05

    search = LearningRateFinder(num_training_steps=20, early_stop_threshold=None, update_attr=False)
    fitting = trainer(2, exact := ExactState(seed=1), search)
    fitting.fit(Searched())

    assert fitting.global_step == 8
    assert exact.not_bitwise_because == ()
