from pathlib import Path, PurePosixPath

import pytest

from typedcfg import Config, Experiment
from typedcfg.errors import RunError
from typedcfg.runner.place import place_of

MIRROR = "run.layout=mirror"


def compiled(*files: str, overrides: tuple[str, ...] = (MIRROR,)) -> Config[Experiment]:
    for file in files:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text("run: {seed: 1}\n")
    return Experiment.compile(*files, overrides=overrides)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_place_is_where_the_file_lies_below_the_root_of_files() -> None:
    assert place_of(compiled("configs/mnist/wide.v2.yaml")) == PurePosixPath("mnist/wide.v2")
    assert place_of(compiled("other/a.yaml", overrides=(MIRROR, "run.config_root=other"))) == PurePosixPath("a")


def test_of_several_files_the_strongest_gives_the_place() -> None:
    assert place_of(compiled("configs/base.yaml", "configs/mnist/wide.yaml")) == PurePosixPath("mnist/wide")

    Path("configs/child.yaml").write_text("$extends: base.yaml\n")
    assert place_of(Experiment.compile("configs/child.yaml", overrides=[MIRROR])) == PurePosixPath("child")


def test_a_run_lies_at_the_top_unless_it_is_asked_to_mirror() -> None:
    assert place_of(compiled("configs/a.yaml", overrides=())) == PurePosixPath()
    assert place_of(compiled()) == PurePosixPath()


@pytest.mark.parametrize("file", ["elsewhere/a.yaml", "configs/../a.yaml", "configsa/a.yaml"])
def test_a_file_that_lies_elsewhere_gives_no_place(file: str) -> None:
    Path("configs").mkdir()

    with pytest.raises(RunError, match=r"does not lie below configs(.|\n)*set run.config_root="):
        place_of(compiled(file))


def test_a_link_out_of_the_root_of_files_gives_no_place() -> None:
    Path("configs").mkdir()
    Path("secret.yaml").write_text("run: {seed: 1}\n")
    Path("configs/a.yaml").symlink_to("../secret.yaml")

    with pytest.raises(RunError, match="does not lie below configs"):
        place_of(Experiment.compile("configs/a.yaml", overrides=[MIRROR]))
