from pathlib import Path

import pytest

from typedcfg import ConfigTemplate, Experiment, Runner
from typedcfg.errors import RunError
from typedcfg.runner.lookup import find_run, iter_runs

TinyType = type[Experiment]


def test_nothing_is_on_the_disk_before_the_training(tiny: TinyType, tmp_path: Path) -> None:
    runner = Runner(tiny.compile())

    assert (runner.results, runner.best_score, runner.progress, runner.is_done) == ({}, None, 0.0, False)
    with pytest.raises(RunError, match="has no folder yet"):
        _ = runner.dir
    assert not (tmp_path / "experiments").exists()


def test_a_run_is_told_in_one_line_wherever_it_stands(tiny: TinyType, tmp_path: Path) -> None:
    runner = Runner(tiny.compile(overrides=["trainer.max_epochs=1"]))
    assert repr(runner) == f"<Runner tiny-run {runner.id}: not begun, without a folder yet>"
    assert not (tmp_path / "experiments").exists()

    runner.fit()

    assert repr(runner) == f"<Runner tiny-run {runner.id}: done, in {runner.dir}>"
    (runner.dir / "run.json").write_text("{")
    assert repr(runner) == "<Runner run: run.json is not JSON: unexpected end of data>"


def test_the_names_of_a_run_are_those_of_its_configuration(tiny: TinyType) -> None:
    config = tiny.compile(overrides=["run.run_name=wide"])
    runner, identity = Runner(config), config.identity

    assert (runner.name, runner.id, runner.uuid) == ("tiny-wide", identity.id, identity.uuid)
    assert (runner.run_uuid, runner.run_id) == (identity.run_uuid, identity.run_id)
    assert (runner.experiment_id, runner.experiment_uuid) == (identity.experiment_id, identity.experiment_uuid)


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


def test_the_record_of_another_run_is_not_taken_for_its_own(tiny: TinyType) -> None:
    one, other = Runner(tiny.compile()), Runner(tiny.compile(overrides=["lr=0.5"]))
    for runner in (one, other):
        runner.fit()
    (one.dir / "run.json").write_bytes((other.dir / "run.json").read_bytes())

    with pytest.raises(RunError, match=rf"run\.json is that of another run, tiny-run {other.id}"):
        Runner(tiny.compile()).fit()


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


def test_an_action_that_there_is_not_is_refused_also_where_there_is_nothing_to_do(tiny: TinyType) -> None:
    with pytest.raises(ValueError, match="action is one of warn, raise or ignore, and not 'other'"):
        Runner(tiny.compile()).check_dir("other")  # type: ignore[arg-type]  # what is refused
