import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from lightning.pytorch import Callback, LightningModule, Trainer
from typing_extensions import override

from typedcfg.runner.lightning.callbacks.after_batch import AfterBatch, is_batch_over

MakeTrainer = Callable[..., Trainer]
ToyType = type[LightningModule]


class Note(AfterBatch):
    """Notes that a batch is over."""

    def __init__(self, notes: list[str], name: str) -> None:
        self.notes, self.name = notes, name

    @override
    def after_batch(self, trainer: Trainer, outputs: Any, batch_idx: int) -> None:
        self.notes.append(f"{self.name}, over: {is_batch_over(trainer.lightning_module)}")


class Usual(Callback):
    def __init__(self, notes: list[str]) -> None:
        self.notes = notes

    @override
    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        self.notes.append(f"usual, over: {is_batch_over(pl_module)}")


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def noting(toy: ToyType, notes: list[str]) -> ToyType:
    class Noting(toy):  # type: ignore[misc, valid-type]  # a class from a fixture
        @override
        def on_train_batch_end(self, *_: Any) -> None:
            notes.append(f"module, over: {is_batch_over(self)}")

    return Noting


def test_it_comes_after_the_modules_own_hook(trainer: MakeTrainer, noting: ToyType, notes: list[str]) -> None:
    trainer(1, Note(notes, "a"), Note(notes, "b"), Usual(notes), limit_train_batches=1).fit(noting())

    assert notes == ["usual, over: False", "module, over: False", "a, over: True", "b, over: True"]


def test_it_comes_for_a_module_without_one_too(trainer: MakeTrainer, toy: ToyType, notes: list[str]) -> None:
    trainer(1, Note(notes, "a")).fit(toy())

    assert notes == ["a, over: True"] * 4


def test_the_modules_hook_is_put_back(trainer: MakeTrainer, toy: ToyType, notes: list[str]) -> None:
    trainer(1, Note(notes, "a")).fit(module := toy())

    assert "on_train_batch_end" not in vars(module)


def test_so_is_one_that_was_set_on_the_module_and_fails(trainer: MakeTrainer, toy: ToyType, notes: list[str]) -> None:
    def own(*_: Any) -> None:
        raise ValueError("the model broke")

    module = toy()
    module.on_train_batch_end = own  # type: ignore[assignment]  # as some do

    with pytest.raises(ValueError, match="the model broke"):
        trainer(1, Note(notes, "a")).fit(module)

    assert vars(module)["on_train_batch_end"] is own


def test_a_copy_of_the_module_has_the_hook_alone(trainer: MakeTrainer, toy: ToyType, notes: list[str]) -> None:
    copies: list[LightningModule] = []

    class Copying(Callback):
        @override
        def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
            copies.extend([copy.deepcopy(pl_module), pickle.loads(pickle.dumps(pl_module))])

    trainer(1, Note(notes, "a"), Copying()).fit(toy())

    for each in copies:
        assert each.on_train_batch_end.__self__ is each  # type: ignore[attr-defined]  # of a bound method
