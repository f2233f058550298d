"""The checkpoints of a training, by torch, on disks on which something goes wrong."""

import errno
from pathlib import Path
from typing import Any

import pytest
import torch
from faulty_disk import Fault, FaultyDisk
from small_disk import mounted

from typedcfg.disk import using
from typedcfg.errors import RecordError
from typedcfg.records.checkpoint_record import newest_verified
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO


def checkpoint(step: int, size: int = 1000) -> dict[str, Any]:
    progress = {"ready": step, "completed": step, "started": step, "processed": step}
    loops = {
        "fit_loop": {"epoch_progress": {"current": progress}, "epoch_loop.batch_progress": {"current": progress}},
    }
    return {"state_dict": {"w": torch.full((size,), float(step))}, "global_step": step, "loops": loops}


@pytest.mark.slow
def test_a_checkpoint_for_which_a_disk_is_too_small_says_so_and_leaves_the_one_before(tmp_path: Path) -> None:
    plugin = VerifiedCheckpointIO()
    with mounted(tmp_path / "small", size="8m") as disk:
        plugin.save_checkpoint(checkpoint(1, 1_000_000), disk.path / "step-00000001.ckpt")

        with pytest.raises(RecordError, match=r"cannot write step-00000002\.ckpt: No space left on device"):
            plugin.save_checkpoint(checkpoint(2, 2_000_000), disk.path / "step-00000002.ckpt")

        found = newest_verified([disk.path])
        names = sorted(path.name for path in disk.path.iterdir())
    assert found is not None
    assert found.manifest.step == 1
    assert names == ["step-00000001.ckpt", "step-00000001.ckpt.json"]


@pytest.mark.slow
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_whatever_operation_of_a_save_is_refused_the_checkpoint_before_is_whole(tmp_path: Path, error: int) -> None:
    plugin, disk = VerifiedCheckpointIO(), FaultyDisk()
    plugin.save_checkpoint(checkpoint(1), tmp_path / "step-00000001.ckpt")
    with using(disk):
        plugin.save_checkpoint(checkpoint(2), tmp_path / "step-00000002.ckpt")
    assert len(disk.operations) > 5

    for k in range(1, len(disk.operations) + 1):
        plugin.remove_checkpoint(tmp_path / "step-00000002.ckpt")
        with using(FaultyDisk(Fault("refuse", k, error))), pytest.raises(RecordError):
            plugin.save_checkpoint(checkpoint(2), tmp_path / "step-00000002.ckpt")

        found = newest_verified([tmp_path])
        assert found is not None, k
        plugin.load_checkpoint(found.path)


@pytest.mark.slow
def test_a_save_that_the_server_forgot_is_done_again(tmp_path: Path) -> None:
    plugin, disk = VerifiedCheckpointIO(), FaultyDisk()
    with using(disk):
        plugin.save_checkpoint(checkpoint(1), tmp_path / "step-00000001.ckpt")
    writes = [number for number, name in enumerate(disk.operations, start=1) if name == "write"]

    for k in writes:
        with using(FaultyDisk(Fault("refuse", k, errno.ESTALE))):
            plugin.save_checkpoint(checkpoint(2), tmp_path / "step-00000001.ckpt")

        assert plugin.load_checkpoint(tmp_path / "step-00000001.ckpt")["global_step"] == 2
