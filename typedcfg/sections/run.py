"""`run`: what the run is called, where it lies, what it is judged by, its seed, and how long it may take."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, StringConstraints, model_validator

from typedcfg.template.base import ConfigTemplate
from typedcfg.template.derived import section
from typedcfg.template.marks import NotInIdentity
from typedcfg.template.words import Words

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9._=-]{0,40}$"),
    Words("text of at most 40 letters, digits and . _ = -"),
]
"""Part of a folder's name."""


def _without_nul(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("a path without a NUL character: no folder can have one in its name")
    return path


Folder = Annotated[Path, AfterValidator(_without_nul)]
"""The path of a folder, which need not be there yet."""
PositiveTime = Annotated[timedelta, Gt(timedelta())]
"""A length of time."""


class Score(ConfigTemplate):
    """Which metric says how good a result is; it chooses among results and changes none."""

    split: str | None = None
    """The split it is measured on; without one `val`, else the first that is not `train`."""
    metric: str = "loss"
    """The metric's name, without its split."""
    mode: Literal["min", "max"] | None = None
    """Whether lower or higher is better; a loss is better when lower, anything else must say."""

    @model_validator(mode="after")
    def _says_which_way_is_better(self) -> Self:
        if self.mode is None and self.metric != "loss":
            raise ValueError(
                f"nothing says whether a higher or a lower {self.metric} is better: "
                "set run.score.mode=max or run.score.mode=min"
            )
        return self

    @property
    def is_higher_better(self) -> bool:
        """Which way is better, the default for a loss worked out."""
        return self.mode == "max"


class Run(ConfigTemplate):
    """What the run is called, where it lies, what it is judged by, its seed, and how long it may take."""

    experiment_name: Annotated[Name, NotInIdentity()] = ""
    """The first half of the folder's name; the experiment's class, in small letters, if empty."""
    run_name: Annotated[Name, NotInIdentity()] = "run"
    """The second half of the folder's name."""
    project_root: Annotated[Folder, NotInIdentity()] = Path("experiments")
    """The folder that runs lie in; relative to where the command is given."""
    layout: Annotated[Literal["name", "mirror"], NotInIdentity()] = "name"
    """Where in it: at its top, or below folders named as the configuration file lies below config_root."""
    config_root: Annotated[Folder, NotInIdentity()] = Path("configs")
    """The folder that configuration files lie in, which `mirror` repeats; relative to where the command is given."""
    seed: Annotated[int, Ge(0), Le(2**32 - 1)] = 0
    """Where all random numbers start: the model's weights, the order of samples, dropout."""
    seed_per_rank: bool = True
    """Give each rank its own stream of random numbers while training (seed + rank); weights start equal anyway."""
    deterministic: bool = True
    """Refuse operations whose result differs from one time to the next; what makes a resume exact."""
    score: Annotated[Score, NotInIdentity()] = section(Score)
    """What `best` means."""
    max_time: Annotated[PositiveTime | None, NotInIdentity()] = None
    """How long one attempt may train until it is saved and ends as preempted: `3:30:00`, `PT3H30M`, or seconds."""
    hang_timeout: Annotated[PositiveTime | None, NotInIdentity()] = timedelta(minutes=30)
    """How long it may take from one batch to the next until a process tells where it stands, and ends; null waits."""
    on_nan: Annotated[Literal["stop", "continue"], NotInIdentity()] = "stop"
    """What a loss or a weight that is NaN or infinite does: `stop` fails the run, `continue` warns and marks it."""
