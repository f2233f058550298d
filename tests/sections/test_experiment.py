import pytest

from typedcfg import ConfigTemplate, Experiment, section
from typedcfg.errors import ConfigError, TemplateError
from typedcfg.sections.launch import AutoLaunch, TorchrunLaunch
from typedcfg.sections.run import Run
from typedcfg.sections.trainer import Trainer


class Digits(Experiment):
    lr: float = 0.1


def test_an_experiment_needs_no_setting() -> None:
    config = Digits.compile()

    assert list(config) == ["run", "trainer", "checkpoint", "launch", "logging", "lr"]
    assert config.params.launch == AutoLaunch()


def test_a_launcher_is_chosen_by_its_kind() -> None:
    config = Digits.compile(overrides=["launch=torchrun", "launch.threads=2"])

    assert config.params.launch == TorchrunLaunch(threads=2)


def test_shards_in_the_background_are_refused() -> None:
    with pytest.raises(ConfigError, match="fsdp saves while the training waits"):
        Digits.compile(overrides=["trainer.strategy=fsdp", "checkpoint.asynchronous=true"])


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


class Other(ConfigTemplate):
    seed: int = 0


@pytest.mark.parametrize("type_", [str, Other, Run | None, Run | Other])
def test_a_built_in_section_stays_one_that_the_runner_reads(type_: object) -> None:
    with pytest.raises(TemplateError, match=r"Mine makes 'run' a (.|\n)*expected +Run, or a class derived from it"):
        type("Mine", (Experiment,), {"__annotations__": {"run": type_}, "run": None})


def test_a_built_in_section_may_be_derived_from() -> None:
    class LongTrainer(Trainer):
        warmup: int = 5

    class Mine(Experiment):
        trainer: LongTrainer = section(LongTrainer, max_epochs=100)
        launch: TorchrunLaunch = section(TorchrunLaunch)

    assert Mine.compile().plain()["trainer"]["max_epochs"] == 100
