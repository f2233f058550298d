"""How many threads a training computes with: sums are cut into as many parts, and so round otherwise."""

import logging
from collections.abc import Iterator

import torch

from typedcfg.text import count

_log = logging.getLogger(__name__)


class Threads:
    """The threads of one process: as many as were asked for, or else as were saved; put back when a fit is over."""

    def __init__(self, asked: int | None) -> None:
        """Compute with so many.

        Args:
            asked: None takes as many as the process has, and at a resume as were saved.
        """
        self._asked = asked
        self._before: int | None = None
        self._fitted_with: int | None = None

    @property
    def number(self) -> int:
        """With how many the last fit computed, or this one does."""
        return self._fitted_with or torch.get_num_threads()

    def begin(self) -> None:
        """Take as many as were asked for, to fit."""
        self.end()
        self._fitted_with = None
        if self._asked is not None:
            self._take(self._asked)

    def go_on(self, saved: int | None) -> None:
        """Take as many as were saved, unless nobody knows of it or another number was asked for."""
        has = torch.get_num_threads()
        if self._asked is None and saved is not None and has != saved:
            _log.info(
                "computes with %s rather than %d, as the training did that was saved", count(saved, "thread"), has
            )
            self._take(saved)

    def end(self) -> None:
        """Leave the process as many as it had before it fitted."""
        self._fitted_with = self.number
        if self._before is not None:
            torch.set_num_threads(self._before)
            self._before = None

    def _take(self, number: int) -> None:
        if self._before is None:
            self._before = torch.get_num_threads()
        torch.set_num_threads(number)


def doubts_of_threads(saved: int | None) -> Iterator[str]:
    """Why a training is computed otherwise than it was; nothing where nobody saved with how many threads."""
    now = torch.get_num_threads()
    if saved is not None and saved != now:
        yield f"saved with {count(saved, 'thread')}, resumed with {now}"
