"""Files as layers: `$extends` read in, what is mounted brought to its place, and which file stands above which."""

import os
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from typing import Final

from typedcfg.errors import ConfigError, Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import REFERENCE_MARK, Branch, Layer, Positions
from typedcfg.sources.file_reader import parse_file, real_path, written_path
from typedcfg.sources.instructions import EXTENDS, REPLACE, Document, Point, take_apart

MOST_LAYERS: Final = 10_000
"""How many layers files may come to: twenty that each mount the next one twice would be a million."""


class FileSource:
    """Settings in files, with the files that they extend and the parts that they mount.

    Depth first, each file by its real path once at each place it is mounted at, where it came first: a file stands
    directly above what it extends, and a mapping above the parts that it mounts. With `wide.yaml` extending
    `patch.yaml`, `FileSource(["base.yaml", "wide.yaml"])` is base < patch < wide. A part is laid again where something
    in between took it away: a `$replace`, a `$delete`, a list or a value that is written whole.
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
        """A layer for each file that could be read, weakest first; one that mounts parts is several.

        Raises:
            ConfigError: With every problem of every file that could be reached.
        """
        layout = _Layout()
        layout.lay(Point(), list(map(_Listed, self.paths, self.origins)))
        yield from layout.layers
        ConfigError.raise_any(layout.problems)


class _Listed:
    """A file that somebody asked for: an argument, or an entry of `$extends`."""

    def __init__(self, path: str, origin: Origin) -> None:
        self.path = path
        self.origin = origin
        self.real_path = real_path(path)
        self.name = written_path(path)


class _Laid:
    """A file that has its layers at a place."""

    def __init__(self, listed: _Listed, height: int) -> None:
        self.listed = listed
        self.height = height
        """How many layers there were when it was done."""


_Work = Iterator["_Work"]
"""Something to be done that is put aside whenever it yields something to be done first.

