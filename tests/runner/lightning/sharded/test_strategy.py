import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from faulty_disk import Fault, FaultyDisk
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import LightningModule, Trainer
from torch import distributed
from torch.distributed.tensor import DTensor

from typedcfg.disk import using
from typedcfg.errors import RecordError, RunFailed
from typedcfg.records.checkpoint_record import newest_verified, verify
from typedcfg.runner.lightning.callbacks.finite import FiniteWatch
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO
from typedcfg.runner.lightning.sharded.strategy import ShardedStrategy

MakeTrainer = Callable[..., Trainer]


@pytest.fixture(autouse=True)
def _leave_the_group() -> Iterator[None]:
    yield
    if distributed.is_initialized():
        distributed.destroy_process_group()


@pytest.fixture
def sharded(trainer: MakeTrainer, toy: type[LightningModule]) -> Trainer:
    """A training in parts of which there is one, after its first epoch."""
    made = trainer(1, plugins=[VerifiedCheckpointIO()], strategy=ShardedStrategy(1), devices=1)
    made.fit(toy())
    return made


def weights(trainer: Trainer) -> list[torch.Tensor]:
    parameters = trainer.lightning_module.parameters()
    return [parameter.full_tensor() for parameter in parameters if isinstance(parameter, DTensor)]


def test_one_device_trains_in_parts_too(sharded: Trainer, tmp_path: Path) -> None:
    sharded.save_checkpoint(tmp_path / "step-00000004.ckpt")

    manifest = verify(tmp_path / "step-00000004.ckpt")

    assert (manifest.kind, manifest.step, manifest.epoch) == ("sharded", 4, 1)
    assert sorted(manifest.files) == [".metadata", "__0_0.distcp", "meta.pt"]


def test_a_training_in_one_piece_tests_what_was_saved_in_parts(
    sharded: Trainer, trainer: MakeTrainer, toy: type[LightningModule], tmp_path: Path
) -> None:
    sharded.save_checkpoint(path := tmp_path / "step-00000004.ckpt")
    distributed.destroy_process_group()

    trainer(1, plugins=[VerifiedCheckpointIO()]).test(model := toy(), ckpt_path=path, verbose=False)

    assert all(map(torch.equal, model.parameters(), weights(sharded)))


def test_wherever_a_save_is_refused_the_one_before_is_whole(sharded: Trainer, tmp_path: Path) -> None:
    with using(disk := FaultyDisk()):
        sharded.save_checkpoint(tmp_path / "step-00000003.ckpt")

    for at in range(1, len(disk.operations) + 1):
        with using(FaultyDisk(Fault("refuse", at, errno.ENOSPC))), pytest.raises(RecordError, match="No space left"):
            sharded.save_checkpoint(tmp_path / "step-00000004.ckpt")
        found = newest_verified([tmp_path])
        assert found is not None
        assert found.path.name == "step-00000003.ckpt", disk.operations[at - 1]


def test_what_cannot_be_loaded_safely_is_not_saved(sharded: Trainer, tmp_path: Path) -> None:
    sharded.lightning_module.on_save_checkpoint = lambda checkpoint: checkpoint.update(path=tmp_path)  # type: ignore[method-assign]  # a user's

    with pytest.raises(RecordError, match=r"step-00000004\.ckpt could never be loaded safely"):
        sharded.save_checkpoint(tmp_path / "step-00000004.ckpt")

    assert list(tmp_path.iterdir()) == []


def test_a_weight_in_parts_that_is_no_number_is_seen(
    trainer: MakeTrainer, toy: type[LightningModule], tmp_path: Path
) -> None:
    made = trainer(1, FiniteWatch(), plugins=[VerifiedCheckpointIO()], strategy=ShardedStrategy(1), devices=1)
    made.fit(model := toy())
    made.save_checkpoint(tmp_path / "step-00000004.ckpt")
    with torch.no_grad():
        next(model.parameters()).fill_(torch.nan)

    with pytest.raises(RunFailed, match="a weight is not finite after step 4"):
        made.save_checkpoint(tmp_path / "step-00000005.ckpt")


def test_a_checkpoint_that_is_one_file_is_refused(
    sharded: Trainer, trainer: MakeTrainer, toy: type[LightningModule], tmp_path: Path
) -> None:
    whole = trainer(1, plugins=[VerifiedCheckpointIO()])
    whole.fit(toy())
    whole.save_checkpoint(tmp_path / "step-00000004.ckpt")

    with pytest.raises(RecordError, match="is one file, and this training saves folders"):
        sharded.strategy.load_checkpoint(tmp_path / "step-00000004.ckpt")


def test_a_trainer_without_the_plugin_is_refused(trainer: MakeTrainer, toy: type[LightningModule]) -> None:
    with pytest.raises(MisconfigurationException, match="ShardedStrategy needs"):
        trainer(1, strategy=ShardedStrategy(1), devices=1).fit(toy())


def test_shards_in_the_background_are_refused(trainer: MakeTrainer, toy: type[LightningModule]) -> None:
    plugins = [VerifiedCheckpointIO(asynchronous=True)]

    with pytest.raises(MisconfigurationException, match="asynchronous must be False"):
        trainer(1, strategy=ShardedStrategy(1), devices=1, plugins=plugins).fit(toy())
