import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Lock, Timer, active_count
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule, Trainer

from typedcfg.errors import RecordError
from typedcfg.records.checkpoint_record import read_manifest, verify
from typedcfg.runner.lightning import checkpoint_io
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO


def content(step: int = 12, **extra: object) -> dict[str, Any]:
    epoch, batch = {"ready": 3, "processed": 3}, {"processed": 4}
    loop = {"epoch_progress": {"current": epoch}, "epoch_loop.batch_progress": {"current": batch}}
    return {"global_step": step, "loops": {"fit_loop": loop}, "state_dict": {"w": torch.arange(1000.0)}, **extra}


@pytest.fixture
def plugin() -> VerifiedCheckpointIO:
    return VerifiedCheckpointIO(fingerprint="f" * 64)


def test_a_checkpoint_comes_back_as_it_was_saved(tmp_path: Path, plugin: VerifiedCheckpointIO) -> None:
    plugin.save_checkpoint(content(), tmp_path / "a.ckpt")

    loaded = plugin.load_checkpoint(tmp_path / "a.ckpt")

    assert torch.equal(loaded["state_dict"]["w"], torch.arange(1000.0))


def test_a_manifest_says_what_was_saved(tmp_path: Path, plugin: VerifiedCheckpointIO) -> None:
    plugin.save_checkpoint(content(), tmp_path / "a.ckpt")

    manifest = read_manifest(tmp_path / "a.ckpt")

    assert (manifest.step, manifest.epoch, manifest.world_size, manifest.fingerprint) == (12, 3, 1, "f" * 64)
    assert manifest.size == (tmp_path / "a.ckpt").stat().st_size
    assert verify(tmp_path / "a.ckpt") == manifest


def test_a_manifest_says_where_in_an_epoch_it_was_saved(tmp_path: Path, plugin: VerifiedCheckpointIO) -> None:
    state = content(typedcfg_samples=640)
    state["loops"]["fit_loop"]["epoch_progress"]["current"]["ready"] = 4

    plugin.save_checkpoint(state, tmp_path / "a.ckpt")

    manifest = read_manifest(tmp_path / "a.ckpt")
    assert (manifest.epoch, manifest.batch, manifest.samples) == (3, 4, 640)


def test_the_configuration_lies_in_the_checkpoint_as_text(tmp_path: Path) -> None:
    plugin = VerifiedCheckpointIO(config='{"lr": 0.1}')

    plugin.save_checkpoint(content(), tmp_path / "a.ckpt")

    assert plugin.load_checkpoint(tmp_path / "a.ckpt")["typedcfg_config"] == '{"lr": 0.1}'


def test_a_damaged_checkpoint_is_not_loaded(tmp_path: Path, plugin: VerifiedCheckpointIO) -> None:
    plugin.save_checkpoint(content(), tmp_path / "a.ckpt")
    damaged = bytearray((tmp_path / "a.ckpt").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "a.ckpt").write_bytes(damaged)

    with pytest.raises(RecordError, match=r"checkpoint a\.ckpt is damaged"):
        plugin.load_checkpoint(tmp_path / "a.ckpt")


class Malice:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_a_checkpoint_that_runs_code_is_not_loaded_even_if_asked(tmp_path: Path, plugin: VerifiedCheckpointIO) -> None:
    plugin.save_checkpoint(content(), tmp_path / "a.ckpt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typedcfg.runner.lightning.checkpoint_io._check_loadable", lambda *_: None)
        plugin.save_checkpoint(content(evil=Malice(tmp_path / "pwned")), tmp_path / "evil.ckpt")

    with pytest.raises(RecordError, match=r"evil\.ckpt cannot be loaded safely"):
        plugin.load_checkpoint(tmp_path / "evil.ckpt")
    with pytest.raises(RecordError, match="refused to load"):
        plugin.load_checkpoint(tmp_path / "evil.ckpt", weights_only=False)

    assert not (tmp_path / "pwned").exists()


@pytest.mark.slow
def test_every_one_of_200_flipped_bits_is_seen(tmp_path: Path, plugin: VerifiedCheckpointIO) -> None:
    plugin.save_checkpoint(content(), path := tmp_path / "a.ckpt")
    whole = path.read_bytes()

    for bit in range(0, len(whole) * 8, len(whole) * 8 // 200):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(RecordError, match="is damaged"):
            plugin.load_checkpoint(path)


def descriptors() -> list[Path]:
    return [*Path("/proc/self/fd").iterdir()]


@pytest.mark.slow
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_thousand_saves_leave_no_file_and_no_descriptor(tmp_path: Path, *, asynchronous: bool) -> None:
    plugin, long = VerifiedCheckpointIO(asynchronous=asynchronous), torch.zeros(20_000)  # hashed in a thread
    plugin.save_checkpoint(content(0, long=long), tmp_path / "a.ckpt")
    plugin.wait()
    before = len(descriptors()), active_count()

    for step in range(1, 1000):
        plugin.save_checkpoint(content(step, long=long), tmp_path / "a.ckpt")
    plugin.wait()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ckpt", "a.ckpt.json"]
    assert (len(descriptors()), active_count()) == before
    assert verify(tmp_path / "a.ckpt").step == 999


def test_what_could_never_be_loaded_is_refused_when_it_is_saved(tmp_path: Path, plugin: VerifiedCheckpointIO) -> None:
    with pytest.raises(
        RecordError, match=r"a\.ckpt could never be loaded safely: hyper_parameters\.root holds"
    ) as error:
        plugin.save_checkpoint(content(hyper_parameters={"root": tmp_path}), tmp_path / "a.ckpt")

    assert "save_hyperparameters" in error.value.problems[0].fix
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [np.zeros(2), Lock()], ids=["array", "lock"])
def test_it_is_told_where_a_checkpoint_holds_what_could_not_be_loaded(
    tmp_path: Path, plugin: VerifiedCheckpointIO, value: object
) -> None:
    with pytest.raises(RecordError, match=r"safely: lr_schedulers\[0\]\._rates holds [\w.]+, which") as error:
        plugin.save_checkpoint(content(lr_schedulers=[{"_rates": value}]), tmp_path / "a.ckpt")

    assert "save_hyperparameters" not in error.value.problems[0].fix
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_numpy_s_are_saved_as_numbers(tmp_path: Path, plugin: VerifiedCheckpointIO) -> None:
    plugin.save_checkpoint(content(lr_schedulers=[{"_last_lr": [np.float64(0.1)]}]), tmp_path / "a.ckpt")

    assert plugin.load_checkpoint(tmp_path / "a.ckpt")["lr_schedulers"] == [{"_last_lr": [0.1]}]


