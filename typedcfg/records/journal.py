"""A journal: one JSON object a line, appended and never rewritten.

A line counts once its newline is on the disk. A process that dies while it appends leaves a *torn tail*: a line with
no newline, or the NUL bytes that some file systems put where data did not arrive. A disk may do worse, and damage a
line in the midst. Readers pass over what is no line, so that nobody loses the good ones with it; the next writer moves
it aside, into a file of the same name and `.damaged`, for whoever can make something of it.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Self, TypeAlias

import orjson

from typedcfg.in_place import AppendedFile
from typedcfg.records.json_text import to_json
from typedcfg.records.warned import warn_once
from typedcfg.refusal import refusal
from typedcfg.storage import write_atomically

Entry: TypeAlias = dict[str, Any]
"""One line's object; Any, since what a line means is its reader's business."""

_NUL: Final = b"\0"
_log: Final = logging.getLogger(__name__)


class Line(NamedTuple):
    """A line that is whole."""

    number: int
    """Which one of the file it is, from 1."""
    entry: Entry
    text: bytes
    """With its newline."""


class _Content(NamedTuple):
    """What a journal's file holds."""

    lines: list[Line]
    damaged: dict[int, bytes]
    """What is no line, by the number of the line that it would be."""
    tail: bytes
    """What stands behind the last newline: the line that is being written perhaps."""


class Journal:
    """A journal opened for appending, by its one writer.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "results.jsonl"
        >>> with Journal(path) as journal:
        ...     journal.append({"epoch": 1})
        >>> [line.entry for line in read_journal(path)]
        [{'epoch': 1}]
    """

    def __init__(self, path: Path) -> None:
        """Open the journal, making it if need be, and move aside what is no line.

        Raises:
            RecordError: It cannot be opened, or what is damaged cannot be moved aside.
        """
        self.path = path
        try:
            self._file = AppendedFile(path, _mended_length(path))
        except OSError as error:
            raise refusal(path, "open", error) from error

    def append(self, entry: Mapping[str, object]) -> None:
        """Write one line; when this returns, the line survives a power loss.

        Raises:
            RecordError: It cannot be written: a full disk. The journal holds what it held before.
        """
        try:
            self._file.append(to_json(entry) + b"\n")
        except OSError as error:
            raise refusal(self.path, "append to", error) from error

    def close(self) -> None:
        """Close the file; nothing is pending, every append was written through."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_journal(path: Path) -> list[Line]:
    """All whole lines of a journal; none where there is no file yet.

    What is damaged is passed over with a warning that names its line, but for a tail, which may be a line that
    another process is about to end.

    Raises:
        RecordError: It cannot be read.
    """
    try:
        content = _read(path)
    except OSError as error:
        raise refusal(path, "read", error) from error
    for number, damage in content.damaged.items():
        warn_once(_log, f"{path}:{number} is damaged, and passed over", of=damage)
    return content.lines


def damaged_path(journal: Path) -> Path:
    """Where what was damaged in a journal is moved to."""
    return journal.with_name(f"{journal.name}.damaged")


def _mended_length(path: Path) -> int:
    """How long a journal is once nothing but whole lines is in it [bytes]."""
    content = _read(path)
    whole = b"".join(line.text for line in content.lines)
    damaged = [*content.damaged.values(), content.tail] if content.tail else [*content.damaged.values()]
    if damaged:
        aside = damaged_path(path)
        with AppendedFile(aside, aside.stat().st_size if aside.exists() else 0) as file:
            file.append(b"".join(text if text.endswith(b"\n") else text + b"\n" for text in damaged))
        _log.warning("%s had %s that are no line of it: moved to %s", path, _bytes(damaged), aside.name)
        write_atomically(path, whole)
    return len(whole)


def _bytes(texts: list[bytes]) -> str:
    return f"{sum(map(len, texts))} bytes"


def _read(path: Path) -> _Content:
    try:
        *texts, tail = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        texts, tail = [], b""
    content = _Content([], {}, tail)
    for number, text in enumerate(texts, start=1):
        # A writer that did not see the NUL bytes of a torn tail wrote its line behind them.
        kept = text.lstrip(_NUL)
        entry = _parse(kept)
        if entry is not None:
            content.lines.append(Line(number, entry, kept + b"\n"))
        if entry is None or kept != text:
            content.damaged[number] = text[: len(text) - len(kept)] if entry is not None else text + b"\n"
    return content


def _parse(text: bytes) -> Entry | None:
    try:
        entry = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return entry if isinstance(entry, dict) else None
