"""Files as layers: which reader reads which, and what `$extends` puts below what."""

import os
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Final

from typedcfg.errors import ConfigError, Problem
from typedcfg.origin import Origin
from typedcfg.sources.base import INSTRUCTION_MARK, REFERENCE_MARK, Branch, Items, Layer, is_unsettled
from typedcfg.text import nearest, one_of, shorten

EXTENDS: Final = "$extends"
SUFFIXES: Final = (".yaml", ".yml", ".json", ".toml")

_KNOWN_INSTRUCTIONS: Final = (EXTENDS,)


class FileSource:
    """Settings in files, with the files that they extend.

    Depth first, each file by its real path once, at its first place: a file stands directly above what it extends.
    With `wide.yaml` extending `patch.yaml`, `FileSource(["base.yaml", "wide.yaml"])` is base < patch < wide.
    """

    def __init__(self, paths: Sequence[str | PathLike[str]], *, origins: Sequence[Origin] = ()) -> None:
        """Files in the order they were listed, weakest first; nothing is opened yet.

        Args:
            paths: The files.
            origins: Who asked for each, to be named where one cannot be read; `files[0]` and so on, if empty.
        """
        self.paths = tuple(os.fspath(path) for path in paths)
        self.origins = tuple(origins) or tuple(Origin(f"files[{number}]") for number in range(len(self.paths)))

    def read(self) -> Iterator[Layer]:
        """One layer for each file that could be read, weakest first.

        Raises:
            ConfigError: With every problem of every file that could be reached.
        """
        problems: list[Problem] = []
        listings = [list(map(_Listed, self.paths, self.origins))]
        placed: dict[str, _File] = {}
        open_files: dict[str, _File] = {}
        todo = [iter(listings[0])]
        while todo:
            listed = next(todo[-1], None)
            if listed is None:
                todo.pop()
                if open_files:
                    placed.update([open_files.popitem()])
            elif listed.real_path in open_files:
                problems.append(_cycle(listed, open_files))
            elif listed.real_path not in placed:
                file = open_files[listed.real_path] = _File(listed, problems)
                listings.append(file.extended)
                todo.append(iter(file.extended))
        for listing in listings:
            problems += _contradictions(listing, placed)
        for file in placed.values():
            yield Layer(file.listed.name, "files", (file.tree,))
        ConfigError.raise_any(problems)


class _Listed:
    """A file that somebody asked for: an argument, or an entry of `$extends`."""

    def __init__(self, path: str, origin: Origin) -> None:
        self.path = path
        self.origin = origin
        # No file has such a name, and reading says so; resolving it would end in an error of its own.
        self.real_path = path if "\0" in path else os.path.realpath(path)
        self.name = _written(path)


class _File:
    """A file that was read; one that could not be counts as empty, so that the others are still looked at."""

    def __init__(self, listed: _Listed, problems: list[Problem]) -> None:
        self.listed = listed
        self.tree = Branch(Origin(listed.name, 1, 1))
        self.extended: list[_Listed] = []
        try:
            self.tree = parse_file(listed.path, listed.name, listed.origin)
        except ConfigError as error:
            problems += error.problems
            return
        if self.tree.unsettled:
            folder = os.path.dirname(listed.path)  # noqa: PTH120 - `Path` would drop a leading `./` and resolve nothing
            for path, origin in _take_extended(self.tree, problems):
                self.extended.append(_Listed(os.path.join(folder, path), origin))  # noqa: PTH118 - as above
            problems += take_instructions(self.tree)


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
    suffix = Path(path).suffix.lower()
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
    file = Path(path)
    try:
        raw = file.read_bytes().removeprefix(BOM_UTF8)
    except FileNotFoundError:
        raise ConfigError(_missing(path, name, asked)) from None
    except (OSError, ValueError) as error:  # a name may hold a NUL byte
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        what = f"{shorten(repr(name))} cannot be read: {reason.lower()}"
        raise ConfigError(Problem(what, where=str(asked), expected="a file")) from error
    suffix = file.suffix.lower()
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


