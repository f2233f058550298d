"""The checkpoint that somebody names: a file, a folder of shards, or one of a run, by its folder."""

from collections.abc import Callable
from pathlib import Path

from typedcfg.compiler.config import Config
from typedcfg.compiler.diff import diff
from typedcfg.compiler.writing.secrets import as_overrides, secrets_in
from typedcfg.errors import Problem, ResumeRefused, RunError
from typedcfg.records.checkpoint_record import Manifest, Verified, committed, manifest_path
from typedcfg.runner.checkpoint_config import configuration_of
from typedcfg.runner.other_meaning import other_meaning
from typedcfg.runner.run_dir import RunDir
from typedcfg.sections.experiment import Experiment


def given_checkpoint(path: Path, config: Config[Experiment], *, check: Callable[[Path], Manifest]) -> Verified:
    """The checkpoint that a path stands for, whole, and of a configuration that means the same.

    Args:
        path: A checkpoint, or the folder of a run.
        config: What is to be trained.
        check: What tells that a checkpoint is whole.

    Raises:
        RunError: There is nothing there, or a run without a checkpoint.
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
    """The checkpoint whose weights a path stands for: itself; of a run's folder the best one, or else the latest.

    Raises:
        RunError: It is the folder of a run that has no checkpoint.
    """
    run = RunDir.within(path)
    if run is None:
        return path
    folders = [attempt.checkpoints for attempt in reversed(run.attempts())]
    found = next((name for folder in folders for name in (folder.best, folder.latest) if name.exists()), None)
    if found is None:
        raise _nothing_saved(path)
    return found


def check_there(path: Path) -> None:
    """See to it that a path leads somewhere.

    Raises:
        RunError: There is nothing.
    """
    if not path.exists():
        expected = "auto, never, a checkpoint, or the folder of a run"
        raise RunError(Problem(f"there is no checkpoint {path} to begin with", expected=expected))


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
    return RunError(Problem(f"the run {path} has no checkpoint to begin with", where=str(path.absolute())))
