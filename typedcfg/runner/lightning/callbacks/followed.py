"""Places in Lightning's order that no callback is called in: behind a hook of the module's own, or a loop's."""

from collections.abc import Callable
from typing import Any


class Followed:
    """Stands in the place of a hook, and does something more when that is done."""

    def __init__(self, owner: object, hook: str, then: Callable[..., object]) -> None:
        self.then = then
        self.own = vars(owner).get(hook)
        """What was set on the owner itself, rather than in its class."""
        self.is_done = False
        """Whether the hook is done, and what comes after it is not."""
        self.__wrapped__ = getattr(owner, hook)  # by which Lightning tells whether a hook is overridden

    def __call__(self, *args: Any) -> None:
        """Call the hook, then the other."""
        self.__wrapped__(*args)
        self.is_done = True
        try:
            self.then(*args)
        finally:
            self.is_done = False

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy of the owner, pickled or deep, has the hook alone."""
        return _alone, (self.__wrapped__,)


def _alone(hook: object) -> object:
    return hook


def follow(owner: object, hook: str, then: Callable[..., object]) -> None:
    """Let something come after a hook, until that is put back.

    Args:
        owner: Whose hook it is.
        hook: Its name.
        then: What comes after it, called with the same arguments.
    """
    setattr(owner, hook, Followed(owner, hook, then))


def put_back(owner: object, hook: str) -> None:
    """Let a hook be as it was, where it is followed."""
    followed = getattr(owner, hook)
    if not isinstance(followed, Followed):
        return
    if followed.own is None:
        delattr(owner, hook)
    else:
        setattr(owner, hook, followed.own)
