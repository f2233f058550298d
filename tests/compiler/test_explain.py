"""Why a value is what it is, as text that people read."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import SecretStr
from syrupy.assertion import SnapshotAssertion

from typedcfg import Config, ConfigTemplate, RenamedFrom, Unit, derived, section
from typedcfg.errors import MissingKey


class Loader(ConfigTemplate):
    batch_size: Annotated[int, Unit("samples")] = 128
    token: SecretStr = SecretStr("hunter2")


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.0
    token: Annotated[SecretStr, RenamedFrom("pw")] = SecretStr("hunter2")


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = derived(lambda c: c.root.loader.batch_size / 128 * c.root.base_lr)
    betas: tuple[float, float] = (0.9, 0.999)


class Layer(ConfigTemplate):
    width: int = 8


class Params(ConfigTemplate):
    base_lr: float = 0.01
    loader: Loader
    optimizer: AdamW | Sgd = section(AdamW)
    layers: list[Layer] = [Layer(), Layer(width=2)]
    rates: dict[str, float] = {"head": 0.5}
    first: Layer = section(Layer, width=3)
    second: Layer
    name: str = "run"
    password: SecretStr | None = None
    epochs: int = derived(lambda c: c.loader.batch_size)
    option: Layer | None = None


@pytest.fixture
def config(write: Callable[..., None]) -> Config[Params]:
    write(
        patch="optimizer: {lr: 0.3, betas: [0.8, 0.99]}\nloader: {batch_size: 64}",
        base="loader:\n  batch_size: 256\nname: bs-${loader.batch_size}\nrates: {neck: 0.25}",
        wide="$extends: patch.yaml\nlayers:\n- width: 64\n- {width: 128}\nsecond: ${first}",
    )
    overrides = [
        *("loader.batch_size=512", "loader.batch_size=1024", "layers[1].width=256", "rates.tail=${rates.neck}"),
        *("password=Bearer ${loader.token}", "loader.token=swordfish", "~optimizer.betas", "optimizer.betas[1]=0.5"),
    ]
    return Params.compile("base.yaml", "wide.yaml", overrides=overrides)


def told(config: Config[Any], key: str) -> str:
    """An explanation in which this file has the same name wherever the tests lie."""
    return config.explain(key).replace(__file__, "test_explain.py")


@pytest.mark.parametrize(
    "key",
    [
        "base_lr",
        "loader.batch_size",
        "loader.token",
        "optimizer.lr",
        "optimizer.kind",
        "optimizer.betas",
        "optimizer.betas[0]",
        "optimizer.betas[1]",
        "layers",
        "layers[0].width",
        "layers[1].width",
        "layers[-1].width",
        "rates",
        "rates.head",
        "rates.neck",
        "rates.tail",
        "first.width",
        "second.width",
        "name",
        "password",
        "epochs",
        "option",
        "loader",
        "optimizer",
        "",
    ],
)
def test_an_explanation_reads(key: str, config: Config[Params], snapshot: SnapshotAssertion) -> None:
    assert told(config, key) == snapshot


def test_a_formula_is_told_with_what_it_read_and_where(write: Callable[..., None], snapshot: SnapshotAssertion) -> None:
    write(base="loader: {batch_size: 256}")

    assert told(Params.compile("base.yaml"), "optimizer.lr") == snapshot


@pytest.mark.parametrize(
    "key", ["optimizer.lr", "optimizer.momentum", "optimizer.betas", "optimizer.kind", "optimizer"]
)
def test_settings_of_another_kind_are_told(key: str, write: Callable[..., None], snapshot: SnapshotAssertion) -> None:
    write(base="optimizer: {kind: sgd, lr: 0.3, momentum: 0.9}", wide="optimizer: {kind: adamw, lr: 0.4}")

    assert told(Params.compile("base.yaml", "wide.yaml"), key) == snapshot


def test_a_secret_that_went_with_its_kind_is_not_shown(write: Callable[..., None]) -> None:
    write(base="optimizer: {kind: sgd, token: swordfish}", wide="optimizer: {kind: adamw}")
    write(old="optimizer: {kind: sgd, pw: swordfish}")
    config = Params.compile("base.yaml", "old.yaml", "wide.yaml")

    texts = [config.explain(key) for key in ("optimizer.token", "optimizer.pw", "optimizer", "")]

    assert not [text for text in texts if "swordfish" in text]
    assert "a secret, not shown" in texts[0]


@pytest.mark.parametrize(
    ("key", "suggestion"),
    [
        ("loader.batch_sice", "loader.batch_size"),
        ("optimizer.momentum", None),
        ("rates.heat", "rates"),
        ("layers[7].width", "layers[1].width"),
        ("name.x", None),
    ],
)
def test_a_key_that_nobody_ever_set_is_missing(key: str, suggestion: str | None) -> None:
    with pytest.raises(MissingKey) as caught:
        Params.compile().explain(key)

    assert caught.value.problems[0].what == f"there is no key {key!r}"
    if suggestion:
        assert caught.value.problems[0].suggestion == suggestion


def test_a_key_of_another_kind_is_told_with_that_kind() -> None:
    with pytest.raises(MissingKey) as caught:
        Params.compile(overrides=["optimizer=sgd"]).explain("optimizer.betas")

    assert caught.value.problems[0].fix == "it is a key of kind adamw: optimizer=adamw"
    assert caught.value.problems[0].suggestion is None


def test_a_key_of_another_kind_is_suggested_by_what_it_is_called() -> None:
    with pytest.raises(MissingKey) as caught:
        Params.compile(overrides=["optimizer=sgd"]).explain("optimizer.beta")

    assert caught.value.problems[0].suggestion == "optimizer.betas"


def test_the_origin_of_a_key_that_is_missing_is_an_error_too() -> None:
    with pytest.raises(MissingKey, match=r"did you mean +base_lr"):
        Params.compile().origin("bas_lr")


def test_inputs_of_inputs_are_told_two_levels_deep(snapshot: SnapshotAssertion) -> None:
    class Chain(ConfigTemplate):
        __qualname__ = "Chain"
        a: int = 1
        b: Any = None
        c: Any = None
        d: Any = None
        e: Any = None

    config = Chain.compile(overrides=["b=${a}", "c=${b}", "d=${c}", "e=${d}"])

    assert config.explain("e") == snapshot


def test_a_section_explains_itself_by_its_own_keys(config: Config[Params]) -> None:
    assert config["loader"].explain("batch_size") == config.explain("loader.batch_size")
    assert config["loader"].explain() == config.explain("loader")
    assert config["layers[1]"].explain("width") == config.explain("layers[1].width")


def test_an_origin_is_told_in_a_few_words(config: Config[Params]) -> None:
    assert {key: config.origin(key) for key in ("base_lr", "layers[0].width", "epochs", "name", "password")} == {
        "base_lr": "default",
        "layers[0].width": "wide.yaml:3:3",
        "epochs": "derived: loader.batch_size  <- overrides[1]",
        "name": "bs-${loader.batch_size}  <- base.yaml:3:1",
        "password": "overrides[4]",
    }


def test_a_value_that_is_empty_text_is_one() -> None:
    assert Params.compile(overrides={"name": ""}).explain("name").splitlines()[0] == 'name = ""'


def test_of_many_inputs_the_first_are_told() -> None:
    class Root(ConfigTemplate):
        layers: list[Layer] = [Layer()] * 20
        total: int = derived(lambda c: sum(layer.width for layer in c.layers))

    text = Root.compile().explain("total")

    assert text.count("  reads     layers[") == 8
    assert text.endswith("  reads     12 more")


def test_an_empty_text_is_seen() -> None:
    class Noted(ConfigTemplate):
        note: str = ""

    told = Noted.compile(overrides=["note=x"]).explain("note")

    assert '\n  over      ""  default of ' in told


def test_what_an_item_of_a_list_reads_is_told() -> None:
    class Params(ConfigTemplate):
        size: int = 3
        sizes: list[float] = []

    told = Params.compile(overrides=["sizes=['${size / 2}', 1]"]).explain("sizes")

    assert "reads     size = 3" in told


def test_a_wrong_key_is_answered_with_those_of_the_section_it_leads_to() -> None:
    with pytest.raises(MissingKey, match="expected      a key of Loader: "):
        Params.compile().explain("loader.zzz.x")
