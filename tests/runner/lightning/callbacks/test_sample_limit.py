from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor
from torch.utils.data import DataLoader

from typedcfg.errors import RunError
from typedcfg.runner.lightning.callbacks.sample_limit import SampleLimit

MakeTrainer = Callable[..., Trainer]


@pytest.mark.parametrize(("limit", "steps"), [(4, 1), (5, 2), (16, 4), (17, 5), (40, 10)])
def test_the_step_that_reaches_the_samples_is_the_last(
    limit: int, steps: int, trainer: MakeTrainer, toy: type[LightningModule]
) -> None:
    training = trainer(-1, SampleLimit(limit))

    training.fit(toy())  # four batches of four an epoch

    assert training.global_step == steps


def test_a_step_of_several_batches_is_never_cut(trainer: MakeTrainer, toy: type[LightningModule]) -> None:
    limit = SampleLimit(9)
    training = trainer(-1, limit, accumulate_grad_batches=2)

    training.fit(toy())

    assert (training.global_step, limit.seen) == (2, 16)


def test_what_had_reached_its_end_is_not_trained_further(
    tmp_path: Path, trainer: MakeTrainer, toy: type[LightningModule]
) -> None:
    first = trainer(-1, SampleLimit(16))
    first.fit(toy())
    first.save_checkpoint(tmp_path / "end.ckpt")

    again = trainer(-1, SampleLimit(16))
    again.fit(toy(), ckpt_path=tmp_path / "end.ckpt")

    assert again.global_step == 4


def test_batches_that_do_not_tell_their_length_are_refused(trainer: MakeTrainer, toy: type[LightningModule]) -> None:
    class Wordy(toy):  # type: ignore[misc, valid-type]  # a class that only a fixture knows
        def train_dataloader(self) -> "DataLoader[str]":
            return DataLoader(["a", "b"], batch_size=None)  # type: ignore[arg-type]  # any list will do

        def training_step(self, *_: object) -> Tensor:
            return self.layers(torch.ones(1, 4)).sum()  # type: ignore[no-any-return]  # as above

    with pytest.raises(RunError, match=r"does not tell how many samples(.|\n)*max_steps"):
        trainer(1, SampleLimit(9)).fit(Wordy())
