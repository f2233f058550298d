"""How a run is asked for."""

from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from typedcfg.records.checkpoint_record import Verified

Resume: TypeAlias = str | Path
"""What a run that is not done begins with: `auto` its newest checkpoint, `never` nothing, or what lies at a path."""

Beginning: TypeAlias = Literal["auto", "never"] | Verified
"""The same, a path found to be a whole checkpoint that the run may begin with."""


class Asked(NamedTuple):
    """How a run was asked for, where that was on a command line."""

    app: str | None = None
    """The APP as given."""
    script: tuple[str, ...] = ()
    """What follows the interpreter to start the user's script once more; empty where workers load the class."""
