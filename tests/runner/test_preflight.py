from pathlib import Path

import pytest

from typedcfg import Experiment, Runner
from typedcfg.errors import RunError, TemplateError


def test_several_devices_in_one_process_are_refused_with_the_way_out(tiny: type[Experiment]) -> None:
    runner = Runner(tiny.compile(overrides=["launch=in_process", "trainer.devices=2"]))

    with pytest.raises(RunError, match=r"fix +set launch=auto"):
        runner.fit()

    assert not Path("experiments").exists()


def test_a_process_that_torchrun_started_by_hand_is_refused_with_the_way_out(
    tiny: type[Experiment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")

    with pytest.raises(RunError, match=r"torchrun started this process(.|\n)*leave torchrun out"):
        Runner(tiny.compile()).fit()

    assert not Path("experiments").exists()


def test_an_experiment_without_builders_makes_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(TemplateError, match=r"does not define build_model(.|\n)*does not define build_data"):
        Runner(Experiment.compile()).fit()

    assert not list(tmp_path.iterdir())
