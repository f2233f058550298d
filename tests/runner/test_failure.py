import json
import os
from pathlib import Path

import pytest

from typedcfg.errors import Problem, RecordError, RunError
from typedcfg.records.run_record import Failure
from typedcfg.runner.failure import Preempted, exit_code_of, failure_of, is_failure, problem_of, told_hang


def raised(error: BaseException) -> BaseException:
    """The error, with the traceback that raising it gives."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def test_the_place_is_the_innermost_of_the_users_own_code() -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads("{")

    failure = failure_of(caught.value, rank=1, secret_texts=())

    assert failure.where.startswith(f"{__file__}:")
    assert failure.where.endswith("in test_the_place_is_the_innermost_of_the_users_own_code")
    assert failure.what.startswith("JSONDecodeError: Expecting property name")
    assert "decoder.py" in failure.traceback


def test_secrets_are_hidden_in_what_is_told() -> None:
    failure = failure_of(raised(ValueError("hunter2 is wrong")), rank=0, secret_texts={"hunter2"})

    assert failure.what == "ValueError: ********** is wrong"
    assert "hunter2 is" not in failure.traceback


def test_an_error_without_a_message_is_told_by_its_name() -> None:
    assert failure_of(raised(KeyboardInterrupt()), rank=0, secret_texts=()).what == "KeyboardInterrupt"


def test_our_own_errors_say_themselves_where() -> None:
    failure = failure_of(raised(RunError(Problem("no", where="run.yaml"))), rank=0, secret_texts=())

    assert (failure.what, failure.where) == ("no\n  at            run.yaml", "")


def test_people_are_told_the_rank_and_where_the_log_is(tmp_path: Path) -> None:
    (tmp_path / "run.rank1.log").touch()
    failure = failure_of(raised(ValueError("no")), rank=1, secret_texts=())

    problem = problem_of(failure, tmp_path / "run.rank1.log")

    assert problem.where.endswith(f", rank 1\nthe traceback is in {tmp_path / 'run.rank1.log'}")
    assert problem.fix == ""
    assert problem_of(failure, tmp_path / "nowhere").where.endswith(", rank 1")


def test_people_are_told_of_no_traceback_of_who_was_killed(tmp_path: Path) -> None:
    (tmp_path / "run.rank1.log").touch()
    failure = Failure(what="rank 1 was killed by SIGKILL", where="", rank=1, traceback="")

    assert problem_of(failure, tmp_path / "run.rank1.log").where == f"the log is {tmp_path / 'run.rank1.log'}"
    assert problem_of(failure, tmp_path / "nowhere").where == ""


@pytest.mark.parametrize("code", [130, 143])
def test_who_exits_with_the_code_of_a_stop_was_stopped(code: int) -> None:
    assert exit_code_of(SystemExit(code)) == code
    assert not is_failure(SystemExit(code))


@pytest.mark.parametrize(("told", "code"), [(3, 3), ("no data", 1), (0, 1), (None, 1), (256, 1), (-1, 255)])
def test_a_training_that_exits_has_failed_whatever_it_says(told: object, code: int) -> None:
    assert exit_code_of(SystemExit(told)) == code
    assert is_failure(SystemExit(told))


HUNG = f"""epoch 1/3
Timeout (0:30:00)!
Thread 0x00007f01 (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 320 in wait
  File "/home/ada/watch.py", line 5 in watch

Thread 0x00007f02 (most recent call first):
  File "{os.__file__}", line 7 in walk
  File "/home/ada/model.py", line 12 in training_step
  File "/home/ada/train.py", line 3 in <module>
"""


def test_a_hang_that_a_log_tells_of_is_placed_in_the_users_own_code(tmp_path: Path) -> None:
    (tmp_path / "run.rank1.log").write_text(HUNG)

    failure = told_hang({0: tmp_path / "run.log", 1: tmp_path / "run.rank1.log"})

    assert failure is not None
    assert failure.what.endswith("where each thread stands is in run.log, run.rank1.log")
    assert (failure.where, failure.rank) == ("/home/ada/model.py:12, in training_step", 1)
    assert failure.traceback == HUNG.removeprefix("epoch 1/3\n")


def test_what_a_model_says_of_a_timeout_is_no_hang(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text("Timeout (0:30:00) of the server\n")

    assert told_hang({0: tmp_path / "run.log"}) is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError(), 1),
        (RunError(Problem("no")), 2),
        (RecordError(Problem("no")), 1),
        (KeyboardInterrupt(), 130),
        (Preempted(), 143),
    ],
)
def test_an_exit_code_says_how_a_process_ended(error: BaseException, code: int) -> None:
    assert exit_code_of(error) == code
