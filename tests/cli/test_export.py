from collections.abc import Callable
from pathlib import Path

import pytest

from typedcfg.cli.main import call
from typedcfg.runner.lightning.export import read_safetensors

Command = Callable[..., int]
Told = pytest.CaptureFixture[str]


@pytest.fixture
def best(command: Command, folder: Callable[[], Path], capsys: Told) -> Path:
    """The best checkpoint of a run that is done."""
    assert command("run", "APP") == 0
    capsys.readouterr()
    [path] = folder().glob("*/checkpoints/best.ckpt")
    return path


def test_the_weights_are_written_beside_the_checkpoint(best: Path, capsys: Told) -> None:
    assert call(["export", str(best)]) == 0

    assert "layers.0.weight" in read_safetensors(best.with_name("best.safetensors"))
    assert capsys.readouterr().out.startswith(f"wrote {best.with_suffix('.safetensors')}: the weights after ")


def test_the_folder_of_a_run_stands_for_its_best_checkpoint(best: Path, capsys: Told) -> None:
    assert call(["export", str(best.parents[2])]) == 0

    assert f"wrote {best.with_suffix('.safetensors')}" in capsys.readouterr().out


def test_a_file_is_replaced_only_if_that_is_asked_for(best: Path, tmp_path: Path, capsys: Told) -> None:
    out = tmp_path / "weights.safetensors"
    out.write_bytes(b"mine")

    assert call(["export", str(best), "--out", str(out)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert out.read_bytes() == b"mine"
    assert call(["export", str(best), "--out", str(out), "--force"]) == 0
    assert read_safetensors(out)


def test_a_checkpoint_or_folder_that_is_not_there_is_named(best: Path, capsys: Told) -> None:
    assert call(["export", "nowhere.ckpt"]) == 2
    assert "there is no checkpoint nowhere.ckpt" in capsys.readouterr().err
    assert call(["export", str(best), "--out", "nowhere/a.safetensors"]) == 2
    assert "make the folder first: mkdir -p nowhere" in capsys.readouterr().err
