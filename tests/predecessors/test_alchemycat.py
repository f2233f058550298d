"""What a configuration of AlchemyCat can do, and how it is done here: a test for each row of the table."""

import json
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from typedcfg import Config, ConfigError, ConfigTemplate, View, derived, section
from typedcfg.errors import Frozen, Pending, TemplateError

Write = Callable[..., None]


class Loader(ConfigTemplate):
    batch_size: int = 128
    workers: int = derived(lambda c: c.root.devices * 2)


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.9

    def build(self, weights: list[float]) -> dict[str, Any]:
        return {"weights": weights, **self.arguments()}


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = 0.001


class Layer(ConfigTemplate):
    width: int = 32


class Params(ConfigTemplate):
    devices: int = 1
    loader: Loader
    optimizer: AdamW | Sgd = section(AdamW)
    layers: list[Layer] = [Layer()]
    free: dict[str, Any] = {}


def compiled(*overrides: str) -> Config[Params]:
    return Params.compile(overrides=overrides)


# --- the configuration as an object ---------------------------------------------------------------------------------


def test_what_is_assigned_was_declared() -> None:
    draft = Params.compile().unlock()

    draft.loader.batch_size = 256
    with pytest.raises(ConfigError, match=r"unknown key 'loader\.batchsize'(.|\n)*did you mean  loader\.batch_size"):
        draft.loader.batchsize = 512

    assert draft.lock()["loader"].plain() == {"batch_size": 256, "workers": 2}


def test_a_file_names_a_kind_and_never_a_class(write: Write) -> None:
    write(good="optimizer: {kind: sgd, lr: 0.5}", bad="optimizer: {kind: torch.optim.SGD}")

    optimizer = Params.compile("good.yaml").params.optimizer

    assert isinstance(optimizer, Sgd)
    assert optimizer.build([1.0]) == {"weights": [1.0], "lr": 0.5, "momentum": 0.9}
    with pytest.raises(ConfigError, match=r"'torch\.optim\.SGD'(.|\n)*at            bad\.yaml:1:13"):
        Params.compile("bad.yaml")


def test_a_section_is_a_mapping() -> None:
    loader = compiled("devices=2")["loader"]

    assert isinstance(loader, Mapping)
    assert dict(**loader) == {"batch_size": 128, "workers": 4}
    assert list(loader.items()) == [("batch_size", 128), ("workers", 4)]


def test_the_whole_is_given_as_plain_values() -> None:
    plain = compiled("devices=2", "free.a=[1]").plain()

    assert type(plain["free"]) is dict
    assert type(plain["free"]["a"]) is list
    assert plain["loader"] == {"batch_size": 128, "workers": 4}


def test_mappings_in_code_stand_below_files(write: Write) -> None:
    write(file="devices: 8")
    presets: list[dict[str, object]] = [{"devices": 2, "loader": {"batch_size": 1}}, {"loader": {"batch_size": 3}}]

    config = Params.compile("file.yaml", presets=presets)

    assert (config.devices, config.loader.batch_size) == (8, 3)


def test_a_key_that_may_be_missing_is_asked_for() -> None:
    config = compiled()

    assert (config.get("loader.nope"), config.get("loader.nope", 7), config.get("devices")) == (None, 7, 1)
    assert ("loader.nope" in config, "loader.batch_size" in config) == (False, True)
    assert (hasattr(config, "nope"), hasattr(config.loader, "batch_size")) == (False, True)


def test_a_file_is_compiled_in_one_step(write: Write) -> None:
    write(file="devices: 2\noptimizer: {lr: '${devices / 4}'}")

    config = Params.compile("file.yaml")

    assert (config.optimizer.lr, config.loader.workers) == (0.5, 4)
    with pytest.raises(Frozen):
        config.devices = 3


def test_an_unlocked_configuration_stays_as_it_was() -> None:
    config = compiled()
    draft = config.unlock()

    draft.devices = 4

    assert (draft.lock()["loader.workers"], config["loader.workers"]) == (8, 2)


@pytest.mark.parametrize("name", ["items", "keys", "get", "merge", "unlock", "root", "parent"])
def test_the_name_of_a_verb_is_no_field_but_may_be_a_key(name: str) -> None:
    with pytest.raises(TemplateError, match=f"'{name}' is the name of something that every configuration has"):
        type("Shadowing", (ConfigTemplate,), {"__annotations__": {name: int}, "__module__": __name__})

    assert compiled(f"free.{name}=3")[f"free.{name}"] == 3


def test_what_is_taken_away_goes_back_to_its_default() -> None:
    draft = compiled("loader.batch_size=256", "loader.workers=0").unlock()

    del draft.loader.workers

    assert draft.lock()["loader"].plain() == {"batch_size": 256, "workers": 2}
    assert compiled("loader.batch_size=256", "~loader.batch_size").loader.batch_size == 128


# --- the tree -------------------------------------------------------------------------------------------------------


