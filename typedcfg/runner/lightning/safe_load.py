"""Load a checkpoint: what verifies, and of that tensors and plain values alone; no code of a file's is ever run."""

import re
from pathlib import Path
from typing import Any, Final

import torch

from typedcfg.errors import Problem, RecordError
from typedcfg.records.checkpoint_record import Manifest, verify

CONFIG_KEY: Final = "typedcfg_config"
"""Where a checkpoint holds the configuration that it was trained with, as JSON text."""

WEIGHTS_KEY: Final = "state_dict"
"""Where a checkpoint holds the weights."""
REST: Final = "meta.pt"
"""The file of a folder that holds what is in no other: all but weights and optimizers' states."""


def load_safely(path: Path, *, name: str = "", map_location: Any = "cpu", mmap: bool = False) -> dict[str, Any]:
    """What a checkpoint holds, with `weights_only=True`; nothing vouches for its content.

    Of one that is a folder, the weights are put together from all its files; the optimizers' states stay there.

    Args:
        path: The file, or the folder.
        name: What a message calls it, if not by its own name.
        map_location: Where tensors are put, as `torch.load` takes it.
        mmap: Whether tensors are left on the disk until they are read.

    Raises:
        RecordError: It holds more than tensors and plain values, or is no checkpoint at all.
    """
    if path.is_dir():
        # Here, since it takes torch long to import what is distributed.
        from typedcfg.runner.lightning.sharded.shards import read_tensors

        whole = {WEIGHTS_KEY: read_tensors(path, WEIGHTS_KEY)}
        return {**load_safely(path / REST, map_location=map_location, mmap=mmap), **whole}
    try:
        loaded: dict[str, Any] = torch.load(path, map_location=map_location, weights_only=True, mmap=mmap)
    except Exception as error:
        raise RecordError(
            Problem(
                f"checkpoint {name or path.name} cannot be loaded safely: {_reason(error)}",
                where=str(path),
                expected="tensors, numbers, text, lists and dicts, in hyper-parameters and callbacks' states too",
            )
        ) from error
    return loaded


def _reason(error: Exception) -> str:
    """What torch does not take; it says so at the end of a page on how to load it regardless."""
    text = str(error)
    if blocked := re.search(r"unsupported GLOBAL (\S+) whose module", text):
        return f"{blocked[1]} is not taken"
    found = re.search(r"WeightsUnpickler error:\s*(.+?)(?:\. |\n|\Z)", text)
    return found[1] if found else next(filter(None, text.splitlines()), type(error).__name__)


def verify_loadable(path: Path) -> Manifest:
    """The manifest of a checkpoint that is what it says, and that loads; no tensor is read for it.

    Raises:
        RecordError: It was never finished, is damaged, or holds what cannot be loaded safely.
    """
    manifest = verify(path)
    _load_rest(path)
    return manifest


def read_config_of(path: str | Path) -> str | None:
    """The configuration that a checkpoint was trained with, as JSON text; None where it holds none.

    Raises:
        RecordError: The checkpoint is not whole, or cannot be loaded safely.
    """
    verify(Path(path))
    text = _load_rest(Path(path)).get(CONFIG_KEY)
    return text if isinstance(text, str) else None


def _load_rest(path: Path) -> dict[str, Any]:
    """What a checkpoint holds beside tensors, of which none is read."""
    return load_safely(path / REST if path.is_dir() else path, name=path.name, mmap=True)
