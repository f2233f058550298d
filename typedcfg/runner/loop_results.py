"""The results of a loop of one's own."""

import logging
from collections.abc import Callable
from math import isfinite
from typing import Final, Literal

from typedcfg.errors import Problem, RunFailed
from typedcfg.records.result_record import Result, ResultLog, Results, ScoreRule, explain_unscored

_log: Final = logging.getLogger(__name__)


def not_finite(what: str, step: int) -> Problem:
    """What is told of a loss, or a weight, that is NaN or infinite.

    Args:
        what: Which it is.
        step: The optimizer step after which that was first seen.
    """
    return Problem(
        f"{what} is not finite after step {step}",
        expected="a number, neither NaN nor infinite",
        fix="lower the learning rate, clip gradients, or go on all the same: run.on_nan=continue",
    )


class LoopResults:
    """What a loop measures: recorded by the first process, and looked at by each, whether its losses are numbers.

    Nobody else sees the losses of such a loop, nor its weights. The metric `loss` counts, of any split, and the one
    that scores are read from.
    """

    def __init__(
        self,
        log: ResultLog | None,
        *,
        rule: ScoreRule,
        on_nan: Literal["stop", "continue"],
        note: Callable[[int], None],
    ) -> None:
        """Begin with none.

        Args:
            log: Where they are recorded; None where another process does that.
            rule: By what epochs are compared.
            on_nan: Whether a loss that is NaN or infinite ends the loop.
            note: Is called with the step of the first such loss, by the process that records.
        """
        self.not_finite_since: int | None = None
        """The step of the first loss that was NaN or infinite."""
        self._log = log
        self._rule = rule
        self._has_warned = False
        self._on_nan = on_nan
        self._note = note

    def record(self, *results: Result) -> None:
        """Record what epochs measured.

        Raises:
            RecordError: It cannot be written.
            RunFailed: A loss is NaN or infinite, and that is to end the loop; then nothing is recorded, since an epoch
                that fails is none that was finished.
        """
        for result in results:
            name = self._not_finite(result)
            if name is not None and self.not_finite_since is None:
                self.not_finite_since = result.step
                self._tell(name, result.step)
        if self._log is not None:
            self._log.append(*results)
            # Of the newest epoch more may be measured yet.
            self._warn_unscored(dict([*self._log.results.items()][:-1]))

    def end(self) -> None:
        """Say at the end that there is no score, and again what is not finite: hours lie between."""
        if self._log is not None:
            self._warn_unscored(self._log.results)
        if self.not_finite_since is not None:
            _log.warning("the training ended with numbers that are not finite, since step %s", self.not_finite_since)

    def _not_finite(self, result: Result) -> str | None:
        """Which loss is NaN or infinite."""
        names = ((split, metric) for split in result.splits for metric in dict.fromkeys(["loss", self._rule.metric]))
        found = (f"{split}/{name}" for split, name in names if not isfinite(result.splits[split].get(name, 0.0)))
        return next(found, None)

    def _tell(self, name: str, step: int) -> None:
        if self._log is not None:
            self._note(step)
        problem = not_finite(name, step)
        if self._on_nan == "stop":
            raise RunFailed(problem)
        _log.warning("%s", problem)

    def _warn_unscored(self, results: Results) -> None:
        problem = explain_unscored(results, self._rule)
        if problem and not self._has_warned:
            self._has_warned = True
            _log.warning("no epoch will be the best: %s", problem)
