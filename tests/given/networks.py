"""A small network and how it is trained: sections, variants, a list and a mapping of sections, and free values."""

from typing import Any, Literal

from pydantic import SecretStr

from typedcfg import ConfigTemplate, section


class Loader(ConfigTemplate):
    batch_size: int = 128
    token: SecretStr = SecretStr("hunter2")


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.0
    nesterov: bool = False


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = 0.001
    betas: tuple[float, float] = (0.9, 0.999)


class Layer(ConfigTemplate):
    width: int = 8
    act: str = "relu"


class Model(ConfigTemplate):
    layers: list[Layer] = [Layer(), Layer()]
    groups: dict[str, Layer] = {}


class Params(ConfigTemplate):
    loader: Loader
    optimizer: AdamW | Sgd = section(AdamW)
    model: Model
    rates: dict[str, Any] = {}
