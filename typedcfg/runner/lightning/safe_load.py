"""Load a checkpoint: what verifies, and of that tensors and plain values alone; no code of a file's is ever run."""

import re
from pathlib import Path
from typing import Any, Final

import torch

from typedcfg.errors import Problem, RecordError
from typedcfg.records.checkpoint_record import Manifest, verify

CONFIG_KEY: Final = "typedcfg_config"
"""Where a checkpoint holds the configuration that it was trained with, as JSON text."""


def load_safely(path: Path, *, name: str = "", map_location: Any = "cpu", mmap: bool = False) -> dict[str, Any]:
    """What a file holds, with `weights_only=True`; nothing vouches for its content.

    Args:
        path: The file.
        name: What a message calls it, if not by its own name.
        map_location: Where tensors are put, as `torch.load` takes it.
        mmap: Whether tensors are left on the disk until they are read.

    Raises:
        RecordError: It holds more than tensors and plain values, or is no checkpoint at all.
    """
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
    load_safely(path, mmap=True)
    return manifest


def read_config_of(path: str | Path) -> str | None:
    """The configuration that a checkpoint was trained with, as JSON text; None where it holds none.

    Raises:
        RecordError: The checkpoint is not whole, or cannot be loaded safely.
    """
    verify(Path(path))
    text = load_safely(Path(path), mmap=True).get(CONFIG_KEY)
    return text if isinstance(text, str) else None
