"""`trainer`: how long, on what and in which precision the model is trained."""

from typing import Annotated, Final, Literal, Self

from annotated_types import Ge, Gt, Le
from pydantic import model_validator

from typedcfg.template.base import ConfigTemplate
from typedcfg.template.derived import derived
from typedcfg.template.marks import AddedIn, NotInIdentity, Unit
from typedcfg.template.rivals import Rivals
from typedcfg.text import one_of

_ENDS: Final = ("max_epochs", "max_steps", "max_samples")

Share = Annotated[int, Ge(0)] | Annotated[float, Ge(0.0), Le(1.0)]
"""So many batches, or a share of all of them."""


class Trainer(ConfigTemplate):
    """How long, on what and in which precision the model is trained; the words are Lightning's."""

    max_epochs: Annotated[int | None, Ge(1), Unit("epochs")] = derived(
        lambda c: 10 if c.max_steps is None and c.max_samples is None else None
    )
    """Passes over the training data; null where steps or samples end the training."""
    max_steps: Annotated[int | None, Ge(1), Unit("steps")] = None
    """Optimizer steps; instead of max_epochs."""
    max_samples: Annotated[int | None, Ge(1), Unit("samples"), AddedIn(was=None)] = None
    """Training samples, on all ranks together; instead of max_epochs. The step that reaches them is the last."""
    accelerator: Annotated[Literal["auto", "cpu", "gpu", "mps"], NotInIdentity()] = "auto"
    """What to compute on; auto takes the best that the machine has."""
    devices: Annotated[int, Ge(1), Unit("devices per node")] = 1
    """How many devices of it, with a process for each."""
    num_nodes: Annotated[int, Ge(1), Unit("nodes"), AddedIn(was=1)] = 1
    """How many machines, each with as many devices."""
    strategy: Literal["auto", "ddp", "fsdp"] = "auto"
    """How several devices share the work: ddp has the whole model on each, fsdp a part of it."""
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
    def _has_one_end(self) -> Self:
        ends = [name for name in _ENDS if getattr(self, name) is not None]
        if not ends:
            raise ValueError(f"the training would never end: set {one_of(_ENDS)}")
        if ends[1:]:
            raise Rivals(ends, "each end the training")
        return self
