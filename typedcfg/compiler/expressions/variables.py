"""Variables: what expressions read of the environment, once in a compilation."""

import os
from collections.abc import Mapping


class Variables:
    """The environment as a compilation found it, as far as expressions asked."""

    def __init__(
        self, read: Mapping[str, str | None] | None = None, *, environ: Mapping[str, str] | None = None
    ) -> None:
        """Know what was read before; the environment is asked for nothing of that again.

        Args:
            read: The text of each variable that was read; None if it was not set.
            environ: The environment; by default that of this process.
        """
        self.read: dict[str, str | None] = dict(read or {})
        """The text of each variable that was asked for; None if it is not set."""
        self._environ = os.environ if environ is None else environ

    def text(self, name: str) -> str | None:
        """The text of a variable; None if it is not set."""
        if name not in self.read:
            self.read[name] = self._environ.get(name)
        return self.read[name]

    def anew(self) -> "Variables":
        """The same environment, nothing of it read yet: for another compilation."""
        return Variables(environ=self._environ)

    def __reduce__(self) -> tuple[object, ...]:
        # Not the environment, which may hold other people's secrets.
        return Variables, (self.read,)
