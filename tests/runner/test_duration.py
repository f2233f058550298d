from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from typedcfg.records.result_record import Result, ResultHeader, ResultLog, ScoreRule
from typedcfg.records.run_record import AttemptRecord, Machine
from typedcfg.runner.duration import Duration, duration_of
from typedcfg.runner.run_dir import AttemptDir, RunDir

START = datetime(2026, 11, 21, 5, 24, tzinfo=UTC)
Attempted = Callable[..., AttemptRecord]


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir.open(tmp_path, name="tiny-run", id="x" * 16, run_uuid=UUID(int=1))


@pytest.fixture
def attempt(run: RunDir) -> AttemptDir:
    return run.new_attempt()


@pytest.fixture
def attempted(attempt: AttemptDir) -> Attempted:
    """What is recorded of an attempt that began at 5:24."""

    def record(**known: Any) -> AttemptRecord:
        machine = Machine(hostname="here", platform="any", cpu_count=1, user="me")
        return AttemptRecord(folder=attempt.timestamp, started=START, machine=machine, pid=1, world_size=1, **known)

    return record


def test_an_attempt_that_ended_took_until_then(run: RunDir, attempted: Attempted) -> None:
    record = attempted(status="done", ended=START + timedelta(seconds=90))

    assert duration_of(run, record) == Duration(90)


def test_a_clock_that_was_set_back_makes_no_time_of_less_than_none(run: RunDir, attempted: Attempted) -> None:
    record = attempted(status="done", ended=START - timedelta(seconds=90))

    assert duration_of(run, record) == Duration(0)


def test_one_that_was_lost_took_at_least_until_its_last_result(
    run: RunDir, attempt: AttemptDir, attempted: Attempted
) -> None:
    with ResultLog(attempt.result_files, ResultHeader("tiny-run"), ScoreRule()) as log:
        for minute in (1, 2):
            log.append(Result(epoch=minute, step=minute, time=START + timedelta(minutes=minute), splits={}))

    assert duration_of(run, attempted(status="lost")) == Duration(120, is_least=True)


def test_one_that_runs_takes_until_now(run: RunDir, attempted: Attempted) -> None:
    assert duration_of(run, attempted(status="running")).seconds > 0