def test_a_disk_that_is_full_leaves_no_half_checkpoint(
    tmp_path: Path, plugin: VerifiedCheckpointIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin.save_checkpoint(content(1), tmp_path / "step-1.ckpt")

    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("typedcfg.disk.Disk.write", refuse)
    with pytest.raises(RecordError, match=r"cannot write step-2\.ckpt: No space left on device"):
        plugin.save_checkpoint(content(2), tmp_path / "step-2.ckpt")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-1.ckpt", "step-1.ckpt.json"]


def test_a_kill_before_the_commit_leaves_a_checkpoint_that_does_not_count(
    tmp_path: Path, plugin: VerifiedCheckpointIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin.save_checkpoint(content(), tmp_path / "a.ckpt")

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("typedcfg.runner.lightning.checkpoint_io.write_manifest", kill)
    with pytest.raises(KeyboardInterrupt):
        plugin.save_checkpoint(content(13), tmp_path / "a.ckpt")

    with pytest.raises(RecordError, match=r"a\.ckpt has no manifest: its save was never finished"):
        plugin.load_checkpoint(tmp_path / "a.ckpt")


@pytest.fixture
def background(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[VerifiedCheckpointIO, Event]]:
    """A plugin that saves in the background, once the event is set."""
    may_write, plugin = Event(), VerifiedCheckpointIO(asynchronous=True)
    write = checkpoint_io._write

    def held(*arguments: Any) -> None:
        may_write.wait(10)
        write(*arguments)

    monkeypatch.setattr(checkpoint_io, "_write", held)
    yield plugin, may_write
    may_write.set()
    plugin.teardown()


def test_a_save_in_the_background_holds_what_was_there_when_it_began(
    tmp_path: Path, background: tuple[VerifiedCheckpointIO, Event]
) -> None:
    plugin, may_write = background
    state = content()
    plugin.save_checkpoint(state, tmp_path / "a.ckpt")
    assert plugin.is_writing

    state["state_dict"]["w"] += 1
    may_write.set()
    plugin.wait()

    assert torch.equal(plugin.load_checkpoint(tmp_path / "a.ckpt")["state_dict"]["w"], torch.arange(1000.0))
    assert not plugin.is_writing


def test_a_save_waits_for_the_one_before(tmp_path: Path, background: tuple[VerifiedCheckpointIO, Event]) -> None:
    plugin, may_write = background
    plugin.save_checkpoint(content(1), tmp_path / "a.ckpt")

    Timer(0.05, may_write.set).start()
    plugin.save_checkpoint(content(2), tmp_path / "b.ckpt")

    assert verify(tmp_path / "a.ckpt").step == 1
    plugin.teardown()
    assert verify(tmp_path / "b.ckpt").step == 2


def test_what_failed_in_the_background_is_raised_once(
    tmp_path: Path, background: tuple[VerifiedCheckpointIO, Event]
) -> None:
    plugin, may_write = background
    may_write.set()
    plugin.save_checkpoint(content(root=tmp_path), tmp_path / "a.ckpt")

    with pytest.raises(RecordError, match=r"a\.ckpt could never be loaded safely"):
        plugin.wait()

    plugin.wait()


def test_storage_options_are_refused(tmp_path: Path, plugin: VerifiedCheckpointIO) -> None:
    with pytest.raises(TypeError, match="storage_options are not supported"):
        plugin.save_checkpoint(content(), tmp_path / "a.ckpt", storage_options={})


def test_a_checkpoint_is_removed_with_its_commit(tmp_path: Path, plugin: VerifiedCheckpointIO) -> None:
    plugin.save_checkpoint(content(), tmp_path / "a.ckpt")

    plugin.remove_checkpoint(tmp_path / "a.ckpt")

    assert list(tmp_path.iterdir()) == []


def test_the_plugin_serves_a_plain_trainer(
    tmp_path: Path, plugin: VerifiedCheckpointIO, trainer: Callable[..., Trainer], toy: type[LightningModule]
) -> None:
    running = trainer(1, plugins=[plugin])
    running.fit(toy())
    running.save_checkpoint(tmp_path / "a.ckpt", weights_only=False)

    trainer(2, plugins=[VerifiedCheckpointIO()]).fit(resumed := toy(), ckpt_path=tmp_path / "a.ckpt")

    assert read_manifest(tmp_path / "a.ckpt").epoch == 1
    assert resumed.global_step == 8
