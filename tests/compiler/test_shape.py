"""Which keys there are, and what is said to somebody who names others."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import SecretStr

from typedcfg import ConfigError, ConfigTemplate, Deprecated, section
from typedcfg.errors import DeprecatedName


class Loader(ConfigTemplate):
    batch_size: int = 128
    token: SecretStr = SecretStr("hunter2")


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    momentum: float = 0.0


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    eps: float = 1e-8


class Layer(ConfigTemplate):
    width: int = 1


class Model(ConfigTemplate):
    layers: list[Layer] = [Layer(), Layer()]
    groups: dict[str, Layer] = {}


class Params(ConfigTemplate):
    loader: Loader
    optimizer: AdamW | Sgd = section(AdamW)
    model: Model
    rates: dict[str, Any] = {}


def values(*overrides: str, **presets: Any) -> Any:
    return Params.compile(overrides=overrides, presets=[presets]).params


def refusal(*overrides: str, **presets: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        values(*overrides, **presets)
    return str(caught.value)


def test_an_unknown_key_suggests_the_nearest_as_the_source_would_write_it(write: Callable[..., None]) -> None:
    write(base="model:\n  layers:\n  - {width: 3, widht: 4}")

    with pytest.raises(ConfigError) as caught:
        Params.compile("base.yaml", overrides=["model.layers[0].wdth=3"])

    in_file, on_line = caught.value.problems
    assert (in_file.what, in_file.where, in_file.suggestion) == (
        "unknown key 'model.layers[0].widht'",
        "base.yaml:3:16",
        "width",
    )
    assert (on_line.where, on_line.suggestion) == ("overrides[0]", "model.layers[0].width")


def test_a_mapping_is_not_edited_as_a_list() -> None:
    told = refusal("rates+=x", rates={"a": 1})

    assert "rates is a mapping, and cannot be edited as a list" in told
    assert "loader is a section" in refusal("loader+=x", loader={"batch_size": 3})


def test_an_unknown_key_that_exists_elsewhere_says_where() -> None:
    assert "fix           there is loader.batch_size" in refusal("model.batch_size=3")


def test_the_same_unknown_key_is_reported_wherever_it_was_written() -> None:
    text = refusal("loader.bs=3", loader={"bs": 1})

    assert text.count("unknown key 'loader.bs'") == 2
    assert "at            presets[0]" in text
    assert "at            overrides[0]" in text


@pytest.mark.parametrize(
    ("override", "what", "expected"),
    [
        ("model=3", "model = 3 is no section", "a mapping"),
        ("model=[1]", "model = [1] is no section", "a mapping"),
        ("optimizer=3", "optimizer = 3 is no section", "a kind, adamw or sgd, or a mapping"),
        ("model.layers=3", "model.layers = 3 is no list", "a list of sections"),
        ("model.layers={a: 1}", "model.layers = {a: 1} is no list", "a list of sections"),
        ("model.layers=[x]", "model.layers[0] = 'x' is no section", "a mapping"),
        ("model.groups=[1]", "model.groups = [1] is no mapping", "a mapping of sections, each by its name"),
        ("model.groups.a=x", "model.groups.a = 'x' is no section", "a mapping"),
    ],
)
def test_a_value_where_sections_belong_is_refused(override: str, what: str, expected: str) -> None:
    assert refusal(override) == f"{what}\n  at            overrides[0]\n  expected      {expected}"


@pytest.mark.parametrize(
    ("override", "fix"),
    [
        ("model=null", "write what it holds below it, indented; or model: {}; or leave it out"),
        ("model.layers=null", "write what it holds below it, indented; or layers: []; or leave it out"),
        ("model.layers.1.width=3", "a position stands in brackets: model.layers[1]"),
        ("model=???", "leave it out: a field without a default is required anyway"),
        ("loader.batch_size+=3", "write it whole: loader.batch_size=...; += adds an item to a list, -= takes one out"),
        ("multirun=3", "one command is one configuration: for several, loop in the shell: for n in 32 64; do"),
    ],
)
def test_a_habit_of_another_tool_is_told_what_to_write_here(override: str, fix: str) -> None:
    assert f"fix           {fix}" in refusal(override)


def test_taking_an_item_out_behind_the_end_does_not_propose_to_add_one() -> None:
    assert "+=" not in refusal("~model.layers[7]")
    assert "fix           add an item behind the others: model.layers+=..." in refusal("model.layers[7].width=3")


def test_what_was_written_where_a_secret_may_stand_is_not_shown() -> None:
    text = refusal("loader=swordfish")

    assert "swordfish" not in text
    assert "loader = a secret, not shown is no section" in text


def test_a_value_has_no_keys_below_it() -> None:
    assert refusal("loader.batch_size.x=3") == (
        "loader.batch_size = {x: 3} is wrong\n  at            overrides[0]\n  expected      integer"
    )


@pytest.mark.parametrize("position", [2, -3])
def test_a_position_beyond_a_list_is_refused(position: int) -> None:
    assert refusal(f"model.layers[{position}].width=3") == (
        f"model.layers[{position}] does not exist\n"
        "  at            overrides[0]\n"
        "  expected      a position from 0 to 1\n"
        "  fix           add an item behind the others: model.layers+=..."
    )


def test_an_empty_list_has_no_positions() -> None:
    assert "expected      a list that has items" in refusal("model.layers[0].width=3", model={"layers": []})


def test_free_mappings_merge_at_every_depth() -> None:
    merged = values("rates.deep.b=2", "rates.c=3", rates={"deep": {"a": 1}})

    assert merged.rates == {"deep": {"a": 1, "b": 2}, "c": 3}


def test_values_within_lists_within_mappings_are_resolved() -> None:
    found = values(rates={"deep": [{"x": "${loader.batch_size}"}, "bs-${loader.batch_size}"]})

    assert found.rates == {"deep": [{"x": 128}, "bs-128"]}


def test_a_deprecated_field_warns_where_it_is_set_and_nowhere_else() -> None:
    class Old(ConfigTemplate):
        lr: Annotated[float, Deprecated("use optimizer.lr", since="0.3")] = 0.1

    assert Old.compile().params.lr == 0.1
    with pytest.warns(DeprecatedName, match=r"^overrides\[0\]: lr is deprecated since 0.3: use optimizer.lr$"):
        Old.compile(overrides=["lr=1"])


def test_reading_changes_no_layer(write: Callable[..., None]) -> None:
    from copy import deepcopy

    from typedcfg.compiler.compile import compile_sources
    from typedcfg.sources.files import FileSource
    from typedcfg.sources.overrides import override_source

    write(base="model: {layers: [{width: '${loader.batch_size}'}]}\nrates: &r {a: 1, b: '${here.a}'}")
    layers = [
        *FileSource(["base.yaml"]).read(),
        *override_source(["optimizer=sgd", "optimizer.momentum=1", "rates.c=3", "model.layers[0].width=4"]).read(),
    ]
    before = deepcopy(layers)

    class Given:
        def read(self) -> Any:
            return layers

    config = compile_sources(Params, [Given()])
    assert config.explain() != ""

    assert layers == before
    assert [root.origins for layer in layers for root in layer.roots] == [
        root.origins for layer in before for root in layer.roots
    ]


# --- keys that almost fit -------------------------------------------------------------------------------------------


class Plain(ConfigTemplate):
    kind: Literal["plain"] = "plain"
    lr: float = 0.1


class Heavy(ConfigTemplate):
    kind: Literal["heavy"] = "heavy"
    lr: float = 0.1
    friction: float = 0.0


class Group(ConfigTemplate):
    lr: float = 0.1


class Reading(ConfigTemplate):
    batch_size: int = 1


class Near(ConfigTemplate):
    loader: Reading
    optimizer: Plain | Heavy = section(Plain)
    groups: dict[str, Group] = {}


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("optimizer: {friction: 1}", "it is a key of kind heavy: optimizer=heavy"),
        ("loader.batch_size: 2", "nest it: loader: {batch_size: ...}"),
        ("loader: batch_size:3", "write a space after the colon: batch_size: ..."),
        ("defaults: [base]", "write $extends: [base.yaml], with paths relative to this file"),
        ("loader: {_target_: torch.Loader}", "no file names a class: write kind: and one of the kinds that the field"),
    ],
)
def test_a_file_that_almost_fits_is_told_how(write: Callable[..., None], text: str, fix: str) -> None:
    write(base=text)

    with pytest.raises(ConfigError) as caught:
        Near.compile("base.yaml")

    assert caught.value.problems[0].fix.startswith(fix)


def test_a_name_with_a_dot_is_shown_in_quotes() -> None:
    with pytest.raises(ConfigError) as caught:
        Near.compile(overrides=["groups.net.emb.lr_facor=2"])

    assert caught.value.problems[0].fix.endswith("""'groups["net.emb"]'""")


def test_a_key_with_dashes_or_a_colon_is_told_how_it_is_written() -> None:
    assert "did you mean  rates" in refusal("--ra-tes=1")
    assert "write a space after the colon: loader: ..." in refusal(**{"loader:batch_size": 8})
