"""`run.log`: what a process of a run says, kept while it is still shown."""

import logging
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, TextIO

from typing_extensions import override

from typedcfg.runner.endurance import Unread
from typedcfg.runner.secrets import redact

_DRAWN: Final = re.compile(r"\r(?!\n)|\x1b\[A")
"""Back to the start of the line, or up to the one above it."""
_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class LogFile:
    """The log of one process, line by line, with no secret in it.

    A training does not end because its log cannot be written, nor is another error hidden by that: it is told of once.
    """

    def __init__(self, path: Path, secret_texts: Collection[str] = ()) -> None:
        """Open the log; what it holds already stays."""
        self._path = path
        # No buffer that would hold on to what the disk refused.
        self._file = path.open("ab", buffering=0)
        self._is_told = False
        self._secret_texts = secret_texts
        self._line = ""

    def write(self, text: str) -> int:
        """Add text; a line is written when it is whole. Nothing is added to a log that is closed."""
        if self._file.closed:
            return len(text)  # who was given a stream that is kept, a handler for one, may go on with it
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._put(line)
        return len(text)

    def fileno(self) -> int:
        """The number of the file, for what writes to it past Python."""
        return self._file.fileno()

    def flush(self) -> None:
        """Do nothing: whole lines are in the file, and parts of lines wait for their end."""

    def close(self) -> None:
        """Close the log, its last line written whole or not."""
        if self._line:
            self._put(self._line)
        self._line = ""
        self._file.close()

    def _put(self, line: str) -> None:
        content = (redact(line, self._secret_texts) + "\n").encode("utf-8", "backslashreplace")
        try:
            while content:
                content = content[self._file.write(content) :]
        except OSError as error:
            self._tell(error)

    def _tell(self, error: OSError) -> None:
        if not self._is_told and sys.__stderr__ is not None:
            self._is_told = True
            what = f"warning: {self._path} lacks lines: {error.strerror}"
            with suppress(OSError):
                print(what, file=sys.__stderr__, flush=True)  # what is shown goes to the log as well


class _Both(Unread):
    """A stream that is written to the log too, the log alone once nobody reads the stream any more.

    What is drawn over again and again, as progress bars are, is for the screen alone.
    """

    def __init__(self, stream: TextIO | None, log: LogFile) -> None:
        super().__init__(stream)
        self._log = log
        self._is_drawing = False

    @override
    def write(self, text: str) -> int:
        if _DRAWN.search(text):
            self._is_drawing = True
        elif text.strip("\n") or not self._is_drawing:  # bare line ends leave the drawing behind
            self._is_drawing = False
            self._log.write(text)
        return super().write(text)


class _AsBefore(logging.Filter):
    """Lets pass what the root logger's own level would have let pass."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        logger: logging.Logger | None = logging.getLogger(record.name)
        while logger is not None and logger.parent is not None:
            if logger.level:
                return True  # its level is set on the way up, and the root's does not matter
            logger = logger.parent
        return record.levelno >= self._level


@contextmanager
def kept(log: LogFile, level: str) -> Iterator[None]:
    """For the length of the block, keep what is printed and logged; afterwards all is as it was.

    What is shown is what was shown before: where `level` lets more be logged, the log alone gets it. Libraries that
    keep their loggers to themselves, as torch and lightning do, decide by themselves how much they say.

    Args:
        log: Where it is kept.
        level: The least level of log records that are kept. What is printed is kept always.
    """
    handler = logging.StreamHandler(log)
    handler.setLevel(level.upper())
    handler.setFormatter(logging.Formatter(_FORMAT))
    with ExitStack() as stack:
        root = logging.getLogger()
        if not root.handlers:
            # Python shows warnings itself only where nobody handles records; now somebody does.
            _attach(logging.StreamHandler(sys.stderr), root, stack)
        as_before = _AsBefore(root.level)
        for shown in root.handlers:
            shown.addFilter(as_before)
            stack.callback(shown.removeFilter, as_before)
        stack.callback(root.setLevel, root.level)
        root.setLevel(min(root.level, handler.level))
        for logger in _listened():
            _attach(handler, logger, stack)
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            stack.callback(setattr, sys, name, stream)
            setattr(sys, name, _Both(stream, log))
        yield


def _attach(handler: logging.Handler, logger: logging.Logger, stack: ExitStack) -> None:
    logger.addHandler(handler)
    stack.callback(logger.removeHandler, handler)


def _listened() -> list[logging.Logger]:
    """The root of all loggers, and those that pass nothing on to it."""
    loggers = [logging.getLogger(name) for name in sorted(logging.Logger.manager.loggerDict)]
    return [logging.getLogger(), *(logger for logger in loggers if not logger.propagate)]
