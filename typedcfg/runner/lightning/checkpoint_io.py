"""Checkpoints that are whole or are not there: a plugin for any `Trainer(plugins=[VerifiedCheckpointIO()])`."""

import hashlib
import os
import re
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch
from lightning.fabric.plugins import CheckpointIO
from typing_extensions import override

from typedcfg.errors import Problem, RecordError
from typedcfg.records.checkpoint_record import Manifest, manifest_path, verify, write_manifest
from typedcfg.storage import remove, staged


class VerifiedCheckpointIO(CheckpointIO):
    """Writes a checkpoint beside its name, moves it there, and commits it with a manifest; loads what verifies.

    A checkpoint holds tensors and plain values alone, and is loaded with `weights_only=True`, always. One that could
    not be loaded so is refused when it is saved: at resume it would be too late.
    """

    def __init__(self, *, fingerprint: str | None = None) -> None:
        """Write `fingerprint`, the configuration's, into each manifest."""
        self.fingerprint = fingerprint

    @override
    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any | None = None
    ) -> None:
        """Write and commit one checkpoint.

        Raises:
            RecordError: It cannot be written, or holds what cannot be loaded safely. What stood under the name and
                was whole may be gone then, checkpoints of other steps are unharmed.
            TypeError: `storage_options` is given.
        """
        if storage_options is not None:
            raise TypeError("storage_options are not supported: a checkpoint is one local file")
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        # First the old commit goes: it must not vouch for the new content.
        remove(manifest_path(target))
        with staged(target) as file:
            writer = _HashingWriter(file)
            torch.save(checkpoint, cast("BinaryIO", writer))  # torch asks for no more than it has
            file.flush()
            _check_loadable(Path(file.name), target)
        manifest = Manifest(
            sha256=writer.digest.hexdigest(),
            size=writer.size,
            step=checkpoint["global_step"],
            epoch=_epochs_finished(checkpoint),
            world_size=_world_size(),
            fingerprint=self.fingerprint,
        )
        write_manifest(target, manifest)

    @override
    def load_checkpoint(
        self,
        path: str | os.PathLike[str],
        map_location: Any | None = None,
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        """Load one checkpoint, after its sha256 was found to be what its manifest states.

        Raises:
            RecordError: It was never finished, is damaged, or `weights_only=False` asks to run what it holds.
        """
        source = Path(path)
        if weights_only is False:
            what = f"refused to load {source.name} with weights_only=False: that runs code from the file"
            raise RecordError(Problem(what, where=str(source), fix="leave weights_only out"))
        verify(source)
        loaded: dict[str, Any] = torch.load(source, map_location=map_location or "cpu", weights_only=True)
        return loaded

    @override
    def remove_checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Remove one checkpoint; its commit goes first."""
        remove(manifest_path(Path(path)))
        remove(Path(path))


class _HashingWriter:
    """A file that hashes what goes through it: the bytes that were meant, not those that a disk gives back."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def _check_loadable(written: Path, target: Path) -> None:
    try:
        torch.load(written, map_location="cpu", weights_only=True, mmap=True)  # mapped: reads no tensor
    except Exception as error:
        # torch says what it does not take at the end of a page on how to load it regardless.
        found = re.search(r"WeightsUnpickler error: (.*?)(?:\. |\n|\Z)", str(error)) or re.match("(.*)", str(error))
        reason = found[1] if found else ""
        raise RecordError(
            Problem(
                f"checkpoint {target.name} could never be loaded safely: {reason}",
                where=str(target),
                expected="tensors, numbers, text, lists and dicts, in hyper-parameters and callbacks' states too",
                fix="give save_hyperparameters plain values: config.plain(), or the configuration's JSON text",
            )
        ) from error


def _epochs_finished(checkpoint: dict[str, Any]) -> int:
    # Lightning's own "epoch" is the running one's number, and at an epoch's end still that of the one that ended.
    return int(checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"])


def _world_size() -> int:
    return torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1
