from collections.abc import Iterator

import pytest

from typedcfg import Experiment, Runner
from typedcfg.records.run_record import AttemptRecord, Failure
from typedcfg.runner.asked import Asked
from typedcfg.runner.run_book import RunBook
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


def ended(book: RunBook, attempt: AttemptDir) -> tuple[str, int | None, Failure | None]:
    record: AttemptRecord = book.attempt(attempt)
    return record.status, record.exit_code, record.failure
