import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from typedcfg.errors import RecordError, RunError
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO
from typedcfg.runner.lightning.export import export_weights, read_safetensors

WEIGHT = torch.arange(6.0).reshape(2, 3)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    current = {"ready": 3, "processed": 3}
    loop = {"epoch_progress": {"current": current}, "epoch_loop.batch_progress": {"current": current}}
    weights = {"encoder": WEIGHT, "decoder": WEIGHT, "turned": WEIGHT.T}
    state: dict[str, Any] = {"global_step": 12, "loops": {"fit_loop": loop}, "state_dict": weights}
    plugin = VerifiedCheckpointIO(fingerprint="v1-abc", config='{"lr": 0.1}')
    plugin.save_checkpoint(state, tmp_path / "step-00000012.ckpt")
    return tmp_path / "step-00000012.ckpt"


def test_the_weights_come_back_tied_ones_too(tmp_path: Path, checkpoint: Path) -> None:
    export_weights(checkpoint, tmp_path / "a.safetensors")

    weights = read_safetensors(tmp_path / "a.safetensors")

    assert weights.keys() == {"encoder", "decoder", "turned"}
    assert torch.equal(weights["decoder"], WEIGHT)
    assert torch.equal(weights["turned"], WEIGHT.T)


def test_the_metadata_say_what_was_trained_and_how_long(tmp_path: Path, checkpoint: Path) -> None:
    told = export_weights(checkpoint, tmp_path / "a.safetensors")

    with safe_open(tmp_path / "a.safetensors", framework="pt") as file:
        assert file.metadata() == told
    assert told == {
        "format": "pt",
        "step": "12",
        "epoch": "3",
        "fingerprint": "v1-abc",
        "typedcfg_config": '{"lr": 0.1}',
    }


def test_a_damaged_checkpoint_is_not_exported(tmp_path: Path, checkpoint: Path) -> None:
    checkpoint.write_bytes(b"")

    with pytest.raises(RecordError, match="is damaged"):
        export_weights(checkpoint, tmp_path / "a.safetensors")

    assert not (tmp_path / "a.safetensors").exists()


def test_what_is_no_safetensors_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"garbage")

    with pytest.raises(RecordError, match=r"a\.safetensors cannot be read"):
        read_safetensors(tmp_path / "a.safetensors")


def test_without_safetensors_it_is_said_how_to_get_it(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)

    with pytest.raises(RunError, match=r"pip install 'typedcfg\[export\]'"):
        export_weights(checkpoint, tmp_path / "a.safetensors")
