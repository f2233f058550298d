from typing import Any

import pytest

from typedcfg.errors import RunError
from typedcfg.runner.extent import Extent, LoaderShape, progress
from typedcfg.runner.state import RunState
from typedcfg.sections.trainer import Trainer


def extent(length: int | None = 80, batch_size: int | None = 8, *, drop_last: bool = False, **settings: Any) -> Extent:
    return Extent(Trainer.compile(overrides=settings).params, LoaderShape(batch_size, length, drop_last))


@pytest.mark.parametrize(
    ("settings", "batches", "steps"),
    [
        ({"max_epochs": 3}, 30, 30),
        ({"max_epochs": 3, "accumulate_grad_batches": 4}, 30, 9),
        ({"max_epochs": 3, "devices": 4}, 9, 9),
        ({"max_epochs": 3, "limit_train_batches": 4}, 12, 12),
        ({"max_epochs": 3, "limit_train_batches": 0.55}, 15, 15),
        ({"max_epochs": 2, "devices": 3, "drop_last": True}, 6, 6),
        ({"max_epochs": 2, "length": 16, "batch_size": 5, "devices": 2, "drop_last": True}, 2, 2),
        ({"max_epochs": 2, "length": 16, "batch_size": 5, "devices": 2}, 4, 4),
        ({"max_epochs": 2, "length": 9, "batch_size": None, "devices": 2}, 10, 10),
        ({"max_steps": 5, "accumulate_grad_batches": 2}, 10, 5),
        ({"max_steps": 20, "accumulate_grad_batches": 2, "length": 100}, 38, 20),
        ({"max_steps": 7, "length": None}, 7, 7),
        ({"max_epochs": 2, "accumulate_grad_batches": 2, "limit_train_batches": 0.0}, 0, 0),
        ({"max_samples": 100, "devices": 2}, 7, 7),
    ],
)
def test_a_training_has_so_many_batches_and_steps(settings: dict[str, Any], batches: int, steps: int) -> None:
    found = extent(**settings)

    assert (found.total_steps, found.trainable_steps) == (batches, steps)


def test_a_loader_that_does_not_tell_its_length_is_asked_for_none_where_it_is_limited() -> None:
    assert extent(None, max_epochs=2, limit_train_batches=5).total_steps == 10
    assert extent(None, None, max_steps=5).trainable_steps == 5


def test_what_a_loader_does_not_tell_is_no_number() -> None:
    with pytest.raises(RunError, match="does not tell how many batches"):
        _ = extent(None).total_steps
    with pytest.raises(RunError, match="does not tell how many samples"):
        _ = extent(10, None).batch_size_equivalent


@pytest.mark.parametrize(("end", "share"), [("max_epochs", 0.5), ("max_steps", 0.25), ("max_samples", 1.0)])
def test_progress_is_that_of_what_ends_the_training(end: str, share: float) -> None:
    trainer = Trainer.compile(overrides={end: 4}).params

    assert progress(RunState(epochs=2, steps=1, samples=9), trainer) == share
