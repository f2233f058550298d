import pytest

from typedcfg import Experiment, Runner
from typedcfg.records.run_record import Failure
from typedcfg.runner.asked import Asked
from typedcfg.runner.ending import bad_end, note_kill, status_of
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.training import Training


@pytest.mark.parametrize(
    ("exit_code", "status"), [(0, "done"), (1, "failed"), (137, "failed"), (130, "preempted"), (143, "preempted")]
)
def test_what_is_recorded_follows_from_the_exit_code(exit_code: int, status: str) -> None:
    assert status_of(exit_code) == status


@pytest.mark.parametrize(
    ("exit_code", "how"), [(1, "ended with 1"), (137, "was killed by SIGKILL"), (255, "ended with 255")]
)
def test_a_process_that_says_nothing_is_told_of_by_its_exit_code(
    exit_code: int, how: str, tiny: type[Experiment]
) -> None:
    config = tiny.compile()
    run = Runner(config).make()
    with Training(run, config, Asked()).attempted(world_size=2) as attempt:
        error = bad_end(RunBook(run), attempt, exit_code)

    assert f"a process of the run {how}" in str(error)


@pytest.mark.parametrize(
    ("exit_code", "told"),
    [(137, "rank 1 was killed by SIGKILL"), (139, "rank 0 broke"), (128 + 50, "rank 0 broke")],
)
def test_that_a_rank_was_killed_is_the_cause_of_what_others_met(
    exit_code: int, told: str, tiny: type[Experiment]
) -> None:
    config = tiny.compile()
    run = Runner(config).make()
    with Training(run, config, Asked()).attempted(world_size=2) as attempt:
        book = RunBook(run)
        book.fail(attempt, Failure(what="rank 0 broke", where="", rank=0, traceback="Traceback"))

        note_kill(book, attempt, rank=1, exit_code=exit_code)

        assert str(bad_end(book, attempt, exit_code)).startswith(told)


def test_a_crash_that_nobody_else_met_anything_of_is_told_with_its_rank(tiny: type[Experiment]) -> None:
    config = tiny.compile()
    run = Runner(config).make()
    with Training(run, config, Asked()).attempted(world_size=2) as attempt:
        note_kill(RunBook(run), attempt, rank=1, exit_code=139)

        assert str(bad_end(RunBook(run), attempt, 139)) == "rank 1 was killed by SIGSEGV"
