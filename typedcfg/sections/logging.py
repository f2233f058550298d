"""`logging`: what a person sees of a run."""

from typing import Annotated, Literal

from annotated_types import Ge

from typedcfg.template.base import ConfigTemplate
from typedcfg.template.marks import Unit


class Logging(ConfigTemplate):
    """What a person sees of a run."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """What goes to `run.log`."""
    progress: Literal["auto", "bar", "lines", "none"] = "auto"
    """How the training shows itself: a line for each epoch, and below them a bar where a person watches."""
    log_interval: Annotated[int | None, Ge(1), Unit("batches")] = None
    """How often a line tells of progress within an epoch; if null ten times in its longest split, if that has 100."""
