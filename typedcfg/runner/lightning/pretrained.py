"""Begin with weights that another training found: the weights alone, and nothing of how it stood."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from torch import Tensor, nn

from typedcfg.errors import Problem, RecordError
from typedcfg.records.checkpoint_record import committed, verify
from typedcfg.runner.given_checkpoint import check_checkpoint, checkpoint_with_weights
from typedcfg.runner.lightning.export import read_safetensors
from typedcfg.runner.lightning.renamed import renamed_prefixes
from typedcfg.runner.lightning.safe_load import REST, WEIGHTS_KEY, load_safely
from typedcfg.text import listed, nearest

_log: Final = logging.getLogger(__name__)
_EXPECTED: Final = "a checkpoint, a state_dict, safetensors, or the folder of a run"
_PICKLE: Final = b"\x80"
"""How pickles begin."""
_SHOWN: Final = 5
"""How many weights are told of one by one."""


class Loaded(NamedTuple):
    """What did not match when weights were loaded."""

    missing: tuple[str, ...] = ()
    """What the model has and the file does not; it stays as it was."""
    unexpected: tuple[str, ...] = ()
    """What the file has and the model does not; it is left out."""
    reshaped: tuple[str, ...] = ()
    """What both have, in different shapes, as another head; the model's stays as it was."""


def load_pretrained(model: nn.Module, path: str | Path, *, strict: bool = True) -> Loaded:
    """Give a model the weights in a checkpoint: ours, another's of Lightning, a `state_dict`, or safetensors.

    A checkpoint that has a manifest must be what that states. Nothing is loaded in part: if something is wrong, the
    model stays as it was.

    Args:
        model: What the weights are for; a LightningModule in `build_model`, say.
        path: The file, the folder that several ranks wrote, or that of a run: its best checkpoint, or else the newest.
        strict: Whether model and file must have the same weights; else those of one name and shape are loaded.

    Raises:
        RecordError: The file is damaged, cannot be loaded safely or holds no weights; or they are not the model's:
            it is named what is missing, unexpected or of another shape. So it is where `strict=False` finds nothing.
        RunError: It is no checkpoint at all, or the folder of a run that has none.

    Example:
        `load_pretrained(model, "best.ckpt", strict=False)`
    """
    source = checkpoint_with_weights(Path(path))
    weights = _read_weights(source)
    own: dict[str, Any] = model.state_dict()
    shared = [name for name in own if name in weights]
    reshaped = {name for name in shared if isinstance(own[name], Tensor) and weights[name].shape != own[name].shape}
    differing = own.keys() - weights.keys(), weights.keys() - own.keys(), reshaped
    found = Loaded(*(tuple(sorted(names)) for names in differing))
    fitting = {name: weights[name] for name in shared if name not in reshaped}
    if not fitting or (strict and any(found)):
        raise _mismatch(found, weights, own, source, has_fitting=bool(fitting))
    if found.reshaped:
        _log.warning("%s: of other shapes in the model, and left there as they are: %s", source, listed(found.reshaped))
    model.load_state_dict(fitting, strict=False)
    return found


def _mismatch(
    found: Loaded, weights: dict[str, Tensor], own: dict[str, Any], source: Path, *, has_fitting: bool
) -> RecordError:
    what = f"the weights in {source.name} are not the model's" + ("" if has_fitting else ": nothing was loaded")
    instead = "load what both have: strict=False" if has_fitting else "give its parts the names that they had"
    renamed = renamed_prefixes(
        {name: weights[name].shape for name in found.unexpected},
        {name: own[name].shape for name in found.missing if isinstance(own[name], Tensor)},
    )
    old, new = {name for one in renamed for name in one.names}, {name for one in renamed for name in one.names.values()}
    missing, unexpected = (
        [name for name in names if name not in known]
        for names, known in ((found.missing, new), (found.unexpected, old))
    )
    return RecordError(
        Problem(what, where=str(source), fix=f"build the model that was saved, or {instead}"),
        *(Problem(str(one)) for one in renamed),
        *_some([_reshaped(name, weights[name], own[name]) for name in found.reshaped]),
        *_some([_unmatched(name, "the model", unexpected) for name in missing]),
        *_some([_unmatched(name, "the file", missing) for name in unexpected]),
    )


def _some(problems: Sequence[Problem]) -> Iterator[Problem]:
    """The first of many alike, and how many more there are."""
    yield from problems[:_SHOWN]
    if problems[_SHOWN:]:
        yield Problem(f"... and {len(problems) - _SHOWN} more like these")


def _reshaped(name: str, stored: Tensor, own: Tensor) -> Problem:
    return Problem(f"{name} is {list(stored.shape)} in the file and {list(own.shape)} in the model")


def _unmatched(name: str, owner: str, others: Iterable[str]) -> Problem:
    return Problem(f"{name} is in {owner} alone", suggestion=nearest(name, others))


def _read_weights(path: Path) -> dict[str, Tensor]:
    if not path.exists():
        like = path.parent.glob(f"*{path.suffix}") if path.suffix else ()
        there = {other.stem: str(other) for other in like}
        near = nearest(path.stem, there)
        what, where = f"there is no checkpoint {path.name}", str(path.absolute())
        raise RecordError(Problem(what, where, _EXPECTED, near and there[near]))
    if path.suffix == ".safetensors":
        return read_safetensors(path)
    if not _was_saved(path):
        check_checkpoint(path)
    if path.suffix == ".ckpt" and committed(path.parent):
        verify(path)  # where manifests stand, one that none vouches for was never finished
    content: Any = load_safely(path)  # another's file may hold anything
    weights = content.get(WEIGHTS_KEY, content) if isinstance(content, dict) else {}
    if not weights or not all(isinstance(name, str) and isinstance(value, Tensor) for name, value in weights.items()):
        expected = "a checkpoint of Lightning's, or a state_dict: names, and a tensor for each"
        raise RecordError(Problem(f"{path.name} holds no weights", where=str(path), expected=expected))
    return dict(weights)


def _was_saved(path: Path) -> bool:
    """Whether it is a file that torch saved in its old way, or a folder of ours without its manifest."""
    if not path.is_file():
        return (path / REST).exists()
    with path.open("rb") as file:
        return file.read(len(_PICKLE)) == _PICKLE
