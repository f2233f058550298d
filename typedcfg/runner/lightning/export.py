"""Export: the weights of a checkpoint as safetensors, which other programs read without torch's pickles."""

from importlib import import_module
from pathlib import Path
from typing import Any

from torch import Tensor

from typedcfg.errors import Problem, RecordError, RunError
from typedcfg.records.checkpoint_record import verify
from typedcfg.runner.lightning.safe_load import CONFIG_KEY, WEIGHTS_KEY, load_safely
from typedcfg.storage import write_atomically


def export_weights(checkpoint: str | Path, out: str | Path) -> dict[str, str]:
    """Write the model's weights, with the step and the configuration that led to them in the metadata.

    Args:
        checkpoint: A whole checkpoint of ours.
        out: The file to write; one that is there is replaced.

    Returns:
        The metadata: `step`, `epoch`, `typedcfg_config` and `fingerprint`, as far as they are known.

    Raises:
        RecordError: The checkpoint is not whole, cannot be loaded safely, or the file cannot be written.
        RunError: safetensors is not installed.
    """
    source, safetensors = Path(checkpoint), _safetensors()
    manifest = verify(source)
    content = load_safely(source)
    metadata = {"format": "pt", "step": str(manifest.step), "epoch": str(manifest.epoch)}
    if manifest.fingerprint is not None:
        metadata["fingerprint"] = manifest.fingerprint
    if isinstance(text := content.get(CONFIG_KEY), str):
        metadata[CONFIG_KEY] = text
    # Copies: safetensors refuses two names for one memory, as tied weights are.
    weights = {name: value.clone().contiguous() for name, value in content[WEIGHTS_KEY].items() if _is_weight(value)}
    write_atomically(Path(out), safetensors.save(weights, metadata))
    return metadata


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The weights in a safetensors file.

    Raises:
        RecordError: It is none.
        RunError: safetensors is not installed.
    """
    safetensors = _safetensors()
    try:
        weights: dict[str, Tensor] = safetensors.load_file(path)
    except Exception as error:
        raise RecordError(Problem(f"{path.name} cannot be read: {error}", where=str(path))) from error
    return weights


def _is_weight(value: object) -> bool:
    return isinstance(value, Tensor)  # a module may keep other state beside them


def _safetensors() -> Any:
    try:
        return import_module("safetensors.torch")
    except ModuleNotFoundError as error:
        what = "safetensors is not installed, and writes and reads such files"
        raise RunError(Problem(what, fix="pip install 'typedcfg[export]'")) from error
