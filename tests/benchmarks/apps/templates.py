"""A training run as templates; `by_hand` is the same without."""

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt

from typedcfg import ConfigTemplate, section


class Loader(ConfigTemplate):
    """How minibatches are read."""

    batch_size: Annotated[int, Gt(0)] = 128
    num_workers: Annotated[int, Ge(0)] = 2
    shuffle: bool = True


class AdamW(ConfigTemplate):
    """Adam with decoupled weight decay."""

    kind: Literal["adamw"] = "adamw"
    lr: Annotated[float, Gt(0)] = 0.001
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: Annotated[float, Ge(0)] = 0.01


class Sgd(ConfigTemplate):
    """Gradient descent with momentum."""

    kind: Literal["sgd"] = "sgd"
    lr: Annotated[float, Gt(0)] = 0.1
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.9


class Model(ConfigTemplate):
    """A network."""

    width: Annotated[int, Gt(0)] = 64
    depth: Annotated[int, Gt(0)] = 3
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1
    activation: Literal["relu", "gelu"] = "relu"


class Training(ConfigTemplate):
    """What is trained, and how."""

    epochs: Annotated[int, Gt(0)] = 10
    seed: int = 0
    loader: Loader
    optimizer: AdamW | Sgd = section(AdamW)
    model: Model
