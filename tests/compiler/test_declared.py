"""What is declared at a key path, whichever variant was chosen."""

from typing import Literal

from typedcfg import ConfigTemplate
from typedcfg.compiler.declared import nearest_declared


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    momentum: float = 0.9


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    betas: list[float] = []


class Params(ConfigTemplate):
    optimizers: list[AdamW | Sgd] = []


def test_the_nearest_key_is_looked_for_in_all_variants() -> None:
    assert nearest_declared(Params, ("optimizers", 3, "momentun")) == ("optimizers", 3, "momentum")
    assert nearest_declared(Params, ("optimizers", 3, "beta")) == ("optimizers", 3, "betas")
    assert nearest_declared(Params, ("optimisers",)) == ("optimizers",)


def test_a_key_that_is_declared_or_like_none_has_no_nearest() -> None:
    assert nearest_declared(Params, ("optimizers", 3, "betas")) is None
    assert nearest_declared(Params, ("optimizers", 3, "width")) is None
    assert nearest_declared(Params, ("nowhere", "betas")) is None
