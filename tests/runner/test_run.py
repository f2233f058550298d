import subprocess
import sys
from pathlib import Path

import pytest

from typedcfg import ConfigTemplate, Experiment, Runner
from typedcfg.errors import RunError, TemplateError
from typedcfg.runner.lookup import find_run, iter_runs
from typedcfg.runner.run_dir import AttemptDir

TinyType = type[Experiment]


def test_a_run_has_the_folder_that_the_documentation_draws(tiny: TinyType) -> None:
    runner = Runner(tiny.compile(overrides=["checkpoint.save_interval=2"]))

    runner.fit()

    assert runner.dir == Path("experiments") / f"tiny-run-{runner.id}"
    attempt = AttemptDir(runner.attempt)
    assert {path.name for path in runner.dir.iterdir()} == {
        *(".typedcfg", "lock", "run.yaml", "run.json", attempt.timestamp)
    }
    results = {"run.log", "results.jsonl", "results.json", "latest.json", "best.json", "checkpoints"}
    assert {path.name for path in attempt.path.iterdir()} == results
    steps = [f"step-{step:08d}.ckpt" for step in (4, 8, 12)]
    names = {"latest.ckpt", "best.ckpt", "epoch-2.ckpt"}
    assert {p.name for p in attempt.checkpoints.path.iterdir()} == {*steps, *(f"{s}.json" for s in steps), *names}


def test_results_and_scores_are_there_when_training_ends(tiny: TinyType) -> None:
    runner = Runner(tiny.compile())

    runner.fit()

    assert list(runner.results) == [1, 2, 3]
    assert runner.scores == {epoch: result.splits["val"]["loss"] for epoch, result in runner.results.items()}
    assert runner.best_score == min(runner.scores.values())
    assert runner.best_result == runner.results[runner.best_index or 0]
    assert runner.latest_result == runner.results[3]
    assert runner.latest_score == runner.scores[3]
    assert runner.is_best == (runner.best_index == 3)
    assert runner.progress == 1.0


def test_another_runner_of_the_same_configuration_knows_the_run(tiny: TinyType) -> None:
    Runner(tiny.compile()).fit()

    runner = Runner(tiny.compile())

    assert runner.is_done
    assert len(runner.results) == 3


def test_nothing_is_on_the_disk_before_the_training(tiny: TinyType, tmp_path: Path) -> None:
    runner = Runner(tiny.compile())

    assert (runner.results, runner.best_score, runner.progress, runner.is_done) == ({}, None, 0.0, False)
    with pytest.raises(RunError, match="has no folder yet"):
        _ = runner.dir
    assert not (tmp_path / "experiments").exists()


def test_the_names_of_a_run_are_those_of_its_configuration(tiny: TinyType) -> None:
    config = tiny.compile(overrides=["run.run_name=wide"])
    runner, identity = Runner(config), config.identity

    assert (runner.name, runner.id, runner.uuid) == ("tiny-wide", identity.id, identity.uuid)
    assert (runner.run_uuid, runner.run_id) == (identity.run_uuid, identity.run_id)
    assert (runner.experiment_id, runner.experiment_uuid) == (identity.experiment_id, identity.experiment_uuid)


def test_the_best_weights_are_tested_when_asked_for(tiny: TinyType) -> None:
    runner = Runner(tiny.compile())
    runner.fit()
    assert all("test" not in result.splits for result in runner.results.values())

    runner.test()

    tested = [epoch for epoch, result in runner.results.items() if "test" in result.splits]
    assert tested == [runner.best_index]
    assert runner.results[tested[0]].splits["test"]["loss"] == pytest.approx(runner.best_score)


def test_a_test_before_any_training_says_so(tiny: TinyType) -> None:
    with pytest.raises(RunError, match="has no folder yet"):
        Runner(tiny.compile()).test()


def test_a_template_that_is_no_experiment_cannot_be_run() -> None:
    class Params(ConfigTemplate):
        lr: float = 0.1

    with pytest.raises(RunError, match="Params cannot be run"):
        Runner(Params.compile())


def test_an_experiment_that_was_not_compiled_cannot_be_run(tiny: TinyType) -> None:
    for given in (tiny, tiny()):
        with pytest.raises(RunError, match=r"Tiny was not compiled(.|\n)*Runner\(Tiny\.compile\(\)\)"):
            Runner(given)  # type: ignore[arg-type]  # what is tested


