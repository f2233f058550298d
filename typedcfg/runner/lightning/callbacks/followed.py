"""Places in Lightning's order that no callback is called in: behind a hook of the module's own."""

from collections.abc import Callable
from typing import Any

from lightning.pytorch import LightningModule


class Followed:
    """Stands in the place of a module's hook, and does something more when that is done."""

    def __init__(self, module: LightningModule, hook: str, then: Callable[..., object]) -> None:
        self.then = then
        self.own = vars(module).get(hook)
        """What was set on the module itself, rather than in its class."""
        self.is_done = False
        """Whether the module's hook is done, and what comes after it is not."""
        self.__wrapped__ = getattr(module, hook)  # by which Lightning tells whether a hook is overridden

    def __call__(self, *args: Any) -> None:
        """Call the module's hook, then the other."""
        self.__wrapped__(*args)
        self.is_done = True
        try:
            self.then(*args)
        finally:
            self.is_done = False

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy of the module, pickled or deep, has the hook alone."""
        return _alone, (self.__wrapped__,)


def _alone(hook: object) -> object:
    return hook


def follow(module: LightningModule, hook: str, then: Callable[..., object]) -> None:
    """Let something come after a module's hook, until that is put back.

    Args:
        module: Whose hook it is.
        hook: Its name.
        then: What comes after it, called with the same arguments.
    """
    setattr(module, hook, Followed(module, hook, then))


def put_back(module: LightningModule, hook: str) -> None:
    """Let the module's hook be as it was, where it is followed."""
    followed = getattr(module, hook)
    if not isinstance(followed, Followed):
        return
    if followed.own is None:
        delattr(module, hook)
    else:
        setattr(module, hook, followed.own)
