"""The folders that are marked as runs: which there are, and whose they are."""

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final
from uuid import UUID

from typedcfg import storage
from typedcfg.errors import Problem, RunError
from typedcfg.refusal import refusal

MARKER: Final = ".typedcfg"
"""The file by which a folder is known as a run."""
_ANY_NAME: Final = "surrogateescape"
"""How folders are written that are named in no encoding."""
AT_THE_TOP: Final = PurePosixPath()
"""The place of a run that lies directly in the folder of runs."""
_CODE_DIGITS: Final = 8
_LONG_DIGITS: Final = 16

_log: Final = logging.getLogger(__name__)


def marked_uuid(path: Path) -> UUID | None:
    """Whose folder it is; None where it is nobody's that we know.

    Raises:
        RecordError: The marker cannot be read: the folder is another user's perhaps.
    """
    try:
        return UUID(_read_marker(path).partition("\n")[0].strip())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
        return None
    except OSError as error:
        raise refusal(path / MARKER, "read", error) from error


def marker_of(run_uuid: UUID, place: PurePosixPath) -> bytes:
    """What the marker of a run holds: whose folder it is, and at which place it was made."""
    lines = [str(run_uuid)] if place == AT_THE_TOP else [str(run_uuid), place.as_posix()]
    return "".join(f"{line}\n" for line in lines).encode(errors=_ANY_NAME)


def marked_place(path: Path) -> PurePosixPath:
    """The folders between the folder of runs and a run, as they were when it was made."""
    return PurePosixPath(_read_marker(path).partition("\n")[2].removesuffix("\n"))


def _read_marker(path: Path) -> str:
    return (path / MARKER).read_text(encoding="utf-8", errors=_ANY_NAME)


def long_id(id: str, run_uuid: UUID) -> str:  # noqa: A002  # as users see it
    """The 8 digits of the code and all 16 of the run: how a folder ends where another has the short ending."""
    return id[:_CODE_DIGITS] + run_uuid.hex[:_LONG_DIGITS]


def marked_folders(project_root: Path, id: str, run_uuid: UUID) -> list[tuple[Path, UUID]]:  # noqa: A002  # as above
    """The runs whose folders are named as this run's could be, each with whose it is."""
    endings = tuple(f"-{ending}" for ending in (id, long_id(id, run_uuid)))
    found = [path for path in iter_run_folders(project_root) if path.name.endswith(endings)]
    return [(path, owner) for path in found if (owner := marked_uuid(path)) is not None]


def own_folder(project_root: Path, marked: list[tuple[Path, UUID]], name: str, run_uuid: UUID) -> Path | None:
    """Which of the folders is a run's; of one and its copies the one that has the name and the place it was made with.

    A link to one is no copy.

    Raises:
        RunError: Nobody can tell which is meant, or it leads out of `project_root`.
    """
    own = {path.resolve(): path for path, owner in reversed(marked) if owner == run_uuid}.values()
    if not own:
        return None
    first, *others = sorted(own, key=lambda path: not _is_at_home(path, project_root, name))
    if others and (_is_at_home(others[0], project_root, name) or not _is_at_home(first, project_root, name)):
        expected = "one folder for a run, or one with the name and at the place it was made with; there are\n"
        raise RunError(
            Problem(
                f"{len(own)} folders are marked as the same run, and nobody can tell which is meant",
                where=str(project_root),
                expected=expected + "\n".join(sorted(map(str, own))),
                fix="move the copies out of there",
            )
        )
    for other in others:
        _log.warning("passed over: %s is marked as the run %s too; keep copies elsewhere", other, first)
    return inside(first, project_root)


def _is_at_home(path: Path, project_root: Path, name: str) -> bool:
    return path.parent == project_root / marked_place(path) and path.name.rpartition("-")[0] == name


def iter_run_folders(project_root: Path) -> Iterator[Path]:
    """The folders that are marked as runs, at whatever place below a folder, by their paths.

    Nothing lies within a run but what is its own. A link is taken for the run that it leads to, and otherwise left
    alone: it may lead in a circle, or into another project. So is a folder below that we may not read.

    Raises:
        RecordError: The folder itself cannot be read.
    """
    try:
        todo = [*reversed(_folders_in(project_root))] if not _is_marked(project_root) else [project_root]
    except FileNotFoundError:
        return
    except OSError as error:
        raise refusal(project_root, "look for runs in", error) from error
    while todo:
        folder = todo.pop()
        if _is_marked(folder):
            yield folder
        elif not folder.is_symlink():
            with suppress(OSError):  # of one that we may not read, or that just went, nothing is known
                todo += reversed(_folders_in(folder))


def _is_marked(folder: Path) -> bool:
    return os.path.isfile(folder / MARKER)  # noqa: PTH113  # Path.is_file raises where a folder may not be looked into


def _folders_in(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        # DirEntry.is_dir raises where a link leads in a circle.
        folders = [Path(one) for one in entries if one.is_dir(follow_symlinks=False) or os.path.isdir(one)]  # noqa: PTH112  # as in _is_marked
    # A run that is being made, or whose maker was killed, is none yet.
    return sorted(path for path in folders if path.suffix != storage.STAGED_SUFFIX)


def check_place(project_root: Path, place: PurePosixPath) -> None:
    """See to it that new folders at a place neither leave `project_root` nor come to lie within a run.

    Raises:
        RunError: They would.
    """
    folders = [project_root.joinpath(*place.parts[: depth + 1]) for depth in range(len(place.parts))]
    if place.is_absolute() or ".." in place.parts:
        raise RunError(Problem(f"{place} is no place below {project_root}", fix="set run.config_root"))
    for folder in folders:
        if _is_marked(folder):
            what = f"{folder} is a run, and another one cannot lie within it"
            raise RunError(
                Problem(what, where=str(folder), fix="rename the configuration file, or set run.layout=name")
            )
        inside(folder, project_root)


def inside(path: Path, project_root: Path) -> Path:
    """The path, if it does not lead out of `project_root` by a link.

    Raises:
        RunError: It does.
    """
    real = Path(os.path.realpath(path))  # Path.resolve raises where a link leads in a circle
    if not real.is_relative_to(os.path.realpath(project_root)):
        what = f"{path} leads out of {project_root}"
        raise RunError(Problem(what, where=str(real), fix="remove the link, or choose another run.project_root"))
    return path