def test_a_formula_climbs_to_its_parent_and_to_the_root() -> None:
    class Inner(ConfigTemplate):
        beside: int = 1
        sums: list[int] = derived(lambda c: [c.beside, c.parent.beside, c.root.beside])

    class Outer(ConfigTemplate):
        beside: int = 10
        inner: Inner

    class Root(ConfigTemplate):
        beside: int = 100
        outer: Outer

    assert Root.compile().params.outer.inner.sums == [1, 10, 100]


def test_sections_are_walked_from_the_top() -> None:
    config = compiled("layers=[{}, {width: 64}]")

    walked = {key: part.plain() for key, part in config.walk() if key.startswith("layers")}

    assert [key for key, _ in config.walk()] == ["", "loader", "optimizer", "layers[0]", "layers[1]"]
    assert walked == {"layers[0]": {"width": 32}, "layers[1]": {"width": 64}}


def test_leaves_are_listed_with_their_key_paths() -> None:
    leaves = dict(compiled("layers=[{width: 64}]").leaves())

    assert leaves["layers[0].width"] == 64
    assert leaves["loader.workers"] == 2
    assert list(leaves)[:3] == ["devices", "loader.batch_size", "loader.workers"]


def test_a_configuration_is_shown_as_text_that_compiles_again(write: Write) -> None:
    config = compiled("devices=2", "optimizer=sgd")

    text = config.to_yaml(origins=True)
    write(again=text)

    assert "workers: 4       # derived: devices * 2  <- overrides[0]" in text
    assert Params.compile("again.yaml") == config


def test_any_text_is_a_key_of_a_mapping(write: Write) -> None:
    keys = ["Invalid Attribute Name", "backbone.0", "it's", "on", "1", ""]
    write(file=json.dumps({"free": {key: [key] for key in keys}}))

    config = Params.compile("file.yaml", overrides=['free["backbone.0"]=changed'])

    assert config['free["Invalid Attribute Name"][0]'] == "Invalid Attribute Name"
    assert config['free["backbone.0"]'] == "changed"
    assert list(config["free"]) == keys


def test_an_item_of_a_list_is_a_section() -> None:
    config = compiled("layers=[{}, {}]", "layers[1].width=64")

    assert (config.layers[1].width, config["layers[1].width"], config["layers[0]"].width) == (64, 64, 32)


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".yaml", ".yml", ".json", ".toml"])
def test_the_suffix_says_the_format(tmp_path: Path, suffix: str) -> None:
    texts = {".toml": "devices = 2\n", ".json": '{"devices": 2}', ".yaml": "devices: 2", ".yml": "devices: 2"}
    file = tmp_path / f"study{suffix}"
    file.write_text(texts[suffix])

    assert Params.compile(file).devices == 2
    with pytest.raises(ConfigError, match="no file"):
        Params.compile(tmp_path / "study")


def test_a_file_is_converted_by_loading_and_saving(write: Write) -> None:
    write(study="devices: 2\nlayers: [{width: 1.0e+1}]")
    config = Params.compile("study.yaml")

    config.save("study.json")
    Params.load("study.json").save("study.toml")

    assert Params.load("study.toml") == config
    assert json.loads(Path("study.json").read_text())["layers"] == [{"width": 10}]


def test_a_path_may_have_dots(tmp_path: Path) -> None:
    folder = tmp_path / "v1.2" / "run.a"
    folder.mkdir(parents=True)
    (folder / "base.v1.yaml").write_text("devices: 4")
    (folder / "wide.v1.yaml").write_text("$extends: base.v1.yaml")

    assert Params.compile(folder / "wide.v1.yaml").devices == 4


# --- formulas -------------------------------------------------------------------------------------------------------


def warmup(c: View["Study"]) -> int:
    return round(0.1 * c.root.epochs)


class Study(ConfigTemplate):
    epochs: int = 30
    warmup: int = derived(warmup)
    rest: int = derived(lambda c: c.epochs - c.warmup)


def test_a_formula_may_be_a_function_that_a_type_checker_follows() -> None:
    config = Study.compile(overrides=["epochs=50"])

    assert (config.params.warmup, config.params.rest) == (5, 45)
    assert "derived: warmup(c)" in config.explain("warmup")


def test_a_formula_has_no_value_before_it_is_evaluated() -> None:
    study = Study(epochs=50)

    with pytest.raises(Pending, match=r"Study\.rest is derived, and not evaluated yet"):
        _ = study.rest

    assert study.to_config().params.rest == 45


def test_a_configuration_with_formulas_can_be_pickled() -> None:
    config = Study.compile(overrides=["epochs=50"])

    other = pickle.loads(pickle.dumps(config))

    assert (other, other.params.rest) == (config, 45)
    assert other.explain("rest") == config.explain("rest")


def test_a_section_gives_the_arguments_of_what_it_builds() -> None:
    optimizer = compiled("optimizer=sgd", "optimizer.lr=0.5").params.optimizer

    assert optimizer.arguments() == {"lr": 0.5, "momentum": 0.9}
    assert optimizer.arguments("momentum") == {"lr": 0.5}
