"""Layers of random settings compile to what a naive reading of the rules says."""

from copy import deepcopy
from typing import Any, Literal

from hypothesis import given
from hypothesis import strategies as st

from typedcfg import ConfigTemplate, section


class Layer(ConfigTemplate):
    width: int = 8
    act: str = "relu"


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: int = 1
    momentum: int = 2


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: int = 3
    beta: int = 4


class Params(ConfigTemplate):
    epochs: int = 5
    layer: Layer = section(Layer, width=6)
    optimizer: AdamW | Sgd = section(AdamW)
    option: Layer | None = None
    layers: list[Layer] = [Layer(), Layer(width=7)]
    groups: dict[str, Layer] = {"a": Layer(width=9)}
    rates: dict[str, int] = {"a": 10}
    tags: list[str] = ["x", "y"]


# --- what a layer may say -------------------------------------------------------------------------------------------

Number = st.integers(0, 99)
Word = st.sampled_from(["p", "q", "r"])
A_LAYER = st.fixed_dictionaries({}, optional={"width": Number, "act": Word})
AN_OPTIMIZER = st.one_of(
    st.fixed_dictionaries({"kind": st.just("sgd")}, optional={"lr": Number, "momentum": Number}),
    st.fixed_dictionaries({"kind": st.just("adamw")}, optional={"lr": Number, "beta": Number}),
    st.fixed_dictionaries({}, optional={"lr": Number}),
)
A_TREE = st.fixed_dictionaries(
    {},
    optional={
        "epochs": Number,
        "layer": A_LAYER,
        "optimizer": AN_OPTIMIZER,
        "option": st.none() | A_LAYER,
        "layers": st.lists(A_LAYER, min_size=2, max_size=3),
        "groups": st.dictionaries(Word, A_LAYER, max_size=2),
        "rates": st.dictionaries(Word, Number, max_size=2),
        "tags": st.lists(Word, min_size=2, max_size=3),
    },
)
A_TOKEN = st.one_of(
    st.builds("epochs={}".format, Number),
    st.builds("layer.width={}".format, Number),
    st.builds("layer={{act: {}}}".format, Word),
    st.builds("optimizer={}".format, st.sampled_from(["sgd", "adamw"])),
    st.builds("optimizer.lr={}".format, Number),
    st.builds("option.width={}".format, Number),
    st.just("option=null"),
    st.builds("layers[{}].width={}".format, st.sampled_from([0, 1, -1, -2]), Number),
    st.builds("groups.{}.act={}".format, Word, Word),
    st.builds("rates.{}={}".format, Word, Number),
    st.builds("tags[{}]={}".format, st.sampled_from([0, -1]), Word),
    st.builds("~{}".format, st.sampled_from(["epochs", "layer", "layer.width", "option", "layers", "groups", "rates"])),
)

# --- the naive model ------------------------------------------------------------------------------------------------

DEFAULTS: dict[str, Any] = {
    "epochs": 5,
    "layer": {"width": 6},
    "optimizer": {"kind": "adamw"},
    "option": None,
    "layers": [{}, {"width": 7}],
    "groups": {"a": {"width": 9}},
    "rates": {"a": 10},
    "tags": ["x", "y"],
}
FULL = {"sgd": {"lr": 1, "momentum": 2}, "adamw": {"lr": 3, "beta": 4}}


def merged(below: Any, above: Any) -> Any:
    """Mappings merge key by key; all else replaces."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return deepcopy(above)
    return {
        key: merged(below[key], above[key]) if key in below and key in above else deepcopy({**below, **above}[key])
        for key in {**below, **above}
    }


def naive(trees: list[dict[str, Any]], tokens: list[str]) -> dict[str, Any]:
    """What files and then arguments make of the defaults."""
    found = deepcopy(DEFAULTS)
    voices: list[tuple[str, dict[str, int]]] = [("adamw", {})]
    for tree in trees:
        voice = dict(tree.get("optimizer", {}))
        voices.append((voice.pop("kind", voices[-1][0]), voice))
        found = merged(found, {key: value for key, value in tree.items() if key != "optimizer"})
    arguments: dict[str, int] = {}
    kind = voices[-1][0]
    for token in tokens:
        key, _, text = token.partition("=")
        if key == "optimizer":
            kind = text
        elif key == "optimizer.lr":
            arguments["lr"] = int(text)
        else:
            apply(found, key, text)
    voices.append((kind, arguments))
    optimizer = {"kind": kind, **FULL[kind]}
    for spoken_for, settings in voices:
        optimizer |= settings if spoken_for == kind else {}
    layer = {"width": 8, "act": "relu"}
    return {
        **found,
        "optimizer": optimizer,
        "layer": {**layer, **found["layer"]},
        "option": None if found["option"] is None else {**layer, **found["option"]},
        "layers": [{**layer, **item} for item in found["layers"]],
        "groups": {name: {**layer, **item} for name, item in found["groups"].items()},
    }


def apply(found: dict[str, Any], key: str, text: str) -> None:
    """One argument that is not about the optimizer."""
    if key == "~layer.width":
        found["layer"]["width"] = 6
    elif key.startswith("~"):
        found[key[1:]] = deepcopy(DEFAULTS[key[1:]])
    elif key.startswith(("layers[", "tags[")):
        name, _, rest = key.partition("[")
        position = int(rest.partition("]")[0])
        if name == "tags":
            found["tags"][position] = text
        else:
            found["layers"][position]["width"] = int(text)
    elif text.startswith("{"):
        found["layer"]["act"] = text.strip("{}").partition(": ")[2]
    else:
        *above, last = key.split(".")
        holder = found
        for name in above:
            holder[name] = {} if holder.get(name) is None else holder[name]
            holder = holder[name]
        holder[last] = None if text == "null" else int(text) if text.isdigit() else text


@given(st.lists(A_TREE, max_size=3), st.lists(A_TOKEN, max_size=5))
def test_layers_compile_to_what_a_naive_reading_says(trees: list[dict[str, Any]], tokens: list[str]) -> None:
    config = Params.compile(presets=trees, overrides=tokens)

    assert config.plain() == naive(trees, tokens)


@given(st.lists(A_TREE, max_size=3), st.lists(A_TOKEN, max_size=3))
def test_every_value_can_be_explained_and_is_what_the_explanation_says(
    trees: list[dict[str, Any]], tokens: list[str]
) -> None:
    config = Params.compile(presets=trees, overrides=tokens)

    for key in ("epochs", "layer.width", "optimizer.lr", "layers[0].act", "groups.a.width", "rates.a", "tags[0]"):
        first, *rows = config.explain(key).splitlines()
        assert first == f"{key} = {config[key]}"
        assert rows[0].split()[:2] == ["wins", str(config[key])]
        assert rows[-1].startswith("  because ")


@given(A_TREE, A_TREE)
def test_a_layer_said_twice_changes_nothing(tree: dict[str, Any], other: dict[str, Any]) -> None:
    assert Params.compile(presets=[other, tree, tree]) == Params.compile(presets=[other, tree])


@given(st.lists(A_TREE, max_size=3))
def test_values_written_and_read_back_are_the_same(trees: list[dict[str, Any]]) -> None:
    config = Params.compile(presets=trees)

    assert Params.compile(presets=[config.plain()]) == config
    assert config.params.to_config() == config
