"""The finished configuration: reading, equality, freezing, pickling."""

import copy
import json
import pickle
import subprocess
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import SecretStr

from typedcfg import AddedIn, Config, ConfigTemplate, Kind, NotInIdentity, RenamedFrom, derived, section
from typedcfg.errors import ConfigError, Frozen, MissingKey


class Precision(Enum):
    HIGH = "high"
    LOW = "low"


class Layer(ConfigTemplate):
    width: int = 8
    label: Annotated[str, NotInIdentity()] = ""


class Twin(ConfigTemplate):
    width: int = 8
    label: Annotated[str, NotInIdentity()] = ""


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = derived(lambda c: c.parent.layer.width / 100)
    betas: tuple[float, float] = (0.9, 0.999)


class Params(ConfigTemplate):
    layer: Layer
    optimizer: AdamW | Sgd = section(AdamW)
    layers: list[Layer] = [Layer(), Layer(width=2)]
    groups: dict[str, Layer] = {"a.b": Layer(width=3)}
    strides: list[int] = [2, 4]
    rates: dict[str, list[float]] = {"x": [1.0]}
    option: Layer | None = None
    folder: Path = Path("data")
    precision: Precision = Precision.HIGH
    any: Any = None
    token: SecretStr = SecretStr("hunter2")


def compiled(**overrides: Any) -> Config[Params]:
    return Params.compile(overrides=overrides)


# --- reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("layer.width", 8),
        ("optimizer.kind", "adamw"),
        ("optimizer.lr", 0.08),
        ("layers[1].width", 2),
        ("layers[-1].width", 2),
        ('groups["a.b"].width', 3),
        ("groups['a.b'].width", 3),
        ("strides[1]", 4),
        ("rates.x[0]", 1.0),
        ("option", None),
    ],
)
def test_an_item_is_the_value_at_a_key_path(key: str, value: object) -> None:
    config = compiled()

    assert config[key] == value
    assert config.get(key) == value
    assert key in config


@pytest.mark.parametrize(
    ("key", "suggestion"),
    [
        ("layer.with", "layer.width"),
        ("optimiser", "optimizer"),
        ("optimizer.momentum", None),
        ("layers[7].width", None),
        ('groups["a.c"].width', 'groups["a.b"]'),
        ("layer.width.x", None),
        ("option.width", None),
    ],
)
def test_a_missing_key_is_an_error_with_a_suggestion(key: str, suggestion: str | None) -> None:
    config = compiled()

    with pytest.raises(MissingKey) as caught:
        config[key]

    assert caught.value.problems[0].what == f"there is no key {key!r}"
    assert caught.value.problems[0].suggestion == suggestion
    assert isinstance(caught.value, KeyError)
    assert config.get(key, 7) == 7
    assert key not in config


@pytest.mark.parametrize("key", ["", "a b", "a..b", "a[", "a[-0]", "a[01]", f"a[{'9' * 5000}]"])
def test_what_is_no_key_path_is_a_missing_key(key: str) -> None:
    with pytest.raises(MissingKey, match="is not a key path"):
        compiled()[key]


def test_a_text_has_no_items() -> None:
    class Named(ConfigTemplate):
        name: str = "wide"

    with pytest.raises(MissingKey, match=r"there is no key 'name\[0\]'"):
        Named.compile()["name[0]"]


@pytest.mark.parametrize("key", [3, None, b"layer", ("layer",)])
def test_what_is_no_text_is_a_missing_key(key: object) -> None:
    with pytest.raises(MissingKey) as caught:
        compiled()[key]  # type: ignore[index]  # what is refused

    assert caught.value.problems[0].what == f"{key!r} is no text"
    assert "a key path: loader.batch_size" in caught.value.problems[0].expected


def test_an_attribute_is_the_same_value_or_a_verb() -> None:
    config = compiled()

    assert config.layer.width == config["layer"]["width"] == config["layer.width"] == config.params.layer.width
    assert callable(config.plain)
    with pytest.raises(AttributeError, match="Params has no key 'layr'; did you mean 'layer'"):
        config.layr  # noqa: B018  # reading it is the test


def test_a_configuration_is_not_made_by_hand() -> None:
    with pytest.raises(ConfigError, match=r"is compiled(.|\n)*Config\.from_dict"):
        Config({"a": 1})  # type: ignore[type-var]  # which is the point


def test_nodes_are_made_once() -> None:
    config = compiled()

    assert config.layer is config.layer
    assert config.layer is config["layer"]
    assert config.layer is config["layer"] is config.get("layer")


def test_a_node_of_a_list_or_mapping_is_a_configuration() -> None:
    node = compiled()["layers[1]"]

    assert isinstance(node, Config)
    assert node.params == Layer(width=2)
    assert node.explain("width") == compiled().explain("layers[1].width")


