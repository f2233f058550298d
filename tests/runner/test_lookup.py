import json
from pathlib import Path
from uuid import UUID

import pytest

from typedcfg import Experiment, Runner
from typedcfg.errors import RunError
from typedcfg.runner.lookup import find_run, iter_runs, summaries, summarize
from typedcfg.runner.run_dir import RunDir


@pytest.fixture
def runner(tiny: type[Experiment]) -> Runner:
    runner = Runner(tiny.compile())
    runner.fit()
    return runner


def test_a_summary_says_how_a_run_stands(runner: Runner) -> None:
    assert runner.record is not None

    summary = summarize(RunDir(runner.dir), runner.record)

    assert (summary.id, summary.name, summary.status, summary.epochs) == (runner.id, "tiny-run", "done", 3)
    assert summary.best is not None
    assert (summary.best.score, summary.best.epoch) == (runner.best_score, runner.best_index)


def test_a_summary_tells_of_the_test(runner: Runner) -> None:
    before = summarize(RunDir(runner.dir), runner.record)
    runner.test()

    summary = summarize(RunDir(runner.dir), runner.record)

    assert (before.test, before.tested) == (None, "")
    assert summary.test == runner.results[runner.best_index or 0].splits["test"]
    assert summary.tested == f"loss {summary.test['loss']:.4g}"


def test_what_is_no_run_is_passed_over(runner: Runner) -> None:
    root = runner.dir.parent
    (root / "notes").mkdir()
    (root / "notes.txt").touch()

    assert [run.path for run, _ in iter_runs(root)] == [runner.dir]


def _as_running(runner: Runner, **changes: object) -> None:
    """Have the record say that an attempt runs, whose process is gone."""
    path = runner.dir / "run.json"
    record = json.loads(path.read_text())
    record["attempts"][0] |= {"status": "running", "ended": None, **changes}
    path.write_text(json.dumps(record))


def test_a_folder_where_a_log_should_be_says_nothing(runner: Runner) -> None:
    _as_running(runner)
    (runner.attempt / "run.log").unlink()
    (runner.attempt / "run.log").mkdir()

    [(_, record)] = iter_runs(runner.dir.parent)

    assert record is not None
    assert record.status == "lost"


def test_however_many_processes_a_record_claims_the_logs_that_are_there_are_looked_at(runner: Runner) -> None:
    _as_running(runner, world_size=10**12)

    [(_, record)] = iter_runs(runner.dir.parent)

    assert record is not None
    assert record.status == "lost"


def test_a_run_whose_results_cannot_be_read_hides_no_other(runner: Runner, tiny: type[Experiment]) -> None:
    (runner.attempt / "results.jsonl").unlink()
    (runner.attempt / "results.jsonl").mkdir()
    other = Runner(tiny.compile(overrides=["lr=0.25"]))
    other.fit()

    assert [summary.id for summary in summaries(iter_runs(runner.dir.parent))] == [other.id]


def test_a_file_that_is_named_as_an_attempt_is_none(runner: Runner) -> None:
    (runner.dir / "20991121T052440.123456Z").touch()

    [summary] = summaries(iter_runs(runner.dir.parent))

    assert summary.epochs == 3


def test_a_run_that_was_not_begun_is_found_and_said_to_be_none_yet(tmp_path: Path) -> None:
    made = RunDir.open(tmp_path, name="never-begun", id="y" * 16, run_uuid=UUID(int=1))

    [(run, record)] = iter_runs(tmp_path)

    summary = summarize(run, record)
    assert run == find_run("never-begun", tmp_path) == find_run("yyyy", tmp_path) == made
    assert (summary.name, summary.id, summary.status) == ("never-begun", "y" * 16, "not begun")


def test_a_run_whose_record_is_lost_is_not_called_one_that_was_not_begun(runner: Runner) -> None:
    (runner.dir / "run.json").unlink()

    [(run, record)] = iter_runs(runner.dir.parent)

    assert summarize(run, record).status == "not recorded"


def test_a_beginning_that_several_runs_share_names_them(runner: Runner, tiny: type[Experiment]) -> None:
    other = Runner(tiny.compile(overrides=["lr=0.1"]))
    other.fit()

    with pytest.raises(RunError, match="xxxx stands for 2 runs") as raised:
        find_run("xxxx")

    assert all(str(path) in str(raised.value) for path in (runner.dir, other.dir))


def test_a_run_is_found_by_its_name(runner: Runner) -> None:
    assert find_run("tiny-run").path == runner.dir
    with pytest.raises(RunError, match=r"no run tiny-ru\b"):
        find_run("tiny-ru")


def test_a_name_that_several_runs_bear_names_them(runner: Runner, tiny: type[Experiment]) -> None:
    Runner(tiny.compile(overrides=["lr=0.1"])).fit()

    with pytest.raises(RunError, match="tiny-run stands for 2 runs") as raised:
        find_run("tiny-run")

    assert str(runner.dir) in str(raised.value)


def test_a_folder_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is no run"):
        find_run(str(tmp_path))