def take_instructions(tree: Branch) -> list[Problem]:
    """Give keys that were written `$$` their own name, in place, and report every other `$` key.

    Walks only where a reader left the mark of something unsettled.
    """
    problems: list[Problem] = []
    walked: dict[int, Branch | Items] = {id(tree): tree}
    todo: list[Branch | Items] = [tree]
    while todo:
        container = todo.pop()
        if isinstance(container, Branch) and any(key.startswith(INSTRUCTION_MARK) for key in container):
            problems += _own_names(container)
        for value in container.values() if isinstance(container, Branch) else container:
            # What an alias names is reached more than once, and must lose one `$` only.
            if isinstance(value, (Branch, Items)) and value.unsettled and id(value) not in walked:
                walked[id(value)] = value
                todo.append(value)
    for container in reversed(walked.values()):
        container.unsettled = any(map(is_unsettled, container.values() if isinstance(container, Branch) else container))
    return problems


def _own_names(branch: Branch) -> Iterator[Problem]:
    entries, origins = dict(branch), dict(branch.origins)
    branch.clear()
    branch.origins.clear()
    for key, value in entries.items():
        origin = origins[key]
        if key.startswith(INSTRUCTION_MARK * 2):
            name = key.removeprefix(INSTRUCTION_MARK)
            branch[name], branch.origins[name] = value, origin
        elif key == EXTENDS:
            what, expected = f"{EXTENDS} inside a section", f"{EXTENDS} at the top level of a file"
            yield Problem(what, where=str(origin), expected=expected)
        elif key.startswith(INSTRUCTION_MARK):
            yield Problem(
                f"unknown instruction {shorten(key)!r}",
                where=str(origin),
                expected=one_of(_KNOWN_INSTRUCTIONS),
                suggestion=nearest(key, _KNOWN_INSTRUCTIONS),
                fix=f"a key of your own that begins with $ is written {shorten('$' + key)!r}",
            )
        else:
            branch[key], branch.origins[key] = value, origin


def _take_extended(tree: Branch, problems: list[Problem]) -> Iterator[tuple[str, Origin]]:
    """Take `$extends` out of a file's top level: the paths it names, each with its place."""
    if EXTENDS not in tree:
        return
    value, origin = tree.pop(EXTENDS), tree.origins.pop(EXTENDS)
    entries = zip(value, value.origins, strict=True) if isinstance(value, Items) else [(value, origin)]
    for path, place in entries:
        if isinstance(path, str) and path and REFERENCE_MARK not in path:
            yield path, place
        else:
            what = f"{EXTENDS} names {shorten(repr(path))}"
            expected = "a path or a list of paths, relative to this file, without ${...}"
            problems.append(Problem(what, where=str(place), expected=expected))


def _written(path: str) -> str:
    """The path as a user would write it: from the current folder where the file lies below it."""
    tidy = os.path.normpath(path)
    if tidy != path and os.path.realpath(tidy) != os.path.realpath(path):
        return path  # a `..` behind a link leads elsewhere than the text says
    from_here = os.path.relpath(tidy)
    return tidy if from_here.startswith(os.pardir) else from_here


def _missing(path: str, name: str, asked: Origin) -> Problem:
    folder = Path(path).parent
    beside = [entry.name for entry in folder.iterdir() if entry.is_file()] if folder.is_dir() else []
    near = nearest(Path(path).name, sorted(beside))
    fix = "" if Path(path).suffix.lower() in SUFFIXES else "a setting is written key=value"
    return Problem(f"no file {name!r}", where=str(asked), suggestion=near and _written(str(folder / near)), fix=fix)


def _cycle(listed: _Listed, open_files: Mapping[str, _File]) -> Problem:
    files = list(open_files.values())
    begin = list(open_files).index(listed.real_path)
    # Each file of the circle was listed at a place in the one before it; the last place closes the circle.
    places = [file.listed.origin for file in files[begin + 1 :]] + [listed.origin]
    chain = " -> ".join([*map(str, places), listed.name])
    return Problem(f"{listed.name!r} extends itself", where=chain, fix=f"take one {EXTENDS} out of the circle")


def _contradictions(listing: Sequence[_Listed], placed: Mapping[str, _File]) -> Iterator[Problem]:
    """Files that a list puts above another, and that stand below it because they were extended earlier."""
    order = {real_path: number for number, real_path in enumerate(placed)}
    for number, later in enumerate(listing):
        for earlier in listing[:number]:
            where = str(later.origin)
            if earlier.real_path == later.real_path:
                yield Problem(f"{later.name!r} is listed twice", where=where, fix="list it once")
                break
            if order.get(earlier.real_path, -1) > order.get(later.real_path, len(order)):
                first = placed[later.real_path].listed.origin
                what = (
                    f"{later.name!r} is listed after {earlier.name!r}, but stands below it: it is extended at {first}"
                )
                yield Problem(what, where=where, fix=f"do not list {later.name!r} here, or list it first")
                break
