"""End a training that has come to a standstill, and tell where it stands.

A rank that waits for what never comes waits forever, and holds its device as long. A thread looks now and then whether
there was progress: nothing is asked of the steps themselves. It cannot run where the process is stuck in a call that
keeps Python's lock; `faulthandler`, which needs no lock, ends the process then.
"""

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import TracebackType
from typing import Final, Protocol, Self

from lightning.pytorch import Trainer

_LOOKS: Final = 20
"""How often there is a look at the progress before the time is over."""
_RARELY_S: Final = 10.0
"""But at least so often [s]."""
_TELLING_S: Final = 30.0
"""How long it may take to tell of a hang: what is told may hang too, on the same disk."""
_EXIT_CODE: Final = 1
"""What `faulthandler` ends a process with too."""


class HasFileNumber(Protocol):
    """What `faulthandler` writes to: an open file of the operating system's."""

    def fileno(self) -> int:
        """Its number."""
        ...


class HangWatch:
    """Ends this process, with exit code 1, when a trainer makes no step and no batch for too long.

    Before it does, it writes where every thread stands. Each rank watches itself: where one hangs the others wait for
    it, and all of them tell.

    A process that is stopped for longer (Ctrl-Z, `scancel --signal=STOP`) counts as hung when it is continued.

    Example:
        `with HangWatch(trainer, timedelta(minutes=30)): trainer.fit(model)`
    """

    def __init__(
        self,
        trainer: Trainer,
        timeout: timedelta,
        *,
        file: HasFileNumber | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """Watch nothing yet.

        Args:
            trainer: Who trains, validates or tests.
            timeout: How long it may take from one batch to the next, with all that lies between, saving for one.
            file: Where the places are written to; open until the watch has ended. stderr by default.
            tell: Called with a sentence once they are written; the process ends when it returns.
        """
        self._trainer = trainer
        self._timeout_s = timeout.total_seconds()
        self._timeout = timeout
        self._file = file or sys.stderr
        self._tell = tell
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="typedcfg-hang-watch", daemon=True)

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._arm(self._timeout_s + 2 * self._pause_s)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Watch no more."""
        self._is_over.set()
        self._thread.join()
        faulthandler.cancel_dump_traceback_later()

    @property
    def _pause_s(self) -> float:
        return min(self._timeout_s / _LOOKS, _RARELY_S)

    def _watch(self) -> None:
        seen, since = self._progress(), time.monotonic()
        while not self._is_over.wait(self._pause_s):
            progress, now = self._progress(), time.monotonic()
            if progress != seen:
                seen, since = progress, now
                # Later than this thread itself, which tells more; in time if this thread cannot run any more.
                self._arm(self._timeout_s + 2 * self._pause_s)
            elif now - since >= self._timeout_s:
                self._end()

    def _progress(self) -> list[int]:
        """What changes with each batch that begins or ends, whatever the trainer does."""
        return [number for counts in _batch_counts(self._trainer) for number in counts]

    def _end(self) -> None:
        self._arm(_TELLING_S)
        what = f"hung: no step and no batch for {self._timeout}"
        os.write(self._file.fileno(), f"{what}; here is where each thread stands\n".encode())
        faulthandler.dump_traceback(self._file, all_threads=True)
        if self._tell is not None:
            self._tell(what)
        os._exit(_EXIT_CODE)

    def _arm(self, after_s: float) -> None:
        faulthandler.dump_traceback_later(after_s, exit=True, file=self._file)


def _batch_counts(trainer: Trainer) -> Iterator[tuple[int, int]]:
    epoch_loop = trainer.fit_loop.epoch_loop
    for loop in (epoch_loop, epoch_loop.val_loop, trainer.validate_loop, trainer.test_loop):
        total = loop.batch_progress.total
        yield total.ready, total.completed
