"""The checkpoint that somebody names: a file, a folder of shards, or one of a run, by its folder."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from typedcfg.compiler.config import Config
from typedcfg.compiler.diff import diff
from typedcfg.compiler.writing.secrets import as_overrides, secrets_in
from typedcfg.errors import Problem, ResumeRefused, RunError
from typedcfg.records.checkpoint_record import Manifest, Verified, committed, manifest_path
from typedcfg.runner.checkpoint_config import configuration_of
from typedcfg.runner.other_meaning import other_meaning
from typedcfg.runner.run_dir import RunDir
from typedcfg.sections.experiment import Experiment

_EXPECTED: Final = "a checkpoint, or the folder of a run"
_ZIP: Final = b"PK"
"""How files begin that torch saves."""


def given_checkpoint(path: Path, config: Config[Experiment], *, check: Callable[[Path], Manifest]) -> Verified:
    """The checkpoint that a path stands for, whole, and of a configuration that means the same.

    Args:
        path: A checkpoint, or the folder of a run.
        config: What is to be trained.
        check: What tells that a checkpoint is whole.

    Raises:
        RunError: There is nothing there, something else, or a run without a checkpoint.
        RecordError: It is not whole.
        ResumeRefused: It was trained with a configuration that means something else; each difference is named.
    """
    found = _find(path, check)
    if found.manifest.fingerprint != str(config.fingerprint):
        overrides = as_overrides(secrets_in(config.params))
        recorded = configuration_of(found.path, type(config.params), overrides).config
        raise ResumeRefused(
            other_meaning(
                str(path),
                done="trained",
                where=found.path,
                differences=diff(recorded, config),
                fix="begin with its weights alone: load_pretrained in build_model",
            )
        )
    return found


def checkpoint_with_weights(path: Path) -> Path:
    """The checkpoint whose weights a path stands for: itself; of a run's folder the best one, or else the newest.

    Raises:
        RunError: It is the folder of a run that has no checkpoint.
        RecordError: A folder of checkpoints cannot be read.
    """
    run = RunDir.within(path)
    if run is None:
        return path
    for attempt in reversed(run.attempts()):
        folder = attempt.checkpoints
        # The names for people may be gone, and what they stood for be there.
        for checkpoint in (folder.best, folder.latest, *reversed(committed(folder.path))):
            if checkpoint.exists():
                return checkpoint
    raise _nothing_saved(path)


def check_there(path: Path) -> None:
    """See to it that a path leads to what may be begun with.

    Raises:
        RunError: There is nothing, or something else.
    """
    if not os.path.exists(path):  # noqa: PTH110  # any text has an answer; Path.exists raises for some
        raise RunError(Problem(f"there is no checkpoint {path} to begin with", expected=f"auto, never, {_EXPECTED}"))
    check_checkpoint(path)


def check_checkpoint(path: Path) -> None:
    """See to it that a path leads to a checkpoint, whole or not, or to the folder of a run.

    Raises:
        RunError: It is something else; what may be meant is named.
    """
    if RunDir.within(path) is None and not _may_be_checkpoint(path.absolute()):
        fix = "`typedcfg runs ls` lists runs, and `typedcfg runs show RUN` says where its checkpoints lie"
        raise RunError(Problem(f"{path} is no checkpoint", expected=_EXPECTED, suggestion=_meant(path), fix=fix))


def _may_be_checkpoint(path: Path) -> bool:
    """Whether a file or folder is called so, has a manifest, or begins as what torch saves: others may be copies."""
    if path.suffix == ".ckpt" or (path.name and manifest_path(path).exists()):
        return True
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_ZIP)) == _ZIP


def _meant(path: Path) -> str | None:
    """What somebody means who names what lies beside a checkpoint, or in a run."""
    if path.name.endswith(".ckpt.json") and path.with_suffix("").exists():
        return str(path.with_suffix(""))
    return next((str(above) for above in (*path.parents, *path.absolute().parents) if RunDir.within(above)), None)


def _find(path: Path, check: Callable[[Path], Manifest]) -> Verified:
    if run := RunDir.within(path):
        found = run.latest_checkpoint(check=check)
        if found is None:
            raise _nothing_saved(path)
        return found._replace(path=found.path.absolute())
    check_there(path)
    manifest, whole = check(path), path.absolute()
    if not manifest_path(whole).exists():  # a name for people
        named = (path for path, one in committed(whole.parent).items() if one == manifest and path.exists())
        whole = next(named, whole)
    return Verified(whole, manifest)


def _nothing_saved(path: Path) -> RunError:
    return RunError(Problem(f"the run {path} has no checkpoint", where=str(path.absolute())))
