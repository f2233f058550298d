"""The configuration of a checkpoint: that of the run it lies in, or the text within it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from typedcfg.compiler.config import Config
from typedcfg.errors import ConfigError, Problem, RecordError, ResumeRefused, RunError
from typedcfg.records.checkpoint_record import Manifest, verify
from typedcfg.runner.other_meaning import other_meaning
from typedcfg.runner.recorded_config import check_config
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.sections.experiment import Experiment
from typedcfg.sources.base import Branch, Layer, Source
from typedcfg.sources.files import FileSource
from typedcfg.sources.instructions import take_apart
from typedcfg.sources.json_reader import read_json


class Configured(NamedTuple):
    """What a checkpoint was trained with."""

    config: Config[Experiment]
    run: RunDir | None
    """The run that it lies in; None where it was copied out of one."""


def configuration_of(
    checkpoint: Path, template: type[Experiment], overrides: Sequence[str] | Mapping[str, object]
) -> Configured:
    """The configuration of a checkpoint, with what is to differ from now on.

    Args:
        checkpoint: A whole checkpoint of ours.
        template: The class that it was configured with.
        overrides: Settings that are not in the identity, and secrets, which are recorded nowhere.

    Raises:
        RecordError: The checkpoint is not whole, or holds no configuration and lies in no run.
        ConfigError: The configuration does not compile.
        ResumeRefused: An override bears on the outcome, or the class has changed since; each difference is named.
    """
    manifest = verify(checkpoint)
    run = _run_of(checkpoint, manifest)
    source: Source = FileSource([run.config]) if run and _is_readable(run) else _Text(checkpoint)
    config = template.compile(sources=[source], overrides=overrides)
    if manifest.fingerprint is not None and str(config.fingerprint) != manifest.fingerprint:
        raise ResumeRefused(_another(checkpoint, template, source, config))
    return Configured(config, run)


def _run_of(checkpoint: Path, manifest: Manifest) -> RunDir | None:
    """The run that a checkpoint is of, by where it lies: that of another may have been put there."""
    run = RunDir.within(AttemptDir.of(checkpoint.absolute()).run.path)
    record = RunBook(run).intact if run else None
    return run if record is None or manifest.is_of(record.identity.fingerprint) else None


def _is_readable(run: RunDir) -> bool:
    try:
        check_config(run)
    except RunError:
        return False
    return True


class _Text:
    """The text in a checkpoint, as one layer."""

    def __init__(self, checkpoint: Path) -> None:
        self._checkpoint = checkpoint

    def read(self) -> Iterator[Layer]:
        from typedcfg.runner.lightning.safe_load import read_config_of

        name, text = self._checkpoint.name, read_config_of(self._checkpoint)
        if text is None:
            what, expected = f"{name} holds no configuration", "a checkpoint that a run of typedcfg wrote"
            raise RecordError(Problem(what, where=str(self._checkpoint), expected=expected))
        document, problems = take_apart(read_json(text, name))
        ConfigError.raise_any(problems)
        trees = [step for step in document.steps if isinstance(step, Branch)]
        if len(trees) < len(document.steps):
            # What was saved extends nothing; a text that does was put there, and might name any file.
            raise RecordError(Problem(f"the configuration in {name} extends files", where=str(self._checkpoint)))
        yield Layer(name, "files", (*trees, document.own), version=document.version)


def _another(checkpoint: Path, template: type[Experiment], source: Source, now: Config[Experiment]) -> Problem:
    try:
        recorded = template.compile(sources=[source])
    except ConfigError:  # without a secret that the template requires: there is nothing to compare with
        changed = []
    else:
        changed = [found for found in recorded.diff(now) if found.is_in_identity]
    problem = other_meaning(
        checkpoint.name,
        done="trained",
        where=checkpoint,
        differences=changed,
        fix="start another run, and begin with these weights: load_pretrained",
    )
    if changed:
        return problem
    as_then = f"the class {template.__qualname__} as it was then: it means something else by the same values"
    return replace(problem, expected=as_then)
