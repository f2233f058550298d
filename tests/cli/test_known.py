from typing import Literal

from pydantic import SecretStr

from typedcfg import ConfigTemplate, derived, section
from typedcfg.cli.known import known_of
from typedcfg.template.help import render_help
from typedcfg.template.help_tree import Value


class Layer(ConfigTemplate):
    width: int = 8
    depth: int = derived(lambda c: c.width * 2)


class Net(ConfigTemplate):
    layers: list[Layer] = [Layer(), Layer()]
    groups: dict[str, Layer] = {}
    token: SecretStr | None = None


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = 0.001


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1


class Study(ConfigTemplate):
    optimizer: AdamW | Sgd = section(AdamW)


def values(*overrides: str) -> dict[str, list[Value]]:
    known = known_of("NET__", Net.compile(overrides=overrides))
    return {key: list(found) for (key, _), found in known.values.items()}


def test_values_that_nobody_set_are_left_out() -> None:
    assert "layers[i].width" not in values()


def test_items_of_a_list_are_values_of_one_field() -> None:
    found = values("layers[0].width=4", "layers[1].width=16")

    assert found["layers[i].width"] == [
        Value("layers[0].width", "4", "overrides[0]"),
        Value("layers[1].width", "16", "overrides[1]"),
    ]


def test_names_in_a_mapping_are_values_of_one_field() -> None:
    [width] = values("groups={big: {width: 64}}")['groups["name"].width']

    assert (width.key, width.text) == ("groups.big.width", "64")


def test_a_derived_value_says_what_it_comes_from() -> None:
    [_, depth] = values("layers[1].width=16")["layers[i].depth"]

    assert depth == Value("layers[1].depth", "32", "derived <- overrides[0]")


def test_the_kind_in_force_is_known_whether_or_not_somebody_chose_it() -> None:
    default = known_of("", Study.compile()).kinds
    chosen = known_of("", Study.compile(overrides=["optimizer=sgd"])).kinds

    assert default == {"optimizer": [Value("optimizer.kind", "adamw", "default")]}
    assert chosen == {"optimizer": [Value("optimizer.kind", "sgd", "overrides[0]")]}


def test_help_of_a_key_says_whether_its_kind_is_in_force() -> None:
    known = known_of("", Study.compile(overrides=["optimizer=sgd"]))

    adamw, sgd = render_help(Study, key="optimizer.lr", width=110, known=known).split("\n\noptimizer.lr  ")

    assert "optimizer.kind = adamw, not in force: sgd  (overrides[0])\n" in adamw
    assert "optimizer.kind = sgd, in force: sgd  (overrides[0])\n" in sgd


def test_a_secret_is_not_shown() -> None:
    [token] = values("token=hunter2")["token"]

    assert "hunter2" not in str(token)