def test_a_configuration_is_a_mapping_of_its_fields() -> None:
    config = compiled()

    assert isinstance(config, Mapping)
    assert list(config) == list(Params.model_fields)
    assert len(config) == len(Params.model_fields)
    assert dict(**config["layer"]) == {"width": 8, "label": ""}
    assert dict(config["optimizer"].items())["lr"] == 0.08
    assert "nope" not in config


# --- equality -------------------------------------------------------------------------------------------------------


def test_equal_values_make_equal_configurations_with_one_hash() -> None:
    one, other = compiled(strides=[1]), Params.compile(overrides=["strides=[1]"])

    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other}) == 1
    assert one != compiled(strides=[2])
    assert one != {"strides": [1]}


def test_values_of_different_types_differ() -> None:
    values = [compiled(any=value) for value in (1, 1.0, True, "1", None, [1], [1.0])]

    assert len(set(values)) == len(values)


def test_nan_equals_nan() -> None:
    assert compiled(any=float("nan")) == compiled(any=float("nan"))
    assert compiled(any=0.0) != compiled(any=-0.0)


def test_secrets_count_as_they_do_in_a_diff() -> None:
    assert compiled(token="a") == compiled(token="a")
    assert compiled(token="a") != compiled(token="b")
    assert hash(compiled(token="a")) == hash(compiled(token="b"))


def test_equality_looks_at_more_than_identity() -> None:
    one, other = compiled(), compiled(**{"layer.label": "x"})

    assert one != other
    assert one.fingerprint == other.fingerprint


def test_a_section_is_no_whole_configuration_of_the_same_values() -> None:
    assert compiled()["layer"] == Layer().to_config()
    assert compiled()["layer"] != compiled()["layers[1]"]
    assert compiled()["layer"] != Layer(width=9).to_config()
    assert compiled()["layer"] != Twin().to_config()


# --- freezing -------------------------------------------------------------------------------------------------------


def test_nothing_can_be_assigned_or_deleted() -> None:
    config = compiled()

    nodes: list[Any] = [config.layer, config.params.layer]
    for node in nodes:
        with pytest.raises(Frozen):
            node.width = 1
        with pytest.raises(Frozen):
            del node.width
        with pytest.raises(TypeError):
            node["width"] = 1


def test_containers_are_frozen_at_every_depth() -> None:
    params = compiled(any={"deep": [{"x": [1]}]}).params

    for change in (
        lambda: params.strides.append(1),
        lambda: params.rates["x"].append(1),
        lambda: params.rates.update(y=[]),
        params.layers.pop,
        params.groups.clear,
        lambda: params.any["deep"][0]["x"].append(2),
    ):
        with pytest.raises(Frozen):
            change()


def test_what_was_given_stays_the_givers() -> None:
    given: dict[str, Any] = {"deep": [1]}
    config = compiled(any=given)

    given["deep"].append(2)

    assert config["any"] == {"deep": [1]}


def test_a_copy_is_the_configuration_itself() -> None:
    config = compiled()

    assert copy.copy(config) is config
    assert copy.deepcopy(config) is config
    assert copy.deepcopy({"x": config})["x"] is config


# --- pickling -------------------------------------------------------------------------------------------------------


def test_a_pickled_configuration_is_whole() -> None:
    config = Params.compile(overrides=["optimizer.betas[0]=0.5", "any=${layer.width}", "token=swordfish"])

    twin = pickle.loads(pickle.dumps(config))

    assert twin == config
    assert twin.params.token.get_secret_value() == "swordfish"
    assert twin.fingerprint == config.fingerprint
    assert [twin.explain(key) for key in ("any", "optimizer.lr", "optimizer.betas[0]", "")] == [
        config.explain(key) for key in ("any", "optimizer.lr", "optimizer.betas[0]", "")
    ]
    assert pickle.loads(pickle.dumps(config["layers[1]"])).explain("width") == config.explain("layers[1].width")


def test_a_configuration_goes_to_another_process(tmp_path: Path) -> None:
    module = (
        "from typedcfg import ConfigTemplate, derived\n"
        "class Params(ConfigTemplate):\n"
        "    a: int = 1\n"
        "    b: int = derived(lambda c: c.a + 1)\n"
    )
    (tmp_path / "params.py").write_text(module, encoding="utf-8")
    give = "import params, pickle, sys; pickle.dump(params.Params.compile(overrides=['a=5']), sys.stdout.buffer)"
    take = (
        "import pickle, sys; c = pickle.load(sys.stdin.buffer); print(c.fingerprint, c.b, hash(c) != 0, c.explain('b'))"
    )

    def run(code: str, given: bytes = b"", seed: str = "0") -> bytes:
        command = [sys.executable, "-c", code]
        environment = {"PYTHONHASHSEED": seed}
        return subprocess.run(
            command, input=given, cwd=tmp_path, env=environment, capture_output=True, check=True
        ).stdout

    told = {run(take, run(give, seed="1"), seed=seed) for seed in ("1", "2")}

    assert len(told) == 1
    assert b" 6 True b = 6" in told.pop()


