"""One file as a tree: which reader reads which suffix, and what is wrong with a file that cannot be read."""

import os
from codecs import BOM_UTF8
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from typedcfg.errors import ConfigError, Problem
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch
from typedcfg.text import listed, nearest, one_of, shorten

_ALIKE: Final = 0.75
"""How much of two names of files must be the same for one to be a slip for the other."""
SUFFIXES: Final = (".yaml", ".yml", ".json", ".toml")


def parse_file(path: str, name: str, asked: Origin) -> Branch:
    """The tree that one file says, its `$` keys as they were written.

    Args:
        path: What to open.
        name: What origins call it.
        asked: Who wants it: the place that a problem names if there is no such file.

    Raises:
        ConfigError: The file cannot be read, or its text is no mapping in the format of its suffix.
    """
    text = read_text(path, name, asked)
    suffix = _suffix(path)
    # Each reader is imported for the first file that needs it: yaml alone costs more than a small check.
    if suffix == ".json":
        from typedcfg.sources.json_reader import read_json

        return read_json(text, name)
    if suffix == ".toml":
        from typedcfg.sources.toml_reader import read_toml

        return read_toml(text, name)
    from typedcfg.sources.yaml_reader import read_yaml

    return read_yaml(text, name)


def read_text(path: str, name: str, asked: Origin, suffixes: Sequence[str] = SUFFIXES) -> str:
    """The text of a file, without a byte order mark.

    Raises:
        ConfigError: There is no such file, it cannot be read, its suffix is another, or it is not UTF-8.
    """
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # for every file: `Path` costs as much as it reads
            raw = file.read().removeprefix(BOM_UTF8)
    except FileNotFoundError:
        raise ConfigError(_missing(path, name, asked)) from None
    except (OSError, ValueError) as error:  # a name may hold a NUL byte
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        what = f"{shorten(repr(name))} cannot be read: {reason.lower()}"
        raise ConfigError(Problem(what, where=str(asked), expected="a file")) from error
    suffix = _suffix(path)
    if suffixes and suffix not in suffixes:
        what = f"{name!r} has no format: the suffix is {suffix!r}" if suffix else f"{name!r} has no suffix"
        raise ConfigError(Problem(what, where=str(asked), expected=one_of(suffixes)))
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line_start = raw.rfind(b"\n", 0, error.start) + 1
        line, column = raw.count(b"\n", 0, error.start) + 1, len(raw[line_start : error.start].decode()) + 1
        what = f"byte 0x{raw[error.start]:02x} is not UTF-8: {error.reason}"
        where = str(Origin(name, line, column))
        raise ConfigError(Problem(what, where=where, fix="save the file as UTF-8")) from error


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()  # noqa: PTH122  # as above


def real_path(path: str) -> str:
    """The path without links; a text that can name no file stays as it is, and reading it says so."""
    try:
        return os.path.realpath(path)
    except ValueError:
        return path


def written_path(path: str) -> str:
    """The path as a user would write it: from the current folder where the file lies below it."""
    tidy = os.path.normpath(path)
    if tidy != path and real_path(tidy) != real_path(path):
        return path  # a `..` behind a link leads elsewhere than the text says
    return tidy.removeprefix(os.path.join(os.getcwd(), ""))  # noqa: PTH109, PTH118  # once a file: `Path` is slow


def _missing(path: str, name: str, asked: Origin) -> Problem:
    wanted, asking = Path(path), real_path(asked.source)
    folder = wanted.parent
    beside = [entry for entry in sorted(folder.iterdir()) if entry.is_file()] if folder.is_dir() else []
    # A file that asks for another never means itself; and every name has the suffix, which says nothing.
    stems = {entry.stem: entry.name for entry in beside if real_path(str(entry)) != asking}
    stem = nearest(wanted.stem, stems, cutoff=_ALIKE)
    near = stem and stems[stem]
    is_word = asked.source.startswith("argument ")  # of a command: it may have been meant as anything
    if is_word and _suffix(path) not in SUFFIXES:
        fix = "a setting is written key=value"
    else:
        fix = "" if near else _instead(folder, list(stems.values()))
    return Problem(f"no file {name!r}", where=str(asked), suggestion=near and written_path(str(folder / near)), fix=fix)


def _instead(folder: Path, names: Sequence[str]) -> str:
    """What to do about a file that is missing, where no name beside it is alike."""
    place = written_path(str(folder))
    if not folder.is_dir():
        return f"correct the path: there is no folder {place!r} either"
    readable = [written_path(str(folder / name)) for name in names if _suffix(name) in SUFFIXES]
    return f"correct the path; {f'files there: {listed(readable)}' if readable else f'{place!r} has no such files'}"
