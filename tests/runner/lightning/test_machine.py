from pathlib import Path

import pytest
import torch

from typedcfg import Experiment, Runner
from typedcfg.errors import RunError
from typedcfg.runner.lightning.machine import check_accelerator


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing but its processor."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("accelerator", ["auto", "cpu"])
def test_every_machine_has_a_processor(accelerator: str) -> None:
    check_accelerator(Experiment.compile(overrides={"trainer.accelerator": accelerator}))


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("accelerator", ["gpu", "mps"])
def test_an_accelerator_that_is_not_there_is_told_with_the_place_that_asks_for_it(accelerator: str) -> None:
    config = Experiment.compile(overrides=[f"trainer.accelerator={accelerator}"])

    with pytest.raises(RunError, match=f"trainer.accelerator is {accelerator}") as caught:
        check_accelerator(config)

    assert "overrides[0]" in str(caught.value)
    assert "what is there: cpu" in str(caught.value)


@pytest.mark.usefixtures("bare")
def test_what_either_kind_of_gpu_has_is_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)

    check_accelerator(Experiment.compile(overrides=["trainer.accelerator=gpu"]))


@pytest.mark.usefixtures("bare")
def test_nothing_is_made_for_an_accelerator_that_is_not_there(tiny: type[Experiment], tmp_path: Path) -> None:
    runner = Runner(tiny.compile(overrides=["trainer.accelerator=gpu"]))

    with pytest.raises(RunError, match=r"trainer\.accelerator is gpu"):
        runner.fit()

    assert not list(tmp_path.glob("experiments"))
