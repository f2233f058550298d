import os
import signal

import pytest

from typedcfg import Experiment, Runner
from typedcfg.errors import Problem, RunOwned
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.runner.secrets import SECRETS_VARIABLE
from typedcfg.runner.worker import work

TinyType = type[Experiment]


@pytest.fixture
def begun(tiny: TinyType) -> tuple[RunDir, AttemptDir]:
    """A run whose only attempt failed before it trained."""
    runner = Runner(tiny.compile(overrides=["faults.crash_at=0", "token=hunter2"]))
    with pytest.raises(ValueError, match="broke"):
        runner.fit()
    return RunDir(runner.dir), AttemptDir(runner.attempt)


def test_a_worker_records_what_ended_it_and_raises_nothing(
    begun: tuple[RunDir, AttemptDir], tiny: TinyType, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, attempt = begun
    RunBook(run).change(attempt, failure=None)
    monkeypatch.setenv(SECRETS_VARIABLE, '{"token":"hunter2"}')

    assert work(run, attempt, lambda: tiny) == 1

    failure = RunBook(run).attempt(attempt).failure
    assert failure is not None
    assert failure.what == "ValueError: the model broke, its token was **********"
    assert SECRETS_VARIABLE not in os.environ


def test_what_a_worker_met_first_stands(begun: tuple[RunDir, AttemptDir]) -> None:
    run, attempt = begun
    before = RunBook(run).attempt(attempt).failure

    def load() -> TinyType:
        raise RuntimeError("a consequence")

    assert work(run, attempt, load) == 1
    assert RunBook(run).attempt(attempt).failure == before


def test_a_class_whose_import_starts_the_run_is_told_how_not_to(begun: tuple[RunDir, AttemptDir]) -> None:
    run, attempt = begun
    RunBook(run).change(attempt, failure=None)

    def load() -> TinyType:
        raise RunOwned(Problem("the run is owned by process 1"))

    assert work(run, attempt, load) == 2
    failure = RunBook(run).attempt(attempt).failure
    assert failure is not None
    assert 'under `if __name__ == "__main__":`' in failure.what


def test_whichever_rank_is_stopped_alone_says_what_stopped_it(
    begun: tuple[RunDir, AttemptDir], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, attempt = begun
    monkeypatch.setenv("RANK", "1")

    def load() -> TinyType:
        signal.raise_signal(signal.SIGINT)
        raise AssertionError

    assert work(run, attempt, load) == 130
    assert RunBook(run).attempt(attempt).stopped_by == "SIGINT"
