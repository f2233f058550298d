"""A journal: one JSON object a line, appended and never rewritten.

A line counts once its newline is on the disk. A process that dies while it appends leaves a *torn tail*: a line with
no newline, or the NUL bytes that some file systems put where data did not arrive. A tail was never acknowledged, so
readers pass over it and the next writer cuts it off. Damage *before* a good line is no torn tail, and is an error.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self, TypeAlias

import orjson

from typedcfg.errors import Problem, RecordError
from typedcfg.records.json_text import to_json
from typedcfg.storage import AppendedFile, refusal

Entry: TypeAlias = dict[str, Any]
"""One line's object; Any, since what a line means is its reader's business."""


class Journal:
    """A journal opened for appending, by its one writer.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "results.jsonl"
        >>> with Journal(path) as journal:
        ...     journal.append({"epoch": 1})
        >>> read_journal(path)
        [{'epoch': 1}]
    """

    def __init__(self, path: Path) -> None:
        """Open the journal, making it if need be, and cut off a torn tail.

        Raises:
            RecordError: It cannot be opened, or a line before its last good one is damaged.
        """
        self.path = path
        try:
            self._file = AppendedFile(path, _whole_length(path))
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


def read_journal(path: Path) -> list[Entry]:
    """All entries of a journal, a torn tail passed over; none where there is no file yet.

    Raises:
        RecordError: It cannot be read, or a line before its last good one is damaged.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise refusal(path, "read", error) from error
    return [entry for entry, _ in _whole_lines(content, path)]


def _whole_length(path: Path) -> int:
    """How many bytes of a journal are whole lines; none where there is no file yet."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return 0
    return max((end for _, end in _whole_lines(content, path)), default=0)


def _whole_lines(content: bytes, path: Path) -> Iterator[tuple[Entry, int]]:
    """Each entry with the offset at which its line ends."""
    damaged: int | None = None
    end = 0
    for number, line in enumerate(content.splitlines(keepends=True), start=1):
        end += len(line)
        entry = _parse(line)
        if entry is None:
            damaged = damaged or number
        elif damaged is not None:
            raise RecordError(
                Problem(
                    f"line {damaged} of {path.name} is damaged, and good lines follow it",
                    where=f"{path}:{damaged}",
                    expected="one JSON object on each line",
                    fix="restore the file from a copy, or remove that line if it can be missed",
                )
            )
        else:
            yield entry, end


def _parse(line: bytes) -> Entry | None:
    if not line.endswith(b"\n"):
        return None
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return entry if isinstance(entry, dict) else None
