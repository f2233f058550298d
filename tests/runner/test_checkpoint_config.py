import shutil
from pathlib import Path
from typing import Any

import pytest

from typedcfg import Experiment, Runner
from typedcfg.errors import RecordError, ResumeRefused
from typedcfg.records.checkpoint_record import manifest_path
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO
from typedcfg.runner.lightning.safe_load import load_safely


@pytest.fixture
def done(tiny: type[Experiment]) -> Runner:
    runner = Runner(tiny.compile(overrides=["trainer.max_epochs=1", "lr=0.25"]))
    runner.fit()
    return runner


@pytest.fixture
def inside(done: Runner) -> Path:
    """A checkpoint in the folder of its run."""
    [path] = (done.attempt / "checkpoints").glob("step-*.ckpt")
    return path


@pytest.fixture
def outside(inside: Path, tmp_path: Path) -> Path:
    """The same, copied elsewhere with its manifest."""
    (tmp_path / "elsewhere").mkdir()
    for path in (inside, manifest_path(inside)):
        shutil.copy(path, tmp_path / "elsewhere")
    return tmp_path / "elsewhere" / inside.name


def test_a_checkpoint_in_its_folder_gives_its_run(done: Runner, inside: Path, tiny: type[Experiment]) -> None:
    runner = Runner.from_checkpoint(inside, tiny)

    assert runner.dir.samefile(done.dir)
    assert (runner.config, runner.is_done) == (done.config, True)


def test_a_checkpoint_gives_its_configuration_where_its_run_lost_that(
    done: Runner, inside: Path, tiny: type[Experiment]
) -> None:
    (done.dir / "run.yaml").unlink()

    assert Runner.from_checkpoint(inside, tiny).config == done.config


def test_a_checkpoint_that_was_put_among_those_of_another_run_gives_its_own_configuration(
    done: Runner, inside: Path, tiny: type[Experiment]
) -> None:
    other = Runner(tiny.compile(overrides=["trainer.max_epochs=1", "lr=0.5"]))
    other.fit()
    for path in (inside, manifest_path(inside)):
        path.replace(other.attempt / "checkpoints" / path.name)

    assert Runner.from_checkpoint(other.attempt / "checkpoints" / inside.name, tiny).config == done.config


def test_a_checkpoint_elsewhere_gives_its_configuration(done: Runner, outside: Path, tiny: type[Experiment]) -> None:
    runner = Runner.from_checkpoint(outside, tiny)

    assert runner.config == done.config
    assert runner.config.origin("lr").startswith(f"{outside.name}:")


@pytest.mark.parametrize("place", ["inside", "outside"])
def test_what_bears_on_no_outcome_may_differ(place: str, tiny: type[Experiment], request: Any) -> None:
    runner = Runner.from_checkpoint(request.getfixturevalue(place), tiny, overrides=["checkpoint.keep_last=7"])

    assert runner.config.checkpoint.keep_last == 7


@pytest.mark.parametrize("place", ["inside", "outside"])
def test_what_bears_on_the_outcome_is_refused_by_name(place: str, tiny: type[Experiment], request: Any) -> None:
    with pytest.raises(ResumeRefused, match=r"lr: 0\.25 -> 0\.5") as caught:
        Runner.from_checkpoint(request.getfixturevalue(place), tiny, overrides={"lr": 0.5, "checkpoint.keep_last": 7})

    assert "keep_last" not in str(caught.value)


def test_a_damaged_checkpoint_says_nothing(outside: Path, tiny: type[Experiment]) -> None:
    outside.write_bytes(b"")

    with pytest.raises(RecordError, match="is damaged"):
        Runner.from_checkpoint(outside, tiny)


@pytest.mark.parametrize(
    ("text", "told"), [(None, "holds no configuration"), ('{"$extends": "/etc/passwd"}', "extends files")]
)
def test_a_text_that_no_run_wrote_is_refused(
    text: str | None, told: str, outside: Path, tiny: type[Experiment]
) -> None:
    content = load_safely(outside)
    del content["typedcfg_config"]
    VerifiedCheckpointIO(config=text).save_checkpoint(content, outside)

    with pytest.raises(RecordError, match=told):
        Runner.from_checkpoint(outside, tiny)
