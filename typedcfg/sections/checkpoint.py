"""`checkpoint`: which states of the training are kept."""

from typing import Annotated

from annotated_types import Ge

from typedcfg.template.base import ConfigTemplate
from typedcfg.template.marks import Unit


class Checkpoint(ConfigTemplate):
    """Which states of the training are kept: the latest and the best always, others by interval."""

    save_interval: Annotated[int | None, Ge(1), Unit("epochs")] = None
    """Keep `epoch-N.ckpt` after every so many epochs."""
