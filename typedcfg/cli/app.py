"""APP: the template that a command is about, `path.py:Class` or `package.module:Class`."""

import os
import sys
from collections.abc import Mapping
from importlib import import_module, util
from pathlib import Path
from types import ModuleType
from typing import Any

from typedcfg.errors import AppError, Problem, TemplateError
from typedcfg.runner.importing import collector_paused
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import reachable
from typedcfg.text import listed, nearest, one_of, shorten

_EXPECTED = "path.py:Class or package.module:Class"
_OF_A_RUN = "the folder of a run: `typedcfg runs show` shows it, `typedcfg resume` goes on with it"


def load_app(app: str) -> type[ConfigTemplate]:
    """The class that an APP names; its module is imported, the folder of a file first on `sys.path`.

    Raises:
        AppError: There is no such file, module or class, or importing it fails.
    """
    place, _, name = app.rpartition(":")
    # C:\experiment.py has a colon and names no class.
    if not place or "/" in name or "\\" in name:
        raise _no_class(app)
    module = _module(place, app)
    found = getattr(module, name, None)
    if isinstance(found, type) and issubclass(found, ConfigTemplate):
        return found
    known = _templates_in(vars(module), module.__name__)
    what = f"{place} has no class {name!r}" if found is None else f"{name} in {place} is no ConfigTemplate"
    raise AppError(
        Problem(
            what,
            expected=f"{one_of(known)}, which it has" if known else "a class derived from ConfigTemplate or Experiment",
            suggestion=f"{place}:{near}" if (near := nearest(name, known)) else None,
        )
    )


def check_experiment(template: type[ConfigTemplate], app: str) -> None:
    """See to it that what an APP names can be run: an experiment, and none of its sections.

    Raises:
        AppError: It cannot.
    """
    if _is_experiment(template):
        return
    place, _, name = app.rpartition(":")
    module = _module(place, app)
    known = [each for each in _templates_in(vars(module), module.__name__) if _is_experiment(vars(module)[each])]
    raise AppError(
        Problem(
            f"{name} in {place} is no Experiment, and cannot be run",
            expected=f"{one_of(known)}, which it has" if known else "a class derived from typedcfg.Experiment",
            suggestion=f"{place}:{known[0]}" if known else None,
        )
    )


def _is_experiment(template: type[ConfigTemplate]) -> bool:
    return hasattr(template, "build_model")


def _module(place: str, app: str) -> ModuleType:
    return _import_file(Path(place), app) if place.endswith(".py") else _import_module(place, app)


def _no_class(app: str) -> AppError:
    path = Path(app)
    if app.endswith(".py") and _is_file(app):
        known = _templates_in(vars(_import_file(path, app)), path.stem)
        return AppError(
            Problem(
                f"{app} names a file and no class",
                expected=_EXPECTED,
                suggestion=f"{app}:{known[0]}" if known else None,
            )
        )
    fix = _OF_A_RUN if os.path.isdir(app) else ""  # noqa: PTH112  # as _is_file
    return AppError(Problem(f"{shorten(app)!r} names no class", expected=_EXPECTED, fix=fix))


def _import_file(path: Path, app: str) -> ModuleType:
    """The module in a file, under the name by which the files beside it would import it."""
    if not _is_file(path):
        folder = path.parent
        files = sorted(folder.glob("*.py")) if os.path.isdir(folder) else []  # noqa: PTH112  # as _is_file
        stems = {file.stem: f"{file}{app[len(str(path)) :]}" for file in files}
        near = nearest(path.stem, stems)
        there = f"the folder has {listed(file.name for file in files)}" if files and near is None else ""
        raise AppError(Problem(f"there is no file {path}", "", _EXPECTED, near and stems[near], there))
    path = path.resolve()
    loaded = sys.modules.get(path.stem)
    if loaded is not None:
        if Path(getattr(loaded, "__file__", None) or "").resolve() == path:
            return loaded
        raise AppError(
            Problem(
                f"{path.name} cannot be imported: a module named {path.stem!r} is loaded already",
                fix="rename the file, or name it as package.module:Class",
            )
        )
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    spec = util.spec_from_file_location(path.stem, path)
    assert spec is not None, "a .py file has a loader"
    assert spec.loader is not None, "a .py file has a loader"
    module = util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        with collector_paused():
            spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[path.stem]
        raise _not_importable(app, error) from error
    return module


def _is_file(path: str | Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113  # any text has an answer; Path.is_file raises where one is too long


def _import_module(name: str, app: str) -> ModuleType:
    if not all(word.isidentifier() for word in name.split(".")):
        beside = f"{name}.py:{app.rpartition(':')[2]}" if _is_file(f"{name}.py") else None
        raise AppError(Problem(f"{name!r} names no module", expected=_EXPECTED, suggestion=beside))
    # The current folder counts, as it does for `python -m`.
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        with collector_paused():
            return import_module(name)
    except BaseException as error:
        raise _not_importable(app, error) from error


def _not_importable(app: str, error: BaseException) -> BaseException:
    """The error to raise where importing an APP failed: our own errors and interrupts stay what they are."""
    from typedcfg.errors import TypedcfgError

    if isinstance(error, SystemExit):
        what = f"{app} ends the program while it is imported"
        fix = 'call main(...) and the like below `if __name__ == "__main__":`'
        return AppError(Problem(what, expected="a module that can be imported", fix=fix))
    if isinstance(error, TypedcfgError) or not isinstance(error, Exception):
        return error
    if isinstance(error, ModuleNotFoundError) and f"{app.rpartition(':')[0]}.".startswith(f"{error.name}."):
        return AppError(Problem(f"there is no module {error.name}", expected=_EXPECTED))
    from typedcfg.runner.failure import place_of

    where = place_of(error)
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{error.filename}:{error.lineno}:{error.offset}"
    # pydantic's messages go on for lines; --debug shows them all.
    message = next(iter(str(error).splitlines()), "")
    what = f"{app} cannot be imported: {type(error).__name__}: {message}"
    return AppError(Problem(what, where, fix="--debug shows the traceback"))


def _templates_in(names: Mapping[str, Any], module: str) -> list[str]:
    """The templates that a module defines itself: experiments first, which one runs; then those that none holds."""
    own = [(n, v) for n, v in names.items() if isinstance(v, type) and issubclass(v, ConfigTemplate)]
    mine = [(n, v) for n, v in own if v.__module__ == module]
    held = {below for _, template in mine for below in _held_by(template)}
    mine.sort(key=lambda named: (not _is_experiment(named[1]), named[1] in held))
    return [name for name, _ in mine]


def _held_by(template: type[ConfigTemplate]) -> set[type[ConfigTemplate]]:
    """The templates of the sections below one; none where it is declared wrongly, which is told once it is chosen."""
    try:
        return {*reachable(template)} - {template}
    except TemplateError:
        return set()
