"""A run that can be asked how it went."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, get_args

from typedcfg.records import result_record
from typedcfg.records.result_record import Result, read_results
from typedcfg.runner.named_run import NamedRun
from typedcfg.runner.presentation import format_epoch_result
from typedcfg.text import one_of

_Level: TypeAlias = Literal["epoch", "run"]


class MeasuredRun(NamedRun):
    """The part of a `Runner` that knows its results and its scores."""

    @property
    def results(self) -> Mapping[int, Result]:
        """What each epoch measured, by the number of epochs finished; empty before there is any."""
        run = self._find()
        attempts = run.attempts() if run else ()
        return read_results(attempts[-1].result_files.journal) if attempts else {}

    @property
    def scores(self) -> Mapping[int, float]:
        """The score of each epoch that has one."""
        return result_record.scores(self.results, self.rule)

    @property
    def best_index(self) -> int | None:
        """The epoch with the best score."""
        return result_record.best_index(self.results, self.rule)

    @property
    def best_result(self) -> Result | None:
        """The result of the epoch with the best score."""
        return result_record.best_result(self.results, self.rule)

    @property
    def best_score(self) -> float | None:
        """The best score."""
        return result_record.best_score(self.results, self.rule)

    @property
    def latest_result(self) -> Result | None:
        """The result of the last epoch."""
        return result_record.latest_result(self.results)

    @property
    def latest_score(self) -> float | None:
        """The score of the last epoch."""
        return result_record.latest_score(self.results, self.rule)

    @property
    def is_best(self) -> bool:
        """Whether the last epoch is the best one."""
        return result_record.is_best(self.results, self.rule)

    def get_result(self, level: _Level = "epoch") -> Mapping[str, Any]:
        """Metrics by split, of the last epoch or of the run, which is its best; of one split alone, the metrics.

        Raises:
            ValueError: There is no such level.

        Example:
            `runner.get_result("run")["val"]["loss"]`
        """
        if level not in get_args(_Level):
            raise ValueError(f"level is one of {one_of(get_args(_Level))}, and not {level!r}")
        result = self.latest_result if level == "epoch" else self.best_result
        splits = result.splits if result else {}
        return next(iter(splits.values())) if len(splits) == 1 else splits

    def print_result(self) -> None:
        """Print the last epoch's line, and nothing where there is none."""
        if result := self.latest_result:
            print(format_epoch_result(result, self.config.params.trainer.max_epochs, is_best=self.is_best))  # noqa: T201  # what is asked for
