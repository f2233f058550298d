"""How long attempts took."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from typedcfg.records.result_record import read_results
from typedcfg.records.run_record import AttemptRecord
from typedcfg.runner.run_dir import AttemptDir, RunDir

_MINUTE_S: Final = 60


class Duration(NamedTuple):
    """A time, or the least that it was where nobody saw its end."""

    seconds: float
    """[s]"""
    is_least: bool = False

    def __str__(self) -> str:
        """The time in a few words.

        Example:
            >>> str(Duration(1.25)), str(Duration(3723.9, is_least=True))
            ('1.2 s', 'at least 1:02:04')
        """
        is_short = self.seconds < _MINUTE_S
        text = f"{self.seconds:.1f} s" if is_short else str(timedelta(seconds=round(self.seconds)))
        return f"at least {text}" if self.is_least else text


def duration_of(run: RunDir, attempt: AttemptRecord) -> Duration:
    """How long an attempt took, or takes so far; of one that was lost, until what it measured last."""
    if attempt.ended is not None:
        return _between(attempt.started, attempt.ended)
    if attempt.status == "running":
        return _between(attempt.started, datetime.now(UTC))
    results = read_results(AttemptDir(run.path / attempt.folder).result_files.journal)
    last = max((result.time for result in results.values()), default=attempt.started)
    return _between(attempt.started, last)._replace(is_least=True)


def total(durations: Iterable[Duration]) -> Duration:
    """Several times together.

    Example:
        >>> str(total([Duration(1.5), Duration(2.0, is_least=True)]))
        'at least 3.5 s'
    """
    times = list(durations)
    return Duration(sum(time.seconds for time in times), is_least=any(time.is_least for time in times))


def _between(start: datetime, end: datetime) -> Duration:
    """From one to the other; nothing where the clock was set back, or results were taken over that are older."""
    return Duration(max(0.0, (end - start).total_seconds()))
