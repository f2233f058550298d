"""`logging`: what a person sees of a run, and how often."""

from typing import Annotated, Literal

from annotated_types import Ge

from typedcfg.template.base import ConfigTemplate
from typedcfg.template.marks import Unit


class Logging(ConfigTemplate):
    """What a person sees of a run, and how often."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """What goes to `run.log`."""
    progress: Literal["auto", "bar", "lines", "none"] = "auto"
    """How the training shows itself: a bar where a person watches, else a line for each epoch."""
    log_interval: Annotated[int, Ge(1), Unit("steps")] = 50
    """How often metrics of single steps are handed to loggers."""
