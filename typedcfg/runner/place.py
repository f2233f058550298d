"""Place: where in the folder of runs a run lies, as its `run.layout` says."""

from pathlib import Path, PurePosixPath
from typing import Final

from typedcfg.compiler.config import Config, told_by
from typedcfg.errors import Problem, RunError
from typedcfg.runner.run_folders import AT_THE_TOP
from typedcfg.sections.experiment import Experiment

NAMED_BY: Final = ("run.experiment_name", "run.run_name", "run.project_root", "run.layout", "run.config_root")
"""What a run's folder was named by, and so stays."""


def place_of(config: Config[Experiment]) -> PurePosixPath:
    """The folders between `run.project_root` and the run's own.

    With `mirror` they are named as the strongest configuration file lies below `run.config_root`, without its suffix:
    `configs/mnist/wide.yaml` gives `mnist/wide`. A configuration without a file lies at the top.

    Raises:
        RunError: That file does not lie below `run.config_root`.
    """
    run = config.params.run
    files = [layer.name for layer in told_by(config)[0].layers if layer.strength == "files" and not layer.top]
    if run.layout == "name" or not files:
        return AT_THE_TOP
    file, root = Path(files[-1]).resolve(), run.config_root.resolve()
    if not file.is_relative_to(root):
        raise RunError(
            Problem(
                f"{files[-1]} gives its run no place: it does not lie below {run.config_root}",
                where=str(file),
                expected="with run.layout=mirror, a configuration file below run.config_root",
                fix=f"set run.config_root={file.parent}, or run.layout=name",
            )
        )
    return PurePosixPath(file.relative_to(root).with_suffix("").as_posix())
