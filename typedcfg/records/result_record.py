"""What a run measured, epoch by epoch, and which epoch was best.

A *result* is what one epoch left behind: metrics by split. `results.jsonl` is the truth, one result a line;
`results.json`, `latest.json` and `best.json` are derived from it for people, and can be derived again.

A *score* is the one metric of the one split by which epochs are compared. The functions here are pure: they take the
results of a run, by epoch, and a `ScoreRule`.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple, Self, TypeAlias

from annotated_types import Ge
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from typedcfg.errors import Problem
from typedcfg.records.journal import Journal, Line, read_journal
from typedcfg.records.json_text import to_json
from typedcfg.records.warned import warn_once
from typedcfg.storage import remove, write_atomically
from typedcfg.text import nearest

_log: Final = logging.getLogger(__name__)

_VALIDATION_NAMES: Final = ("val", "validate", "validation")
_NEVER_CHOSEN: Final = ("test", "predict")
"""Choosing by these would be peeking; whoever wants to must declare it."""
_PLACES: Final = {"train": 0, "valid": 1, **dict.fromkeys(_VALIDATION_NAMES, 1), "test": 2}
"""Where splits stand in a result; others come last."""


def in_order(splits: Mapping[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Metrics by split: training, validation, test, and others as they came.

    Example:
        >>> [*in_order({"lr": {}, "test": {}, "val": {}, "train": {}})]
        ['train', 'val', 'test', 'lr']
    """
    return dict(sorted(splits.items(), key=lambda item: _PLACES.get(item[0], len(_PLACES))))


