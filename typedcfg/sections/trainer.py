"""`trainer`: how long, on what and in which precision the model is trained."""

from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Le
from pydantic import model_validator

from typedcfg.template.base import ConfigTemplate
from typedcfg.template.marks import NotInIdentity, Unit

Share = Annotated[int, Ge(0)] | Annotated[float, Ge(0.0), Le(1.0)]
"""So many batches, or a share of all of them."""


class Trainer(ConfigTemplate):
    """How long, on what and in which precision the model is trained; the words are Lightning's."""

    max_epochs: Annotated[int | None, Ge(1), Unit("epochs")] = 10
    """Passes over the training data; null where max_steps ends the training."""
    max_steps: Annotated[int | None, Ge(1), Unit("steps")] = None
    """Optimizer steps; whichever of the two comes first ends the training."""
    accelerator: Annotated[Literal["auto", "cpu", "gpu", "mps"], NotInIdentity()] = "auto"
    """What to compute on; auto takes the best that the machine has."""
    devices: Annotated[int, Ge(1), Unit("devices per node")] = 1
    """How many devices of it, with a process for each."""
    strategy: Literal["auto", "ddp"] = "auto"
    """How several devices share the work."""
    precision: Literal["32-true", "16-mixed", "bf16-mixed", "bf16-true", "64-true"] = "32-true"
    """The type of number that the model computes in."""
    accumulate_grad_batches: Annotated[int, Ge(1), Unit("batches")] = 1
    """Batches whose gradients make one step."""
    gradient_clip_val: Annotated[float | None, Gt(0)] = None
    """The largest norm that gradients keep."""
    check_val_every_n_epoch: Annotated[int, Ge(1), Unit("epochs")] = 1
    """How often the model is validated."""
    limit_train_batches: Share = 1.0
    """Train on part of each epoch."""
    limit_val_batches: Share = 1.0
    """Validate on part of the data."""
    limit_test_batches: Share = 1.0
    """Test on part of the data."""

    @model_validator(mode="after")
    def _ends_some_time(self) -> Self:
        if self.max_epochs is None and self.max_steps is None:
            raise ValueError("the training would never end: set max_epochs or max_steps")
        return self
