"""What is said of a run or a checkpoint of another meaning: it is gone on with as what it was configured to be."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from typedcfg.compiler.diff import Difference
from typedcfg.errors import Problem


def other_meaning(
    what: str, *, done: Literal["begun", "trained"], where: Path, differences: Iterable[Difference], fix: str
) -> Problem:
    """The problem of something that was done with values which mean something else than those of today.

    Args:
        what: The run or the checkpoint.
        done: What was done with those values.
        where: Where they are recorded.
        differences: All between them and those of today; those in the identity are told of.
        fix: What can be done instead of leaving them as they were.
    """
    changed = [str(one) for one in differences if one.is_in_identity]
    return Problem(
        f"{what} was {done} with a configuration that means something else",
        where=str(where),
        expected="\n".join([f"the values that it was {done} with; these bear on the outcome:", *changed]),
        fix=f"leave them as they were, or {fix}",
    )