# --- printing -------------------------------------------------------------------------------------------------------


def test_a_repr_shows_values_and_no_secret() -> None:
    text = repr(compiled(token="swordfish")["layer"]) + repr(compiled(token="swordfish"))

    assert text.startswith("Config[Layer](width=8, label='')Config[Params](layer=Layer(width=8, label='')")
    assert "swordfish" not in text


def test_no_output_holds_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text("token: swordfish", encoding="utf-8")
    config = Params.compile("base.yaml", overrides=["token=trout"])
    outputs = [
        config.explain(),
        config.explain("token"),
        repr(config),
        str(config.plain()),
        json.dumps(config.plain()),
        config.to_yaml(),
        config.to_yaml(origins=True),
        config.origin("token"),
        str(config.notes),
        str(config.diff(compiled(token="x"))),
        str(config.fingerprint),
    ]

    assert not [output for output in outputs if "swordfish" in output or "trout" in output]


# --- identity -------------------------------------------------------------------------------------------------------


def test_reading_never_changes_a_fingerprint() -> None:
    config, untouched = compiled(), compiled()

    config.get("nope")
    config.explain("optimizer.lr")
    _ = (config.plain(), repr(config), config.layer.width, dict(config), hash(config), config.params.model_dump())

    assert config.fingerprint == untouched.fingerprint


def test_a_section_has_a_fingerprint_of_its_own() -> None:
    one, other = compiled(), compiled(strides=[9])

    assert one.fingerprint != other.fingerprint
    assert one["layer"].fingerprint == other["layer"].fingerprint == Layer().to_config().fingerprint


class Before(ConfigTemplate):
    class Model(ConfigTemplate):
        kind: Literal["mlp"] = "mlp"
        width: int = 8

    model: Model = section(Model)
    lr: float = 0.1


class After(ConfigTemplate):
    class Net(ConfigTemplate):
        kind: Annotated[Literal["net"], Kind(renamed_from="mlp")] = "net"
        size: Annotated[int, RenamedFrom("width")] = 8
        bias: Annotated[bool, AddedIn(was=False)] = False

    class Optimizer(ConfigTemplate):
        rate: Annotated[float, RenamedFrom("lr")] = 0.1

    net: Annotated[Net, RenamedFrom("model")] = section(Net)
    learning_rate: Annotated[float, RenamedFrom("lr")] = 0.1
    extra: Annotated[Layer | None, AddedIn(was=None)] = None


def test_renaming_and_adding_keep_the_fingerprint() -> None:
    assert After.compile().fingerprint == Before.compile().fingerprint
    assert (
        After.compile(overrides={"net.size": 9}).fingerprint == Before.compile(overrides={"model.width": 9}).fingerprint
    )


@pytest.mark.parametrize("override", [{"net.bias": True}, {"extra": {}}, {"net.size": 9}, {"learning_rate": 1.0}])
def test_what_differs_from_before_shows(override: dict[str, Any]) -> None:
    assert After.compile(overrides=override).fingerprint != Before.compile().fingerprint


def test_a_changed_default_shows() -> None:
    def with_default(width: int) -> type[ConfigTemplate]:
        class Root(ConfigTemplate):
            size: int = width

        return Root

    assert with_default(1).compile().fingerprint != with_default(2).compile().fingerprint
    assert with_default(1).compile(overrides=["size=2"]).fingerprint == with_default(2).compile().fingerprint


def test_a_field_that_moved_keeps_its_place_in_the_identity() -> None:
    class Old(ConfigTemplate):
        class Train(ConfigTemplate):
            lr: float = 0.1

        train: Train

    class New(ConfigTemplate):
        class Optimizer(ConfigTemplate):
            rate: Annotated[float, RenamedFrom("train.lr")] = 0.1

        optimizer: Optimizer

    assert New.compile().fingerprint == Old.compile().fingerprint


def test_a_saved_configuration_is_read_back(tmp_path: Path) -> None:
    config = compiled(strides=[1], any={"x": [1.0, None, "$${y}"], "$own": {"$$": 1}}, optimizer=Sgd(lr=3))
    file = tmp_path / "run.yaml"
    file.write_text(config.to_yaml(), encoding="utf-8")

    assert Params.load(file) == config


def test_a_field_that_is_assigned_is_named_by_its_whole_key() -> None:
    config: Any = compiled()

    with pytest.raises(Frozen, match=r"^layer\.width cannot be assigned(.|\n)*config.unlock\(\)"):
        config.layer.width = 1
