import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from typedcfg import Experiment, Runner
from typedcfg.errors import RecordError
from typedcfg.records.run_record import AttemptRecord, Failure
from typedcfg.runner.asked import Asked
from typedcfg.runner.run_book import RunBook, told_if_refused
from typedcfg.runner.run_dir import AttemptDir
from typedcfg.runner.training import Training


@pytest.fixture
def begun(tiny: type[Experiment]) -> Iterator[tuple[RunBook, AttemptDir]]:
    """What is written of a run, and an attempt that goes on."""
    config = tiny.compile()
    run = Runner(config).make()
    with Training(run, config, Asked()).attempted(world_size=2) as attempt:
        yield RunBook(run), attempt


def failure(rank: int) -> Failure:
    return Failure(what=f"rank {rank} broke", where="", rank=rank, traceback="")


def test_of_what_several_ranks_met_the_first_stands(begun: tuple[RunBook, AttemptDir]) -> None:
    book, attempt = begun

    for rank in (1, 0):
        book.fail(attempt, failure(rank))

    assert book.attempt(attempt).failure == failure(1)


def test_what_a_rank_met_once_another_was_asked_to_stop_is_no_failure(begun: tuple[RunBook, AttemptDir]) -> None:
    book, attempt = begun
    book.fail(attempt, failure(0))

    book.end(attempt, status="preempted", exit_code=143)

    assert ended(book, attempt) == ("preempted", 143, None)


def test_what_ended_an_attempt_that_failed_is_kept(begun: tuple[RunBook, AttemptDir]) -> None:
    book, attempt = begun
    book.fail(attempt, failure(0))

    book.end(attempt, status="failed", exit_code=1)

    assert ended(book, attempt) == ("failed", 1, failure(0))


def test_that_ranks_were_asked_to_stop_since_another_failed_is_no_stop(begun: tuple[RunBook, AttemptDir]) -> None:
    book, attempt = begun
    book.stop(attempt, "SIGTERM")

    book.end(attempt, status="failed", exit_code=137)

    assert book.attempt(attempt).stopped_by is None


def test_what_is_to_be_recorded_in_a_folder_that_was_moved_is_refused_and_makes_none(
    begun: tuple[RunBook, AttemptDir],
) -> None:
    book, attempt = begun
    book.run.path.rename("moved")

    for deed in (book.check_owner, book.attempt, book.change):
        with pytest.raises(RecordError, match="the run's folder is gone"):
            deed(attempt)
    assert not book.run.path.exists()

    Path("moved").rename(book.run.path)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda record: record.unlink(), "run.json is gone"),
        (lambda record: record.write_text(_without_attempts(record)), "run.json does not know of attempt"),
    ],
    ids=["gone", "older"],
)
def test_a_record_that_was_replaced_meanwhile_is_told_of(
    begun: tuple[RunBook, AttemptDir], damage: Callable[[Path], object], told: str
) -> None:
    book, attempt = begun
    before = book.run.record.read_bytes()
    damage(book.run.record)

    with pytest.raises(RecordError, match=told):
        book.end(attempt, status="done", exit_code=0)

    book.run.record.write_bytes(before)


def test_an_error_that_is_why_it_cannot_be_recorded_is_told_once(
    begun: tuple[RunBook, AttemptDir], caplog: pytest.LogCaptureFixture
) -> None:
    book, attempt = begun
    book.run.path.rename("moved")
    with pytest.raises(RecordError) as raised:
        book.check_owner(attempt)

    with told_if_refused(raised.value):
        book.fail(attempt, failure(0))

    assert "is not recorded" not in caplog.text
    Path("moved").rename(book.run.path)


def _without_attempts(record: Path) -> str:
    return json.dumps({**json.loads(record.read_text()), "attempts": []})


def test_what_cannot_be_recorded_of_an_error_does_not_hide_it(
    begun: tuple[RunBook, AttemptDir], caplog: pytest.LogCaptureFixture
) -> None:
    book, attempt = begun
    before = book.run.record.read_bytes()
    book.run.record.unlink()

    with told_if_refused(ValueError("the model broke")):
        book.fail(attempt, failure(0))

    assert "how the attempt ended is not recorded: run.json is gone" in caplog.text
    book.run.record.write_bytes(before)


def ended(book: RunBook, attempt: AttemptDir) -> tuple[str, int | None, Failure | None]:
    record: AttemptRecord = book.attempt(attempt)
    return record.status, record.exit_code, record.failure
