"""`checkpoint`: when states of the training are written, and which are kept."""

from typing import Annotated, Literal

from annotated_types import Ge, Gt

from typedcfg.template.base import ConfigTemplate
from typedcfg.template.marks import Unit


class Checkpoint(ConfigTemplate):
    """When states of the training are written, and which are kept: the latest and the best always.

    One is written at the end of each epoch, and within epochs as well; a run that is resumed goes on from the last.
    """

    save_interval: Annotated[int | None, Unit("epochs")] = None
    """Keep `epoch-N.ckpt` after every so many epochs; none if null, or not positive."""
    every_n_steps: Annotated[int | None, Ge(1), Unit("steps")] = None
    """Write within epochs too, after every so many steps."""
    every_minutes: Annotated[float | None, Gt(0), Unit("minutes")] = 15.0
    """Write within epochs too, when so much time has passed since the last was written; null does not."""
    keep_last: Annotated[int, Ge(1), Unit("checkpoints")] = 2
    """How many of the newest are kept: more than one, to fall back on when a disk has damaged the last."""
    asynchronous: bool = False
    """Write in the background, from a copy in memory, while the training goes on."""
    on_write_failure: Literal["stop", "continue"] = "stop"
    """Whether a checkpoint that cannot be written ends the training, or is told of and left out."""