def test_a_class_is_not_given_the_run_of_another_with_its_values(tiny: TinyType) -> None:
    Runner(tiny.compile()).fit()

    class Other(tiny):  # type: ignore[misc, valid-type]  # a class that only a fixture knows
        __module__ = "tiny"  # of the same code

    with pytest.raises(RunError, match=r"a run of another class, Tiny(.|\n)*fix +give one of them a field") as refused:
        Runner(Other.compile()).fit()
    assert refused.value.exit_code == 2


def test_an_error_of_the_model_is_raised_as_it_is_and_recorded(tiny: TinyType) -> None:
    runner = Runner(tiny.compile(overrides=["faults.crash_at=1"]))

    with pytest.raises(ValueError, match="the model broke"):
        runner.fit()

    assert runner.record is not None
    [attempt] = runner.record.attempts
    assert (runner.record.status, attempt.status, attempt.exit_code) == ("failed", "failed", 1)
    assert attempt.failure is not None
    assert attempt.failure.what.startswith("ValueError: the model broke")
    assert "tiny.py" in attempt.failure.where


def test_several_devices_in_one_process_are_refused_with_the_way_out(tiny: TinyType) -> None:
    runner = Runner(tiny.compile(overrides=["launch=in_process", "trainer.devices=2"]))

    with pytest.raises(RunError, match=r"fix +set launch=auto"):
        runner.fit()

    assert not Path("experiments").exists()


def test_an_experiment_without_builders_makes_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(TemplateError, match=r"does not define build_model(.|\n)*does not define build_data"):
        Runner(Experiment.compile()).fit()

    assert not list(tmp_path.iterdir())


def test_a_failed_run_goes_on_with_what_may_change_and_records_it(tiny: TinyType) -> None:
    with pytest.raises(ValueError, match="broke"):
        Runner(tiny.compile(overrides=["faults.crash_at=1"])).fit()

    runner = Runner(tiny.compile(overrides=["checkpoint.save_interval=1"]))
    runner.fit()

    assert runner.record is not None
    first, second = runner.record.attempts
    assert second.resumed_from == f"{first.folder}/checkpoints/step-00000004.ckpt"
    assert second.is_bitwise
    assert "save_interval: 1" in (runner.dir / "run.yaml").read_text()
    assert list(runner.results) == [1, 2, 3]


def test_training_without_determinism_is_not_called_bitwise_after_a_resume(tiny: TinyType) -> None:
    shared = "run.deterministic=false"
    with pytest.raises(ValueError, match="broke"):
        Runner(tiny.compile(overrides=[shared, "faults.crash_at=1"])).fit()

    runner = Runner(tiny.compile(overrides=[shared]))
    runner.fit()

    assert runner.record is not None
    assert runner.record.attempts[-1].not_bitwise_because == ("run.deterministic is false",)
    assert not runner.record.attempts[-1].is_bitwise


@pytest.mark.usefixtures("tiny_app")
def test_a_runner_is_made_without_torch() -> None:
    code = (
        "import sys; from typedcfg import Runner; from tiny import Tiny; runner = Runner(Tiny.compile());"
        "print(runner.id, runner.results); print([m for m in ('torch', 'lightning', 'numpy') if m in sys.modules])"
    )

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.splitlines()[-1] == "[]"


def test_a_mirroring_run_lies_where_its_file_does_and_is_found_from_there(tiny: TinyType) -> None:
    Path("configs/noise").mkdir(parents=True)
    Path("configs/noise/wide.yaml").write_text("run: {layout: mirror}\ntrainer: {max_epochs: 1}\n")
    runner = Runner(tiny.compile("configs/noise/wide.yaml"))

    runner.fit()

    assert runner.dir == Path("experiments/noise/wide") / f"tiny-run-{runner.id}"
    assert Runner(tiny.compile(runner.dir / "run.yaml")).is_done
    assert [run.path for run, _ in iter_runs(Path("experiments"))] == [runner.dir]
    assert find_run(runner.id[:12]).path == runner.dir


def test_a_file_outside_the_root_of_files_makes_no_run(tiny: TinyType, tmp_path: Path) -> None:
    Path("wide.yaml").write_text("run: {layout: mirror}\n")

    with pytest.raises(RunError, match="does not lie below configs"):
        Runner(tiny.compile("wide.yaml")).fit()

    assert not (tmp_path / "experiments").exists()