Files may extend each other in longer chains than Python's own stack would bear.
"""


class _Layout:
    """All layers, weakest first, as they are laid one upon the other."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.problems: list[Problem] = []
        self._laid: dict[tuple[str, KeyPath], _Laid] = {}
        """Each file at each place, by real path and path of keys, where it was laid last."""
        self._mounted: dict[KeyPath, list[_Laid]] = {}
        """The files that mappings mounted at a place, in order; not those that these extend."""
        self._open: dict[str, _Listed] = {}
        """The files that are just being laid, each listed by the one before it."""
        self._documents: dict[str, Document] = {}

    def lay(self, point: Point, files: Sequence[_Listed]) -> None:
        """Lay files and all that they build on."""
        stack = [self._lay_list(point, files, is_mount=False)]
        while stack:
            first = next(stack[-1], None)
            if first is None:
                stack.pop()
            else:
                stack.append(first)

    def _lay_list(self, point: Point, files: Sequence[_Listed], *, is_mount: bool) -> _Work:
        kept: list[_Laid] = []
        for listed in files:
            if listed.real_path in self._open:
                self.problems.append(_cycle(listed, self._open))
                continue
            laid = self._laid.get((listed.real_path, point.path))
            if laid is not None and not self._is_taken_away(laid, point.path):
                kept.append(laid)
                continue
            yield self._lay_file(listed, point)
            if is_mount:
                self._mounted.setdefault(point.path, []).append(self._laid[listed.real_path, point.path])
        self.problems += self._contradictions(files, point.path)
        if is_mount:
            self._refuse_sunken(kept, files, point.path)

    def _lay_file(self, listed: _Listed, point: Point) -> _Work:
        self._open[listed.real_path] = listed
        document = self._document(listed)
        if document.version is not None and point.path:
            what = f"{listed.name} is a saved configuration, and no part of one"
            fix = f"extend it at the top of a file, or take its $version out if it is what {_named(point.path)} holds"
            self.problems.append(Problem(what, where=str(listed.origin), fix=fix))
        folder = os.path.dirname(listed.path)  # noqa: PTH120 - `Path` would drop a leading `./` and resolve nothing
        roots: list[Branch] = []
        for step in document.steps:
            if isinstance(step, Branch):
                roots.append(point.root(step, listed.origin))
                continue
            self._say(listed, roots, point)
            roots = []
            files = [_Listed(os.path.join(folder, path), origin) for path, origin in step.files]  # noqa: PTH118 - as above
            yield self._lay_list(point.joined(step.point), files, is_mount=bool(step.point.path))
        self._say(listed, [*roots, point.root(document.own, listed.origin)], point, version=document.version)
        self._laid[listed.real_path, point.path] = _Laid(listed, len(self.layers))
        del self._open[listed.real_path]

    def _say(self, listed: _Listed, roots: list[Branch], point: Point, *, version: int | None = None) -> None:
        """One layer of a file; what it says before a part is mounted is below that part, and a layer of its own."""
        if len(self.layers) >= MOST_LAYERS:
            what = f"files come to more than {MOST_LAYERS:,} layers"
            fix = "look for parts that mount others several times, which do so again"
            raise ConfigError(Problem(what, where=str(listed.origin), fix=fix))
        if roots:
            self.layers.append(Layer(listed.name, "files", tuple(roots), version=version, top=point.path))

    def _document(self, listed: _Listed) -> Document:
        """A file, taken apart; one that could not be read counts as empty, so that the others are still looked at."""
        known = self._documents.get(listed.path)
        if known is None:
            try:
                known, problems = take_apart(parse_file(listed.path, listed.name, listed.origin))
                self.problems += problems
            except ConfigError as error:
                self.problems += error.problems
                known = Document(Branch(Origin(listed.name, 1, 1)))
            self._documents[listed.path] = known
        return known

    def _is_taken_away(self, laid: _Laid, path: KeyPath) -> bool:
        """Whether what a file says at a place no longer counts, for something stronger stands instead."""
        return any(_ends(root, path) for layer in self.layers[laid.height :] for root in layer.roots)

    def _contradictions(self, files: Sequence[_Listed], path: KeyPath) -> Iterator[Problem]:
        """Files that a list puts above another, and that stand below it because they were extended earlier."""
        listed: set[str] = set()
        highest: _Laid | None = None
        """Of those listed so far."""
        for file in files:
            own = self._laid.get((file.real_path, path))
            if file.real_path in listed:
                yield Problem(f"{file.name!r} is listed twice", where=str(file.origin), fix="list it once")
            elif own is not None and highest is not None and own.height < highest.height:
                # What a later file of the list took away stands nowhere, and contradicts nothing.
                if not self._is_taken_away(own, path):
                    what = (
                        f"{file.name!r} is listed after {highest.listed.name!r}, but stands below it: "
                        f"it is extended at {own.listed.origin}"
                    )
                    fix = f"do not list {file.name!r} here, or list it first"
                    yield Problem(what, where=str(file.origin), fix=fix)
            elif own is not None:
                highest = own
            listed.add(file.real_path)

    def _refuse_sunken(self, kept: Sequence[_Laid], files: Sequence[_Listed], path: KeyPath) -> None:
        """Report parts that lie below others already, which the mapping that mounts them again does not know of."""
        listed = {file.real_path: file for file in files}
        for laid in kept:
            above = [
                other
                for other in self._mounted.get(path, ())
                if other.height > laid.height and other.listed.real_path not in listed
            ]
            if above:
                again = listed[laid.listed.real_path]
                what = f"{again.name!r} is mounted at {_named(path)} again, but stands below {above[-1].listed.name!r}"
                where = f"{again.origin}\n{laid.listed.origin} (the first)\n{above[-1].listed.origin} (above it)"
                fix = f"write {REPLACE}: true beside it to drop what stands there, or take it out here"
                self.problems.append(Problem(what, where=where, fix=fix))


def _ends(root: object, path: KeyPath) -> bool:
    """Whether a tree takes away what weaker ones say at a path, rather than building on it."""
    value = root
    for step in path:
        if isinstance(value, Branch) and not value.replaces:
            if step not in value:
                return False
            value = value[str(step)]
        elif isinstance(value, Positions) and isinstance(step, int):
            if step not in value:
                return False
            value = value[step]
        else:
            # A bare word at a section names its kind.
            return not isinstance(value, str) or REFERENCE_MARK in value
    return value.replaces if isinstance(value, Branch) else not isinstance(value, str) or REFERENCE_MARK in value


def _named(path: KeyPath) -> str:
    return render_key_path(path) or "the top"


def _cycle(listed: _Listed, open_files: Mapping[str, _Listed]) -> Problem:
    files = list(open_files.values())
    begin = list(open_files).index(listed.real_path)
    # Each file of the circle was listed at a place in the one before it; the last place closes the circle.
    places = [file.origin for file in files[begin + 1 :]] + [listed.origin]
    chain = " -> ".join([*map(str, places), listed.name])
    return Problem(f"{listed.name!r} extends itself", where=chain, fix=f"take one {EXTENDS} out of the circle")
