"""`run.yaml`: a run's configuration as it lies in its folder, where people and disks may have lost or damaged it."""

import warnings
from typing import Any, Final

from typedcfg.compiler.config import Config, told_by
from typedcfg.compiler.migrate import differences
from typedcfg.compiler.writing.secrets import as_overrides
from typedcfg.errors import ConfigError, DeprecatedName, Problem, ResumeRefused, RunError
from typedcfg.origin import Origin
from typedcfg.records.run_record import RunRecord
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import RunDir
from typedcfg.sections.experiment import Experiment
from typedcfg.sources.file_reader import parse_file
from typedcfg.sources.files import FileSource
from typedcfg.storage import write_atomically
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.migrations import schema_version

_WAY_OUT: Final = (
    "restore it from a copy; or train on: `typedcfg run`, as the run was begun, writes it anew\n"
    "and goes on from the newest checkpoint"
)


def write_config(run: RunDir, config: Config[Experiment]) -> None:
    """Write `run.yaml`."""
    write_atomically(run.config, config_text(config).encode())


def config_text(config: Config[Experiment]) -> str:
    """A configuration as YAML, with the version of the schema that can read it as it is."""
    return f"$version: {schema_version(type(config.params))}\n{config.to_yaml(origins=True)}"


def check_config(run: RunDir) -> None:
    """See to it that the configuration of a run can be read.

    Raises:
        RunError: It is lost, or no YAML.
    """
    name = run.config.name
    try:
        parse_file(str(run.config), name, Origin(str(run.path)))
    except ConfigError as error:
        found = "; ".join(problem.what for problem in error.problems)
        what = f"{name} is damaged: {found}" if run.config.exists() else f"{name} is lost"
        raise RunError(Problem(what, where=str(run.config), fix=_WAY_OUT)) from error


def rebuild(run: RunDir, template: type[ConfigTemplate], secrets: dict[str, Any]) -> Config[Any]:
    """The configuration of a run from its folder.

    Raises:
        ConfigError: `run.yaml` does not compile.
        RunError: It is of another class, or its `run.yaml` is lost or damaged.
        ResumeRefused: It is not the configuration that the run was begun with: edited since, or of a changed template.
    """
    record = RunBook(run).record
    if record is None or not issubclass(template, Experiment):
        raise RunError(Problem(f"{run.path} was never begun with {template.__qualname__}", where=str(run.path)))
    check_config(run)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecatedName)  # whoever compiled the configuration was told
        config = template.compile(run.config, overrides=as_overrides(secrets))
    if str(config.fingerprint) != record.identity.fingerprint:
        raise ResumeRefused(_another(run, record, config))
    return config


def _another(run: RunDir, record: RunRecord, config: Config[Any]) -> Problem:
    """The problem of a `run.yaml` that is another run by now."""
    name, template = run.config.name, type(config.params)
    expected = f"{record.identity.fingerprint}, as run.json states\nfound {config.fingerprint}"
    story, _ = told_by(config)
    if not story.migrations:
        return Problem(
            f"{name} is not the configuration that the run was begun with: it has another fingerprint",
            where=str(run.config),
            expected=expected,
            fix=f"undo what was changed in {name}, or in the class {template.__qualname__}",
        )
    [written, *_] = FileSource([run.config]).read()
    changed = differences(written.roots[0], story.layers[0].roots[0])
    return Problem(
        f"{name} means another run once it is migrated: it has another fingerprint",
        where=str(run.config),
        expected="\n".join([expected, f"migrated by {', '.join(story.migrations)}, which changed", *changed]),
        fix="let RenamedFrom and AddedIn keep what the run is identified by, or start another run of it: "
        f"typedcfg run {record.template.app} {run.config}",
    )
