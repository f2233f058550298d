"""Where the class of an experiment stands, so that another process can load it."""

import sys
from pathlib import Path
from shlex import join

from typedcfg.compiler.identify import source_folder
from typedcfg.errors import Problem, RunError
from typedcfg.records.run_record import Identity, TemplateReference
from typedcfg.runner.run_folders import marked_uuid
from typedcfg.sections.experiment import Experiment, undefined_builders
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.migrations import schema_version


def refer_to(template: type[ConfigTemplate]) -> TemplateReference:
    """Where a template stands."""
    file = getattr(sys.modules.get(template.__module__), "__file__", None)
    path = Path(file).resolve() if file else source_folder(template)
    top = repository_of(path)
    return TemplateReference(
        qualname=template.__qualname__,
        module=template.__module__,
        path=path.relative_to(top).as_posix() if top else None,
        absolute_path=str(path),
        version=schema_version(template),
    )


def repository_of(path: Path) -> Path | None:
    """The top folder of the repository that a path lies in; None outside one."""
    return next((folder for folder in (path, *path.parents) if (folder / ".git").exists()), None)


def is_same_class(now: TemplateReference, recorded: TemplateReference) -> bool:
    """Whether two references mean one class: of one name, in one file.

    A repository may lie elsewhere today, and so may a file that is no longer where it was.
    """
    if now.qualname != recorded.qualname:
        return False
    if now.path is not None and recorded.path is not None:
        return now.path == recorded.path
    return now.absolute_path == recorded.absolute_path or not Path(recorded.absolute_path).exists()


def check_same_class(template: type[Experiment], recorded: TemplateReference, run: Identity, *, folder: Path) -> None:
    """See to it that a run which was found by its identity is that of the class that asks for it.

    Raises:
        RunError: Another class began it; or one of its name in another file, which may be a copy.
    """
    now = refer_to(template)
    if is_same_class(now, recorded):
        return
    where = f"{now.app}\nthe run {run.name} {run.id} is that of {recorded.app}"
    other = f'give one of them a field that says what it is: task: Literal["{template.__name__}"] = ...'
    if now.qualname != recorded.qualname:
        what = f"{template.__qualname__} has the values and the code of a run of another class, {recorded.qualname}"
        expected = "values that differ: values and code alone tell runs apart, and the class's name is neither"
        raise RunError(Problem(what, where=where, expected=expected, fix=other))
    resume = join(["typedcfg", "resume", str(folder), "--app", now.app])
    own = f"move {folder} away" if undefined_builders(template) else resume  # which trains no loop of a script
    raise RunError(
        Problem(
            f"{template.__qualname__} stands in two files, and nobody can tell whether they are one class",
            where=where,
            expected="one file; in no repository, that of a copied folder is another",
            fix=f"if one is a copy of the other: {own}\nif not: {other}",
        )
    )


def check_loadable(reference: TemplateReference) -> None:
    """See to it that another process can load the class.

    Raises:
        RunError: It stands in no file, or within a function or a class.
    """
    if not reference.absolute_path.endswith(".py") or not reference.qualname.isidentifier():
        raise RunError(
            Problem(
                f"{reference.qualname} cannot be loaded in another process",
                where=reference.absolute_path,
                expected="an experiment's class at the top level of a file, which every worker imports",
                fix="move the class into a file, or train in this process: trainer.devices=1",
            )
        )


def check_trusted(reference: TemplateReference, *, here: Path, runs: Path) -> None:
    """See to it that a class may be imported because a record says so.

    A record is data and may have come from elsewhere. Only code that the user is working on is run on its word:
    in the repository of the current folder, and not among the runs.

    Raises:
        RunError: The user must name the class.
    """
    path, top = Path(reference.absolute_path).resolve(), repository_of(here.resolve())
    if top is None:
        within = "the current folder is in no repository"
    elif not path.is_relative_to(top):
        within = f"the current repository is {top}"
    elif holder := _holder(path, top, runs.resolve()):
        within = f"it lies in {holder}, where runs lie"
    else:
        return
    raise RunError(
        Problem(
            f"the run was configured by {reference.app}, which is not imported on a record's word alone",
            where=within,
            expected="a class in the current repository, outside the folder of runs",
            fix=f"if you trust that code, name it: --app {reference.app}",
        )
    )


def _holder(path: Path, top: Path, runs: Path) -> Path | None:
    """The folder of runs, or the run, that code in a repository lies in; None where it lies in neither.

    Where a run was moved alone, or runs lie beside the code, the whole repository is in the folder that holds them.
    """
    if path.is_relative_to(runs) and not top.is_relative_to(runs):
        return runs
    return next((folder for folder in path.parents if marked_uuid(folder)), None)
