"""Find runs in the folder that they lie in, and say in short how each stands."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Final, Literal, NamedTuple

from typedcfg.errors import Problem, RecordError, RunError
from typedcfg.records.checkpoint_record import committed
from typedcfg.records.result_record import (
    ScoreRule,
    best_index,
    choose_split,
    latest_result,
    newest_split,
    read_results,
    scores,
)
from typedcfg.records.run_record import RunRecord, Status, TemplateReference
from typedcfg.runner.duration import Duration, duration_of, total
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import RunDir
from typedcfg.runner.run_folders import iter_run_folders
from typedcfg.runner.template_reference import is_same_class
from typedcfg.text import listed

DEFAULT_ROOT: Final = Path("experiments")
"""Where runs lie unless `run.project_root` says otherwise."""

_log: Final = logging.getLogger(__name__)

_UNFINISHED: Final[frozenset[Status]] = frozenset({"failed", "preempted", "lost"})


class Best(NamedTuple):
    """The best score of a run."""

    score: float
    metric: str
    split: str
    epoch: int

    def __str__(self) -> str:
        """The score in a few words.

        Example:
            >>> str(Best(0.25, "loss", "val", 3))
            'val/loss 0.25 in epoch 3'
        """
        return f"{self.split}/{self.metric} {self.score:.4g} in epoch {self.epoch}"


class Summary(NamedTuple):
    """How a run stands."""

    id: str
    name: str
    status: Status | Literal["not begun", "not recorded"]
    epochs: int
    """Finished ones, of the newest attempt."""
    best: Best | None
    started: str
    """When the newest attempt began, in UTC."""
    folder: str
    attempts: int = 0
    """How many there were."""
    time: Duration = Duration(0)
    """How long all of them took."""
    not_finite_since: int | None = None
    """The step after which the newest attempt had a loss or a weight that is NaN or infinite."""
    test: Mapping[str, float] | None = None
    """What the newest test of the newest attempt measured, by metric; None where there was none."""

    @property
    def took(self) -> str:
        """How long all attempts took, in a few words."""
        return f"{self.time} in {self.attempts} attempts" if self.attempts > 1 else str(self.time)

    @property
    def tested(self) -> str:
        """What the test measured, in a few words; none where there was no test."""
        return listed(f"{metric} {value:.4g}" for metric, value in (self.test or {}).items())


def iter_runs(root: Path) -> Iterator[tuple[RunDir, RunRecord | None]]:
    """The runs that lie in a folder, at whatever place, by their paths; with no record what was not begun yet.

    One whose record cannot be read is passed over with a warning: the others are still of use.

    Raises:
        RunError: There is no such folder.
    """
    if not os.path.exists(root):  # noqa: PTH110  # Path.exists raises where a folder may not be looked into
        raise RunError(Problem(f"there is no folder {root}", expected="a folder of runs, `experiments` by default"))
    for path in iter_run_folders(root):
        try:
            run = RunDir.within(path)
            record = RunBook(run).as_it_stands() if run else None
        except RecordError as error:
            _log.warning("%s is passed over: %s", path, error)
            continue
        if run:
            yield run, record


def find_run(text: str, root: Path = DEFAULT_ROOT) -> RunDir:
    """The run that a person means: by its folder, its name, or the beginning of its id or of its run_id.

    Raises:
        RunError: There is none, or several begin so.
    """
    if os.path.isdir(text):  # noqa: PTH112  # as above, and where a text is too long for a name
        return RunDir.at(Path(text))
    runs = list(iter_runs(root)) if os.path.exists(root) else []  # noqa: PTH110  # as above
    found = [run for run, record in runs if text and _is_called(run, record, text)]  # every id begins with nothing
    if len(found) == 1:
        return found[0]
    matching = [str(run.path) for run in found]
    expected = "a folder, or the name or beginning of the id of a run in `experiments`; `typedcfg runs ls` lists them"
    what = f"{text} stands for {len(found)} runs" if found else f"there is no run {text or repr(text)}"
    raise RunError(Problem(what, expected="one of\n" + "\n".join(matching) if found else expected))


def _is_called(run: RunDir, record: RunRecord | None, text: str) -> bool:
    name, id = _label(run, record)  # noqa: A001  # as users see it
    return text in {run.path.name, name} or id.startswith(text) or run.run_uuid.hex.startswith(text)


def _label(run: RunDir, record: RunRecord | None) -> tuple[str, str]:
    """The name and the id of a run; of one that was not begun, as its folder has them."""
    if record is not None:
        return record.identity.name, record.identity.id
    name, _, id = run.path.name.rpartition("-")  # noqa: A001  # as above
    return name, id


def unfinished_like(fingerprint: str, template: TemplateReference, *, root: Path, but: Path) -> RunDir | None:
    """The newest run of the same class and configuration that nobody works on and that can be gone on with.

    Args:
        fingerprint: The configuration's.
        template: The class.
        root: Where runs lie.
        but: The run that is asked for, which is not meant.
    """
    unfinished = [
        (record.attempts[-1].started, run)
        for run, record in iter_runs(root)
        if run.path != but and record and record.attempts and record.identity.fingerprint == fingerprint
        if is_same_class(template, record.template) and record.status in _UNFINISHED and is_anything_saved(run)
    ]
    return max(unfinished, key=itemgetter(0))[1] if unfinished else None


def is_anything_saved(run: RunDir) -> bool:
    """Whether there is a checkpoint to go on from, which nobody looked into yet; not where nobody can tell."""
    try:
        return any(committed(attempt.checkpoints.path) for attempt in run.attempts())
    except RecordError:
        return False


def summaries(runs: Iterable[tuple[RunDir, RunRecord | None]]) -> Iterator[Summary]:
    """How runs stand; one whose results cannot be read is passed over with a warning."""
    for run, record in runs:
        try:
            yield summarize(run, record)
        except RecordError as error:
            _log.warning("%s is passed over: %s", run.path, error)


def summarize(run: RunDir, record: RunRecord | None) -> Summary:
    """How a run stands.

    Args:
        run: Its folder.
        record: Its record as it stands; None where it was not begun.
    """
    name, id = _label(run, record)  # noqa: A001  # as users see it
    attempts = run.attempts()
    if record is None:
        status: Literal["not begun", "not recorded"] = "not recorded" if attempts else "not begun"
        return Summary(id, name, status=status, epochs=0, best=None, started="", folder=str(run.path))
    results = read_results(attempts[-1].result_files.journal) if attempts else {}
    rule = ScoreRule(record.score.metric, record.score.mode, record.score.split)
    latest, best = latest_result(results), best_index(results, rule)
    split = choose_split(results, rule.split) or ""
    return Summary(
        id=id,
        name=name,
        status=record.status,
        epochs=latest.epoch if latest else 0,
        best=Best(scores(results, rule)[best], rule.metric, split, best) if best is not None else None,
        started=record.attempts[-1].started.strftime("%Y-%m-%d %H:%M:%S") if record.attempts else "",
        folder=str(run.path),
        attempts=len(record.attempts),
        time=total(duration_of(run, attempt) for attempt in record.attempts),
        not_finite_since=record.attempts[-1].not_finite_since if record.attempts else None,
        test=newest_split(results, "test"),
    )
