"""`typedcfg worker RUN`: one of the processes of a run, started by a launcher."""

import os
from pathlib import Path

from typedcfg.cli.context import Context, UsageError
from typedcfg.errors import Problem
from typedcfg.runner.launchers.base import ATTEMPT_VARIABLE, RUN_VARIABLE
from typedcfg.runner.launchers.lifeline import die_with_parent
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.runner.worker import work
from typedcfg.template.base import ConfigTemplate


def run(context: Context) -> int:
    """Do this process's part of the attempt that the launcher names."""
    die_with_parent()
    # Taken, not read: a process that the training starts in turn is no worker of this run.
    folder, attempt = os.environ.pop(RUN_VARIABLE, None), os.environ.pop(ATTEMPT_VARIABLE, None)
    if context.has_more():
        folder = context.word("RUN")
    context.finish()
    if folder is None or attempt is None:
        raise UsageError(Problem("a worker is started by a launcher", fix="`typedcfg resume RUN` starts one"))
    opened = RunDir.at(Path(folder))
    return work(opened, AttemptDir(Path(attempt)), lambda: _load(context, opened))


def _load(context: Context, run: RunDir) -> type[ConfigTemplate]:
    """The script's own class, or the one that the launching process recorded a moment ago."""
    if context.template is not None:
        return context.template
    from typedcfg.cli.app import load_app

    return load_app(RunBook(run).begun.template.app)
