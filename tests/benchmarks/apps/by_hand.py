"""What `typedcfg check` is measured against: the sections of `templates` as plain models, and an override by hand."""

import sys
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Lt
from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """What a careful user begins with."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Loader(Section):
    """How minibatches are read."""

    batch_size: Annotated[int, Gt(0)] = 128
    num_workers: Annotated[int, Ge(0)] = 2
    shuffle: bool = True


class AdamW(Section):
    """Adam with decoupled weight decay."""

    kind: Literal["adamw"] = "adamw"
    lr: Annotated[float, Gt(0)] = 0.001
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: Annotated[float, Ge(0)] = 0.01


class Sgd(Section):
    """Gradient descent with momentum."""

    kind: Literal["sgd"] = "sgd"
    lr: Annotated[float, Gt(0)] = 0.1
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.9


class Model(Section):
    """A network."""

    width: Annotated[int, Gt(0)] = 64
    depth: Annotated[int, Gt(0)] = 3
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1
    activation: Literal["relu", "gelu"] = "relu"


class Training(Section):
    """What is trained, and how."""

    epochs: Annotated[int, Gt(0)] = 10
    seed: int = 0
    loader: Loader = Field(default_factory=Loader)
    optimizer: Annotated[AdamW | Sgd, Field(discriminator="kind")] = Field(default_factory=AdamW)
    model: Model = Field(default_factory=Model)


def main() -> None:
    """Read `key=value` from the command line and validate."""
    key, _, text = sys.argv[1].partition("=")
    tree: dict[str, Any] = {}
    here = tree
    *above, last = key.split(".")
    for step in above:
        here = here.setdefault(step, {})
    here[last] = text
    print(Training.model_validate(tree))
