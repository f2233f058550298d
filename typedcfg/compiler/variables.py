"""Variables: what expressions read of the environment, once in a compilation."""

import os
from collections.abc import Mapping


class Variables:
    """The environment as a compilation found it, as far as expressions asked."""

    def __init__(self, read: Mapping[str, str | None] | None = None) -> None:
        """Know what was read before; the environment is asked for nothing of that again."""
        self.read: dict[str, str | None] = dict(read or {})
        """The text of each variable that was asked for; None if it is not set."""

    def text(self, name: str) -> str | None:
        """The text of a variable; None if it is not set."""
        if name not in self.read:
            self.read[name] = os.environ.get(name)
        return self.read[name]
