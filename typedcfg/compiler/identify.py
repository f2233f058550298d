"""Identify: which run a configuration is, together with the code that git knows."""

import sys
from pathlib import Path

from typedcfg.identity.code_version import CodeVersion, read_code_version
from typedcfg.identity.run_identity import RunIdentity, identify_run
from typedcfg.identity.section_text import identity_text
from typedcfg.sections.experiment import Experiment
from typedcfg.template.base import ConfigTemplate


def identify(root: ConfigTemplate) -> RunIdentity:
    """The identity of the run that a whole configuration stands for."""
    experiment_name, run_name = run_names(root)
    code = code_version_of(root)
    return identify_run(code, identity_text(root), experiment_name=experiment_name, run_name=run_name)


def code_version_of(root: ConfigTemplate) -> CodeVersion:
    """What git says of the code: of the repository that holds the template's source, less the folder of runs."""
    leave_out = root.run.project_root.absolute() if isinstance(root, Experiment) else None
    return read_code_version(source_folder(type(root)), leave_out=leave_out)


def source_folder(template: type[ConfigTemplate]) -> Path:
    """The folder of the template's source; where it was typed into a shell, the current one."""
    file = getattr(sys.modules.get(template.__module__), "__file__", None)
    return Path(file).absolute().parent if file else Path.cwd()


def run_names(root: ConfigTemplate) -> tuple[str, str]:
    """The names of the experiment and of the run."""
    fallback = type(root).__name__.lower()
    if not isinstance(root, Experiment):
        return fallback, "run"
    return root.run.experiment_name or fallback, root.run.run_name
