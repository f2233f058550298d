from typing import Annotated, Literal

import pytest

from typedcfg.key_path import render_key_path
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.leaves import iter_leaves, value_at
from typedcfg.template.marks import NotInIdentity


class Layer(ConfigTemplate):
    width: int = 64


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1


class Ema(ConfigTemplate):
    decay: float = 0.9
    path: Annotated[str, NotInIdentity()] = "ema"


class Params(ConfigTemplate):
    seed: int = 0
    strides: list[int] = [1, 2]
    layers: list[Layer] = [Layer(), Layer(width=32)]
    groups: dict[str, Sgd] = {"head": Sgd()}
    nested: list[list[Layer]] = [[Layer()], []]
    none: list[Layer] = []
    nobody: dict[str, Layer] = {}
    ema: Annotated[Ema | None, NotInIdentity()] = None


def keys(section: ConfigTemplate) -> list[str]:
    return [render_key_path(leaf.path) for leaf in iter_leaves(section)]


def test_leaves_come_in_the_order_of_declaration_with_their_paths() -> None:
    assert keys(Params()) == [
        "seed",
        "strides",
        "layers[0].width",
        "layers[1].width",
        "groups.head.kind",
        "groups.head.lr",
        "nested[0][0].width",
        "nested[1]",
        "none",
        "nobody",
        "ema",
    ]


def test_what_holds_no_sections_is_a_leaf_itself() -> None:
    held = {render_key_path(leaf.path): leaf.value for leaf in iter_leaves(Params())}

    assert (held["none"], held["nobody"], held["ema"], held["strides"]) == ([], {}, None, [1, 2])


def test_what_lies_in_a_section_out_of_the_identity_is_out_too() -> None:
    params = Params(ema=Ema())

    bears = {render_key_path(leaf.path): leaf.is_in_identity for leaf in iter_leaves(params)}

    assert bears["seed"]
    assert not bears["ema.decay"]
    assert not bears["ema.path"]
    assert not {leaf.path[-1]: leaf.is_in_identity for leaf in iter_leaves(Ema())}["path"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("seed",), 0),
        (("strides", 1), 2),
        (("layers", 1, "width"), 32),
        (("groups", "head", "lr"), 0.1),
        ((), Params()),
    ],
)
def test_a_value_is_found_by_its_path(path: tuple[str | int, ...], value: object) -> None:
    assert value_at(Params(), path) == value


def test_every_leaf_is_found_where_it_says() -> None:
    params = Params(ema=Ema())

    for leaf in iter_leaves(params):
        assert value_at(params, leaf.path) == leaf.value
