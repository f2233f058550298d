"""The checkpoint that somebody names to begin with: a file, a folder of shards, or the newest of a run."""

from collections.abc import Callable
from pathlib import Path

from typedcfg.compiler.config import Config
from typedcfg.compiler.diff import diff
from typedcfg.compiler.writing.secrets import as_overrides, secrets_in
from typedcfg.errors import Problem, ResumeRefused, RunError
from typedcfg.records.checkpoint_record import Manifest, Verified, manifest_path
from typedcfg.runner.checkpoint_config import configuration_of
from typedcfg.runner.run_dir import CheckpointDir, RunDir
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
        differences = [str(one) for one in diff(recorded, config) if one.is_in_identity]
        raise ResumeRefused(
            Problem(
                f"{path} was trained with a configuration that means something else",
                where=str(found.path),
                expected="\n".join(["the values that it was trained with; these bear on the outcome:", *differences]),
                fix="leave them as they were, or begin with its weights alone: load_pretrained in build_model",
            )
        )
    return found


def _find(path: Path, check: Callable[[Path], Manifest]) -> Verified:
    if run := RunDir.within(path):
        found = run.latest_checkpoint(check=check)
        if found is None:
            raise RunError(Problem(f"the run {path} has no checkpoint to begin with", where=str(path.absolute())))
        return found._replace(path=found.path.absolute())
    if not path.exists():
        expected = "auto, never, a checkpoint, or the folder of a run"
        raise RunError(Problem(f"there is no checkpoint {path} to begin with", expected=expected))
    manifest, whole = check(path), path.absolute()
    named = CheckpointDir(whole.parent).step(manifest.step)
    if not manifest_path(whole).exists() and named.exists():  # a name for people
        whole = named
    return Verified(whole, manifest)
