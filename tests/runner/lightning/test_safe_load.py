import os
from pathlib import Path
from typing import Any

import pytest
import torch

from typedcfg.errors import RecordError
from typedcfg.records.checkpoint_record import newest_verified
from typedcfg.runner.lightning import checkpoint_io
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO
from typedcfg.runner.lightning.safe_load import load_safely, read_config_of, verify_loadable


class Malice:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def save(path: Path, step: int, *, config: str | None = None, **extra: object) -> Path:
    current = {"ready": 1, "processed": 1}
    loop = {"epoch_progress": {"current": current}, "epoch_loop.batch_progress": {"current": current}}
    state: dict[str, Any] = {"global_step": step, "loops": {"fit_loop": loop}, **extra}
    VerifiedCheckpointIO(config=config).save_checkpoint(state, path)
    return path


@pytest.fixture
def evil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint with a manifest that vouches for it, and code to run."""
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint_io, "_check_loadable", lambda *_: None)
        return save(tmp_path / "step-00000009.ckpt", 9, evil=Malice(tmp_path / "pwned"))


def test_a_malicious_checkpoint_does_nothing_and_is_passed_over(tmp_path: Path, evil: Path) -> None:
    good = save(tmp_path / "step-00000003.ckpt", 3)

    found = newest_verified([tmp_path], check=verify_loadable)

    assert found is not None
    assert found.path == good
    [problem] = found.refused
    assert problem.what == f"checkpoint {evil.name} cannot be loaded safely: posix.mkdir is not taken"
    assert not (tmp_path / "pwned").exists()


def test_when_only_malicious_ones_are_left_the_run_does_not_start_afresh(tmp_path: Path, evil: Path) -> None:
    with pytest.raises(RecordError, match="no checkpoint of this run is whole"):
        newest_verified([evil.parent], check=verify_loadable)

    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 and no more"])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.ckpt"
    path.write_bytes(content)

    with pytest.raises(RecordError, match=r"checkpoint a\.ckpt cannot be loaded safely: \w"):
        load_safely(path)


def test_the_configuration_in_a_checkpoint_is_read_back(tmp_path: Path) -> None:
    assert read_config_of(save(tmp_path / "a.ckpt", 1, config='{"lr": 0.1}')) == '{"lr": 0.1}'
    assert read_config_of(save(tmp_path / "b.ckpt", 1)) is None


def test_nothing_is_read_of_a_checkpoint_that_is_damaged(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ckpt", 1, config="{}", weights=torch.zeros(100))
    content = bytearray(path.read_bytes())
    content[-200] ^= 1
    path.write_bytes(content)

    with pytest.raises(RecordError, match="is damaged"):
        read_config_of(path)
