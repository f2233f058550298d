"""Loaders of any other make, brought to where they were by going there again."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from typedcfg.runner.lightning.loading.loader import generator_of
from typedcfg.runner.lightning.loading.order import key
from typedcfg.runner.lightning.seeds import RandomStream


class ReplayedLoader:
    """A loader that draws what it draws in this process, and begins its workers, from random numbers of (seed, epoch).

    So it gives the same batches again, and goes to a batch in the midst of an epoch by loading those before it. In all
    else it is the loader that it was made of.
    """

    def __init__(self, loader: Any, *, seed: int = 0) -> None:
        """Draw for `loader`, from `seed` on."""
        self.loader = loader
        self.seed = seed
        self._epoch = 0
        self._lap = 0
        self._start = 0
        self._begins_again = False

    def __getattr__(self, name: str) -> Any:
        """What the loader has."""
        if name == "loader":  # a copy that is being made has none yet
            raise AttributeError(name)
        return getattr(self.loader, name)

    def __len__(self) -> int:
        """How many batches an epoch has, if the loader says."""
        return len(self.loader)

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch, the loader too if it can; nothing changes if it is the present one."""
        if callable(own := getattr(self.loader, "set_epoch", None)):
            own(epoch)
        if epoch != self._epoch:
            self._epoch = epoch
            self.seek(0)

    def seek(self, batches: int, *, lap: int = 0, begins_again: bool = False) -> None:
        """Begin, the next time, as if `batches` of the epoch were taken already.

        Args:
            batches: How many to leave out [batches].
            lap: How often the epoch was gone through entirely before.
            begins_again: Whether those are counted through as many laps as it takes.
        """
        self._lap, self._start, self._begins_again = lap, batches, begins_again

    def __iter__(self) -> Iterator[Any]:
        """The batches from the present position on."""
        # All this happens when the first batch is asked for: Lightning begins more often than it asks.
        start, begins_again = self._start, self._begins_again
        stream, batches = self._begun()
        left = start - _leave_out(batches, start, stream)
        while begins_again and 0 < left < start:
            start = left
            stream, batches = self._begun()
            left = start - _leave_out(batches, start, stream)
        while True:
            with stream.drawn_from():
                try:
                    batch = next(batches)
                except StopIteration:
                    return
            yield batch

    def _begun(self) -> tuple[RandomStream, Iterator[Any]]:
        """One more lap, and what it draws from."""
        generator = generator_of(self.loader)
        stream = RandomStream(key(self.seed, self._epoch, self._lap), [] if generator is None else [generator])
        self.seek(0, lap=self._lap + 1)
        with stream.drawn_from():
            return stream, iter(self.loader)

    @property
    def _iterator(self) -> Any:
        # Where a DataLoader keeps its workers; Lightning looks for them to end them.
        return getattr(self.loader, "_iterator", None)

    @_iterator.setter
    def _iterator(self, iterator: Any) -> None:
        self.loader._iterator = iterator  # noqa: SLF001  # as above


def _leave_out(batches: Iterator[Any], number: int, stream: RandomStream) -> int:
    """Load so many batches, if there are, and drop them; how many there were."""
    with stream.drawn_from():
        return sum(1 for _ in islice(batches, number))
