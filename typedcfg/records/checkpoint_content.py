"""What a checkpoint consists of: one file, or a folder of files, each with its size and its sha256."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Final, NamedTuple

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict

ITSELF: Final = ""
"""The name of the one part of a checkpoint that is a file."""


class Part(BaseModel):
    """One file of a checkpoint."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    size: Annotated[int, Ge(0)]
    """In bytes."""


class Content(NamedTuple):
    """All of a checkpoint."""

    sha256: str
    """Of the file; of a folder, that of the list of its files as `sha256sum *` would write it."""
    size: int
    """Of all files together [bytes]."""
    files: dict[str, Part]
    """Those of a folder, by their names; none where it is a file itself."""


def content_of_folder(files: Mapping[str, Part]) -> Content:
    """The content of a folder of files.

    Example:
        >>> content_of_folder({"meta.pt": Part(sha256="9a12", size=7)}).size
        7
    """
    ordered = dict(sorted(files.items()))
    listing = "".join(f"{part.sha256}  {name}\n" for name, part in ordered.items())
    return Content(hashlib.sha256(listing.encode()).hexdigest(), sum(part.size for part in ordered.values()), ordered)


def read_content(checkpoint: Path) -> Content:
    """The content of a checkpoint as it is now; all of it is read.

    Raises:
        OSError: It cannot be read.
    """
    if checkpoint.is_dir():
        return content_of_folder({path.name: read_part(path) for path in checkpoint.iterdir()})
    part = read_part(checkpoint)
    return Content(part.sha256, part.size, {})


def read_part(path: Path) -> Part:
    """One file as it is now; all of it is read.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Part(sha256=digest, size=file.tell())


def sizes(checkpoint: Path) -> dict[str, int]:
    """How long each part of a checkpoint is now [bytes]; nothing is read.

    Raises:
        OSError: It is not there.
    """
    if checkpoint.is_dir():
        return {path.name: path.stat().st_size for path in checkpoint.iterdir()}
    return {ITSELF: checkpoint.stat().st_size}
