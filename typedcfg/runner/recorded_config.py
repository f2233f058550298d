"""`run.yaml` as it lies in a run's folder, which people and disks may have lost or damaged."""

from typing import Final

from typedcfg.errors import ConfigError, Problem, RunError
from typedcfg.origin import Origin
from typedcfg.runner.run_dir import RunDir
from typedcfg.sources.file_reader import parse_file

_WAY_OUT: Final = (
    "restore it from a copy; or train on: `typedcfg run`, as the run was begun, writes it anew\n"
    "and goes on from the newest checkpoint"
)


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
