"""What is written for Hydra, OmegaConf, LightningCLI, jsonargparse or argparse, and what is written here instead."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import pytest
from annotated_types import Gt

from typedcfg import Config, ConfigError, ConfigTemplate, Experiment, derived, main, section

Write = Callable[..., None]


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.9


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = 0.001


class Data(ConfigTemplate):
    batch_size: Annotated[int, Gt(0)] = 128
    path: str


class Model(ConfigTemplate):
    width: int = 32
    batch_size: int = derived(lambda c: c.root.data.batch_size)


class Params(ConfigTemplate):
    data: Data = section(Data, path="data")
    model: Model
    optimizer: AdamW | Sgd = section(AdamW)
    mode: Literal["min", "max"] = "min"
    """Whether less is better."""
    amp: bool = False
    sizes: list[int] = []


class Study(Experiment):
    lr: float = 0.1


def compiled(*overrides: str) -> Config[Params]:
    return Params.compile(overrides=overrides)


# --- Hydra and OmegaConf --------------------------------------------------------------------------------------------


def test_a_defaults_list_is_what_a_file_extends_and_mounts(write: Write) -> None:
    write(
        base="amp: true\nmode: max",
        sgd="kind: sgd\nmomentum: 0.8",
        config="$extends: base.yaml\noptimizer: {$extends: sgd.yaml}\nmode: min",
    )

    config = Params.compile("config.yaml")

    assert (config.params.optimizer, config.amp, config.mode) == (Sgd(momentum=0.8), True, "min")


@pytest.mark.parametrize("form", ["+mode=max", "++mode=max"])
def test_a_key_is_set_as_it_stands(form: str) -> None:
    assert compiled("mode=max").mode == "max"
    with pytest.raises(ConfigError, match=r"drop the \+"):
        compiled(form)


def test_a_key_that_is_taken_back_has_its_default() -> None:
    assert compiled("model.width=64", "~model.width").model.width == 32


def test_a_choice_on_the_command_line_is_a_kind() -> None:
    assert compiled("optimizer=sgd", "optimizer.momentum=0.8").params.optimizer == Sgd(momentum=0.8)


def test_a_file_of_a_group_is_named_or_mounted(write: Write) -> None:
    write(config="amp: true", named="optimizer: {kind: sgd, lr: 0.3}")
    write(part="kind: sgd\nlr: 0.3", mounting="$extends: config.yaml\noptimizer: {$extends: part.yaml}")

    named = Params.compile("config.yaml", "named.yaml")

    assert (named.params.optimizer, named.amp) == (Sgd(lr=0.3), True)
    assert Params.compile("mounting.yaml") == named


def test_a_reference_begins_at_the_top_beside_or_one_section_up() -> None:
    config = compiled("model.width=${data.batch_size}", "data.path=${parent.mode}-${here.batch_size}")

    assert (config.model.width, config.data.path) == (128, "min-128")


def test_where_runs_lie_makes_no_other_run() -> None:
    config = Study.compile(overrides=["run.project_root=elsewhere"])

    assert config.run.project_root == Path("elsewhere")
    assert config.fingerprint == Study.compile().fingerprint


def test_each_value_of_a_loop_is_a_run_of_its_own() -> None:
    assert len({Study.compile(overrides={"lr": lr}).fingerprint for lr in (0.1, 0.2)}) == 2
    with pytest.raises(ConfigError, match=r"lr = '0\.1,0\.2' is wrong"):
        Study.compile(overrides=["lr=0.1,0.2"])


def test_what_must_be_given_has_no_default() -> None:
    class Given(ConfigTemplate):
        data: Data

    with pytest.raises(ConfigError, match=r"data\.path is required"):
        Given.compile()


def test_a_variable_is_read_where_an_expression_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_ROOT", "/mnt")

    assert compiled('data.path=${env("DATA_ROOT")}/digits', "sizes=[]").data.path == "/mnt/digits"
    assert compiled("data.path=${env('NO_SUCH_ROOT', 'here')}").data.path == "here"


def test_configurations_are_merged_as_settings() -> None:
    merged = compiled("data.batch_size=64").merge(compiled("optimizer=sgd"))

    assert (merged.model.batch_size, merged.optimizer.kind) == (64, "sgd")


def test_a_file_may_be_shown_resolved(write: Write) -> None:
    write(config="model: {width: '${data.batch_size * 2}'}")

    assert Params.compile("config.yaml").plain()["model"] == {"width": 256, "batch_size": 128}


# --- LightningCLI and jsonargparse ----------------------------------------------------------------------------------


def test_a_class_path_with_its_arguments_is_a_kind_with_its_keys(write: Write) -> None:
    write(config="optimizer: {kind: sgd, lr: 0.2}")

    assert Params.compile("config.yaml").params.optimizer.arguments() == {"lr": 0.2, "momentum": 0.9}


def test_linked_arguments_are_a_formula_or_a_reference() -> None:
    assert compiled("data.batch_size=64").model.batch_size == 64
    assert compiled("data.batch_size=64", "model.width=${data.batch_size}").model.width == 64


def test_defaults_of_a_script_are_presets(write: Write) -> None:
    write(config="amp: false")

    config = Params.compile("config.yaml", presets=[{"amp": True, "model": {"width": 8}}])

    assert (config.amp, config.model.width) == (False, 8)


def test_variables_are_read_with_a_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDY__DATA__BATCH_SIZE", "64")

    assert Params.compile(env_prefix="STUDY__").data.batch_size == 64
    assert Params.compile().data.batch_size == 128


def test_the_command_line_shows_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(Params, arguments=["show", "--model.width=64"])

    assert "width: 64" in capsys.readouterr().out


# --- YAML and argparse ----------------------------------------------------------------------------------------------


def test_an_argument_is_a_field(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["train.py", "check", "mode=mean", "data.batch_size=0"])

    with pytest.raises(SystemExit) as ended:
        main(Params)

    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert "mode = 'mean' is wrong" in told
    assert "data.batch_size = 0 is wrong" in told
    assert "Whether less is better." in Params.help(key="mode")


def test_a_file_stands_below_the_arguments_beside_it(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(base="model: {width: 64}\ndata: {batch_size: 32}")

    with pytest.raises(SystemExit):
        main(Params, arguments=["show", "model.width=16", "base.yaml", "--format", "yaml"])

    shown = capsys.readouterr().out
    assert "width: 16" in shown
    assert "batch_size: 32" in shown


def test_flags_and_lists_are_values() -> None:
    config = compiled("amp=true", "sizes=[1, 2]", "sizes+=3")

    assert (config.amp, config.sizes) == (True, [1, 2, 3])


def test_values_are_read_by_attribute_and_known_to_a_type_checker() -> None:
    params = compiled().params

    batch_size: int = params.data.batch_size
    assert batch_size == 128
    assert "batch_size" in Data.__annotations__


def test_a_number_in_a_file_is_a_number(write: Write) -> None:
    write(file="optimizer: {lr: 1e-3, kind: sgd, momentum: 1}")

    optimizer = Params.compile("file.yaml").params.optimizer

    assert optimizer == Sgd(lr=0.001, momentum=1.0)
