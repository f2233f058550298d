"""`logging`: what a person sees of a run."""

from typing import Literal

from typedcfg.template.base import ConfigTemplate


class Logging(ConfigTemplate):
    """What a person sees of a run."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """What goes to `run.log`."""
    progress: Literal["auto", "bar", "lines", "none"] = "auto"
    """How the training shows itself: a bar where a person watches, else a line for each epoch."""
