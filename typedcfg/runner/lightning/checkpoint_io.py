"""Checkpoints that are whole or are not there: a plugin for any `Trainer(plugins=[VerifiedCheckpointIO()])`."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from pickle import PicklingError
from typing import Any, BinaryIO, Final, NamedTuple, cast

import torch
from lightning.fabric.plugins import CheckpointIO
from typing_extensions import override

from typedcfg.errors import Problem, RecordError
from typedcfg.records.checkpoint_record import Manifest, manifest_path, verify, write_manifest
from typedcfg.records.hashed_file import HashedFile
from typedcfg.runner.lightning.cpu_copy import copy_to_cpu
from typedcfg.runner.lightning.plain_state import find_unsafe, with_plain_numbers
from typedcfg.runner.lightning.safe_load import CONFIG_KEY, load_safely
from typedcfg.storage import fill_atomically, make_folder, remove

SAMPLES_KEY: Final = "typedcfg_samples"
"""Where a checkpoint says how many samples were seen, if something counted them."""


class Facts(NamedTuple):
    """What a manifest says beside the content, known when the save begins."""

    step: int
    epoch: int
    batch: int
    samples: int | None
    world_size: int
    fingerprint: str | None


class VerifiedCheckpointIO(CheckpointIO):
    """Writes a checkpoint beside its name, moves it there, and commits it with a manifest; loads what verifies.

    A checkpoint holds tensors and plain values alone, and is loaded with `weights_only=True`, always. One that could
    not be loaded so is refused when it is saved: at resume it would be too late.

    Example:
        `Trainer(plugins=[VerifiedCheckpointIO(asynchronous=True)])`
    """

    def __init__(
        self,
        *,
        fingerprint: str | None = None,
        config: str | None = None,
        asynchronous: bool = False,
        guard: Callable[[], None] | None = None,
    ) -> None:
        """Say in each checkpoint what was trained.

        Args:
            fingerprint: The configuration's, for the manifest.
            config: The configuration as JSON text, for the checkpoint itself.
            asynchronous: Whether a save returns as soon as its tensors are copied to the CPU's memory. A thread
                writes and commits them; the next save waits for it, and raises what it met.
            guard: Is called before a checkpoint is committed; raises where this process may not do so any more.
        """
        self.fingerprint = fingerprint
        self.config = config
        self.asynchronous = asynchronous
        self.guard = guard or (lambda: None)
        self._thread: ThreadPoolExecutor | None = None
        self._in_flight: Future[None] | None = None

    @property
    def is_writing(self) -> bool:
        """Whether a save is under way in the background."""
        return self._in_flight is not None and not self._in_flight.done()

    @override
    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any | None = None
    ) -> None:
        """Write and commit one checkpoint, or begin to.

        Raises:
            RecordError: It cannot be written, or holds what cannot be loaded safely; or, where saves are
                asynchronous, the one before could not. What stood under the name and was whole may be gone then,
                checkpoints of other steps are unharmed.
            TypeError: `storage_options` is given.
        """
        if storage_options is not None:
            raise TypeError("storage_options are not supported: a checkpoint is one local file")
        self.wait()
        told, facts = self.describe(checkpoint)
        if not self.asynchronous:
            _write(told, Path(path), facts, self.guard)
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="typedcfg-save")
        self._in_flight = self._thread.submit(_write, copy_to_cpu(told), Path(path), facts, self.guard)

    def describe(self, checkpoint: dict[str, Any]) -> tuple[dict[str, Any], Facts]:
        """What is to be written of a checkpoint, and what its manifest is to say of it."""
        facts = Facts(
            step=checkpoint["global_step"],
            **_progress(checkpoint),
            samples=checkpoint.get(SAMPLES_KEY),
            world_size=_world_size(),
            fingerprint=self.fingerprint,
        )
        told = with_plain_numbers(checkpoint)
        return told if self.config is None else {**told, CONFIG_KEY: self.config}, facts

    def wait(self) -> None:
        """Wait for the save that is under way, if one is.

        Raises:
            RecordError: It failed; this is said once.
        """
        under_way, self._in_flight = self._in_flight, None
        if under_way is not None:
            under_way.result()

    @override
    def teardown(self) -> None:
        """Wait for the last save.

        Raises:
            RecordError: It failed.
        """
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown()
        self.wait()

    @override
    def load_checkpoint(
        self,
        path: str | os.PathLike[str],
        map_location: Any | None = None,
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        """Load one checkpoint, after its sha256 was found to be what its manifest states.

        Raises:
            RecordError: It was never finished, is damaged, holds what cannot be loaded safely, or
                `weights_only=False` asks to run that.
        """
        source = Path(path)
        self.check(source, weights_only=weights_only)
        return load_safely(source, map_location=map_location or "cpu")

    def check(self, path: Path, *, weights_only: bool | None = None) -> None:
        """See that a checkpoint is what its manifest states, and that nobody asks to run code from it.

        Raises:
            RecordError: It is not, or somebody does.
        """
        if weights_only is False:
            what = f"refused to load {path.name} with weights_only=False: that runs code from the file"
            raise RecordError(Problem(what, where=str(path), fix="leave weights_only out"))
        self.wait()
        verify(path)

    @override
    def remove_checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Remove one checkpoint; its commit goes first."""
        remove(manifest_path(Path(path)))
        remove(Path(path))


