from dataclasses import dataclass

import pytest

from typedcfg import Experiment, Runner
from typedcfg.errors import RunFailed
from typedcfg.records.run_record import Failure
from typedcfg.runner.asked import Asked
from typedcfg.runner.ending import bad_end, note_bad_end, status_of
from typedcfg.runner.launchers.base import Work
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.training import Training


@dataclass(frozen=True, slots=True)
class Ending:
    """A launcher whose processes end without a word."""

    code: int

    def launch(self, _: Work) -> int:
        return self.code


@pytest.mark.parametrize(
    ("exit_code", "status"), [(0, "done"), (1, "failed"), (137, "failed"), (130, "preempted"), (143, "preempted")]
)
def test_what_is_recorded_follows_from_the_exit_code(exit_code: int, status: str) -> None:
    assert status_of(exit_code) == status


@pytest.mark.parametrize(
    ("exit_code", "how"),
    [
        (0, "a process ended with 0 before the training was over"),
        (1, "the process that started the ranks ended with 1"),
        (137, "the process that started the ranks was killed by SIGKILL"),
        (255, "the process that started the ranks ended with 255"),
    ],
)
def test_a_process_that_says_nothing_is_told_of_by_its_exit_code(
    exit_code: int, how: str, tiny: type[Experiment]
) -> None:
    config = tiny.compile()
    run = Runner(config).make()
    with Training(run, config, Asked()).attempted(world_size=2) as attempt:
        error = bad_end(RunBook(run), attempt, exit_code)

    assert how in str(error)


def test_that_nobody_says_how_it_ended_is_recorded_with_the_code_that_is_told(tiny: type[Experiment]) -> None:
    runner, launcher = Runner(tiny.compile()), Ending(137)
    run = runner.make()

    with pytest.raises(RunFailed, match="the process that started the ranks was killed by SIGKILL") as raised:
        Training(run, runner.config, Asked()).bring_to_an_end(
            launcher, again=False, resume="auto", test=False, restarts=0
        )

    [attempt] = RunBook(run).begun.attempts
    assert attempt.failure is not None
    assert (attempt.exit_code, attempt.failure.what) == (raised.value.exit_code, str(raised.value))


def test_processes_that_end_with_0_before_the_training_is_over_have_failed(tiny: type[Experiment]) -> None:
    runner = Runner(tiny.compile())

    with pytest.raises(RunFailed, match="a process ended with 0 before the training was over"):
        Training(runner.make(), runner.config, Asked()).bring_to_an_end(
            Ending(0), again=False, resume="auto", test=False, restarts=0
        )

    assert runner.record is not None
    assert runner.record.status == "failed"


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

        note_bad_end(book, attempt, rank=1, exit_code=exit_code)

        assert str(bad_end(book, attempt, exit_code)).startswith(told)


def test_a_rank_that_ends_itself_without_a_word_is_told(tiny: type[Experiment]) -> None:
    config = tiny.compile()
    run = Runner(config).make()
    with Training(run, config, Asked()).attempted(world_size=2) as attempt:
        note_bad_end(RunBook(run), attempt, rank=1, exit_code=3)

        assert str(bad_end(RunBook(run), attempt, 3)) == "rank 1 ended with 3"


def test_a_crash_that_nobody_else_met_anything_of_is_told_with_its_rank(tiny: type[Experiment]) -> None:
    config = tiny.compile()
    run = Runner(config).make()
    with Training(run, config, Asked()).attempted(world_size=2) as attempt:
        note_bad_end(RunBook(run), attempt, rank=1, exit_code=139)

        assert str(bad_end(RunBook(run), attempt, 139)) == "rank 1 was killed by SIGSEGV"
