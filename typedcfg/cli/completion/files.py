"""Completing what lies on disk: files, folders, and the templates in a Python file, which is not imported for it."""

import ast
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from typedcfg.cli.completion.candidate import Candidate

SETTINGS: Final = frozenset({".yaml", ".yml", ".json", ".toml"})
_BASES: Final = ("ConfigTemplate", "Experiment")


def files(word: str, suffixes: Collection[str] | None = None) -> Iterator[Candidate]:
    """Folders, and the files with one of some suffixes: all files without, none if there are no suffixes.

    What is hidden is offered only where its dot is typed.
    """
    head, slash, start = word.rpartition("/")
    folder = _expanded(head + slash or ".")
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(start) or (path.name.startswith(".") and not start.startswith(".")):
            continue
        if path.is_dir():
            yield Candidate(f"{head}{slash}{path.name}/")
        elif suffixes is None or path.suffix in suffixes:
            yield Candidate(f"{head}{slash}{path.name}")


def apps(word: str) -> Iterator[Candidate]:
    """Python files up to their colon, then the templates in one: `experiment.py:Digits`."""
    place, colon, name = word.rpartition(":")
    if not colon:
        for candidate in files(word, {".py"}):
            goes_on = "" if candidate.text.endswith("/") else ":"
            yield Candidate(candidate.text + goes_on)
        return
    path = _expanded(place) if place.endswith(".py") else Path(*place.split("."))
    for source in (path, Path(f"{path}.py"), path / "__init__.py"):
        if source.is_file():
            for template in templates_in(source.read_bytes(), name):
                yield Candidate(f"{place}:{template}")
            return


def _expanded(path: str) -> Path:
    return Path(os.path.expanduser(path))  # noqa: PTH111  # leaves the ~ of nobody's home as it is; Path's own raises


def templates_in(source: str | bytes, start: str = "") -> tuple[str, ...]:
    r"""The templates in a Python source whose names begin so, as far as can be told without running it.

    Where some of them are experiments only those are named: they are what one runs.

    Example:
        >>> templates_in("class Loader(ConfigTemplate): ...\nclass Digits(Experiment): ...")
        ('Digits',)
        >>> templates_in("class Loader(ConfigTemplate): ...\nclass Digits(Experiment): ...", "Lo")
        ('Loader',)
    """
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError):
        return ()
    bases = {name: name for name in _BASES}
    """Names of templates, each with the class of ours that it derives from."""
    for node in module.body:
        if isinstance(node, ast.ImportFrom):
            bases |= {alias.asname: alias.name for alias in node.names if alias.asname and alias.name in _BASES}
        elif isinstance(node, ast.ClassDef):
            inherited = next((name for base in node.bases if (name := _last_name(base)) in bases), None)
            if inherited is not None:
                bases[node.name] = bases[inherited]
    classes = [node.name for node in module.body if isinstance(node, ast.ClassDef) and node.name.startswith(start)]
    for wanted in ({"Experiment"}, set(_BASES), {None}):
        if found := tuple(name for name in classes if bases.get(name) in wanted):
            return found
    return ()


def _last_name(base: ast.expr) -> str:
    """`Experiment`, of `Experiment` and of `typedcfg.Experiment`."""
    return base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