def _write(checkpoint: dict[str, Any], target: Path, facts: Facts, guard: Callable[[], None]) -> None:
    guard()  # before a folder is made where a run was moved away from
    if not target.parent.is_dir():
        make_folder(target.parent)
    # First the old commit goes: it must not vouch for the new content.
    remove(manifest_path(target))
    hashed = fill_atomically(target, partial(save_plain, checkpoint, target))
    guard()  # once more: to write it may have taken long
    write_manifest(target, Manifest(sha256=hashed.hexdigest(), size=hashed.size, **facts._asdict()))


def save_plain(checkpoint: dict[str, Any], target: Path, file: BinaryIO) -> HashedFile:
    """Write into a file what loads safely; `target` is the checkpoint that it is of.

    Raises:
        OSError: It cannot be written.
        RecordError: It holds what cannot be loaded safely.
    """
    with HashedFile(file) as hashed:
        try:
            torch.save(checkpoint, cast("BinaryIO", hashed))  # torch asks for no more than it has
        except RuntimeError:
            # torch's own, raised on the way out, says nothing of what the disk said.
            if hashed.refused is None:
                raise
            raise hashed.refused from None
        except (PicklingError, AttributeError, TypeError) as error:  # what no file can hold, as a lock
            raise RecordError(_not_plain(checkpoint, target, str(error))) from error
    hashed.flush()
    _check_loadable(checkpoint, Path(file.name), target)
    return hashed


def check_hyper_parameters(hyper_parameters: dict[str, Any]) -> None:
    """See that hyper-parameters can be saved, before the training takes hours until its first checkpoint.

    Args:
        hyper_parameters: By their names in a checkpoint.

    Raises:
        RecordError: They hold what cannot be loaded safely.
    """
    if why := find_unsafe(with_plain_numbers(hyper_parameters)):
        raise RecordError(_problem("a checkpoint", why))


def _check_loadable(checkpoint: dict[str, Any], written: Path, target: Path) -> None:
    try:
        load_safely(written, name=target.name, mmap=True)  # mapped: reads no tensor
    except RecordError as error:
        raise RecordError(_not_plain(checkpoint, target, error.problems[0].what)) from error


def _not_plain(checkpoint: dict[str, Any], target: Path, told: str) -> Problem:
    """The problem of a checkpoint that does not load; named by its place if that can be found, else as it was told."""
    return _problem(f"checkpoint {target.name}", find_unsafe(checkpoint) or told, where=str(target))


def _problem(name: str, why: str, where: str = "") -> Problem:
    is_hyper_parameter = why.startswith(("hyper_parameters", "datamodule_hyper_parameters"))
    return Problem(
        f"{name} could never be loaded safely: {why}",
        where=where,
        expected="tensors, numbers, text, lists and dicts, in hyper-parameters and callbacks' states too",
        fix="give save_hyperparameters plain values: config.plain(), or the configuration's JSON text"
        if is_hyper_parameter
        else "keep plain values and tensors there; torch.from_numpy makes a tensor of an array",
    )


def _progress(checkpoint: dict[str, Any]) -> dict[str, int]:
    """Epochs finished, and batches of the one that is not."""
    # Lightning's own "epoch" is the running one's number, and at an epoch's end still that of the one that ended.
    loop = checkpoint["loops"]["fit_loop"]
    epoch = loop["epoch_progress"]["current"]
    is_inside = epoch["ready"] > epoch["processed"]
    batch = loop["epoch_loop.batch_progress"]["current"]["processed"] if is_inside else 0
    return {"epoch": int(epoch["processed"]), "batch": int(batch)}


def _world_size() -> int:
    return torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1