class Result(BaseModel):
    """What one epoch left behind: a line of `results.jsonl`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epoch: Annotated[int, Ge(0)]
    """Epochs finished when this was measured; 0 is before training."""
    step: Annotated[int, Ge(0)]
    """Optimizer steps taken."""
    samples: Annotated[int, Ge(0)] | None = None
    """Training samples seen, on all ranks together; None where batches do not tell their length."""
    time: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    splits: Annotated[dict[str, dict[str, float]], AfterValidator(in_order)]
    """Metrics by split, in one order: `{"train": {"loss": 0.5}, "val": {"loss": 0.6}}`."""


Results: TypeAlias = Mapping[int, Result]
"""The results of a run by epoch, in order."""


class ScoreRule(NamedTuple):
    """By what epochs are compared."""

    metric: str = "loss"
    mode: Literal["min", "max"] = "min"
    """Which direction is better. Explicit: no name tells it, `rmse` least of all."""
    split: str | None = None
    """The declared split; None leaves it to `choose_split`."""


BY_LOSS: Final = ScoreRule()
"""The rule where none is given."""


def merge(lines: Iterable[Result]) -> dict[int, Result]:
    """Results by epoch; what a later line says of an epoch is added to what an earlier one said.

    Example:
        >>> trained = Result(epoch=3, step=30, splits={"train": {"loss": 0.5}})
        >>> tested = Result(epoch=3, step=30, splits={"test": {"loss": 0.6}})
        >>> merge([trained, tested])[3].splits
        {'train': {'loss': 0.5}, 'test': {'loss': 0.6}}
    """
    merged: dict[int, Result] = {}
    for line in lines:
        before = merged.get(line.epoch)
        if before is not None:
            splits = {**before.splits}
            for split, metrics in line.splits.items():
                splits[split] = {**splits.get(split, {}), **metrics}
            merged[line.epoch] = line.model_copy(update={"splits": in_order(splits)})
        else:
            merged[line.epoch] = line
    return dict(sorted(merged.items()))


def choose_split(results: Results, declared: str | None = None) -> str | None:
    """The split that scores are read from, or None where no result has one to offer.

    The declared one; else `val`, `validate` or `validation`; else the second split that appeared; else the first.
    All results are asked, not the latest alone: an epoch without validation does not change the choice. `test` and
    `predict` are chosen only when declared.
    """
    if declared is not None:
        return declared
    seen = list(dict.fromkeys(split for result in results.values() for split in result.splits))
    eligible = [split for split in seen if split not in _NEVER_CHOSEN]
    for name in _VALIDATION_NAMES:
        if name in eligible:
            return name
    return next(iter(eligible[1:2] or eligible), None)


def scores(results: Results, rule: ScoreRule) -> dict[int, float]:
    """The score of each epoch that has one; an epoch where the metric was not measured has none."""
    split = choose_split(results, rule.split)
    measured = {epoch: result.splits.get(split or "", {}) for epoch, result in results.items()}
    return {epoch: metrics[rule.metric] for epoch, metrics in measured.items() if rule.metric in metrics}


def best_index(results: Results, rule: ScoreRule) -> int | None:
    """The epoch with the best score, the first of equals; NaN is never best."""
    candidates = {epoch: score for epoch, score in scores(results, rule).items() if not isnan(score)}
    choose = min if rule.mode == "min" else max
    return choose(candidates, key=candidates.__getitem__, default=None)


def best_result(results: Results, rule: ScoreRule) -> Result | None:
    """The result of the best epoch."""
    best = best_index(results, rule)
    return None if best is None else results[best]


def best_score(results: Results, rule: ScoreRule) -> float | None:
    """The best score."""
    best = best_index(results, rule)
    return None if best is None else scores(results, rule)[best]


def latest_result(results: Results) -> Result | None:
    """The result of the last epoch."""
    return results[max(results)] if results else None


def latest_score(results: Results, rule: ScoreRule) -> float | None:
    """The score of the last epoch; None where it was not measured there."""
    return scores(results, rule).get(max(results)) if results else None


def is_best(results: Results, rule: ScoreRule) -> bool:
    """Whether the last epoch is the best one; one that only equals an earlier best is not."""
    return bool(results) and best_index(results, rule) == max(results)


def newest_split(results: Results, split: str) -> dict[str, float] | None:
    """The metrics of a split where they were measured last, whatever epoch they belong to; None where never."""
    measured = [result for result in results.values() if split in result.splits]
    return max(measured, key=lambda result: result.time).splits[split] if measured else None


def explain_unscored(results: Results, rule: ScoreRule) -> Problem | None:
    """Why no epoch has a score although there are results; None where one has, or there are none."""
    if not results or scores(results, rule):
        return None
    split = choose_split(results, rule.split)
    asked = f"{split or 'any split'}/{rule.metric}"
    measured = sorted(
        {f"{name}/{key}" for r in results.values() for name, metrics in r.splits.items() for key in metrics}
    )
    return Problem(
        f"no epoch has a score: nothing measured {asked!r}",
        expected=f"one of: {', '.join(measured)}" if measured else "a metric, logged or recorded",
        suggestion=nearest(asked, measured),
        fix="set run.score.metric and run.score.split (of a ScoreRule of yours, metric and split) to one that is\n"
        "measured, or measure that one too",
    )


class ResultFiles(NamedTuple):
    """Where the results of one attempt stand."""

    journal: Path
    results: Path
    latest: Path
    best: Path


class ResultHeader(NamedTuple):
    """Whose results they are; opens each derived file."""

    name: str
    id: str = ""
    timestamp: str = ""


def _nobody_objects() -> None:
    """What guards results that nobody else could record."""


class ResultLog:
    """The results of one attempt, opened by its one writer."""

    def __init__(
        self, files: ResultFiles, header: ResultHeader, rule: ScoreRule, *, guard: Callable[[], None] = _nobody_objects
    ) -> None:
        """Open the results, and derive anew the files for people where there are any.

        Args:
            files: Where they stand.
            header: Whose they are.
            rule: By what epochs are compared.
            guard: Is called before results are recorded; raises where this process may not do so any more.

        Raises:
            RecordError: The files cannot be read or written.
        """
        self.files = files
        self.header = header
        self.rule = rule
        self.guard = guard
        self._results = read_results(files.journal)
        self._journal = Journal(files.journal)
        if self._results:
            self._derive()

    @property
    def results(self) -> Results:
        """All results by epoch."""
        return self._results

    def append(self, *lines: Result) -> None:
        """Record results; when this returns they survive a power loss.

        Raises:
            RecordError: They cannot be written.
        """
        self.guard()
        for line in lines:
            self._journal.append(line.model_dump(mode="json"))
        self._results = merge([*self._results.values(), *lines])
        self._derive()

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _derive(self) -> None:
        header = self.header._asdict()
        by_epoch = {str(epoch): result.splits for epoch, result in self._results.items()}
        write_atomically(self.files.results, to_json({**header, "results": by_epoch}, indent=True))
        singles = (
            (self.files.latest, latest_result(self._results)),
            (self.files.best, best_result(self._results, self.rule)),
        )
        for path, result in singles:
            if result is not None:
                write_atomically(path, to_json({**header, **result.model_dump(mode="json")}, indent=True))
            else:
                remove(path)  # the rule may have changed since it was written


def read_results(journal: Path) -> dict[int, Result]:
    """The results that a journal holds, by epoch; none where there is no journal yet.

    What is damaged, and a line that is no result, is passed over with a warning that names the line.

    Raises:
        RecordError: The journal cannot be read.
    """
    return merge(_parse(read_journal(journal), journal))


def _parse(lines: Iterable[Line], journal: Path) -> Iterator[Result]:
    for line in lines:
        try:
            yield Result.model_validate(line.entry)
        except ValidationError as error:
            found = error.errors(include_url=False)[0]["msg"]
            warn_once(_log, f"{journal}:{line.number} is no result, and passed over: {found}", of=line.text)
