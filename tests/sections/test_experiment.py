import pytest

from typedcfg import Experiment
from typedcfg.errors import TemplateError
from typedcfg.sections.launch import AutoLaunch, TorchrunLaunch


class Digits(Experiment):
    lr: float = 0.1


def test_an_experiment_needs_no_setting() -> None:
    config = Digits.compile()

    assert list(config) == ["run", "trainer", "checkpoint", "launch", "logging", "lr"]
    assert config.params.launch == AutoLaunch()


def test_a_launcher_is_chosen_by_its_kind() -> None:
    config = Digits.compile(overrides=["launch=torchrun", "launch.threads=2"])

    assert config.params.launch == TorchrunLaunch(threads=2)


@pytest.mark.parametrize("builder", ["build_model", "build_data"])
def test_an_experiment_without_a_builder_says_which(builder: str) -> None:
    with pytest.raises(TemplateError, match=f"Digits does not define {builder}"):
        getattr(Digits.compile().params, builder)()


@pytest.mark.parametrize(
    "override",
    [
        "run.run_name=wide",
        "run.project_root=x",
        "run.score.mode=max",
        "checkpoint.save_interval=3",
        "launch=in_process",
    ],
)
def test_what_bears_on_no_weight_makes_no_other_run(override: str) -> None:
    assert Digits.compile(overrides=[override]).fingerprint == Digits.compile().fingerprint


@pytest.mark.parametrize("override", ["run.seed=1", "trainer.max_epochs=3", "trainer.precision=bf16-mixed", "lr=1"])
def test_what_bears_on_weights_makes_another_run(override: str) -> None:
    assert Digits.compile(overrides=[override]).fingerprint != Digits.compile().fingerprint
