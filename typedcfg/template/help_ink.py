"""Ink: how parts of help are set off from one another where somebody reads it on a screen."""

from collections.abc import Callable
from typing import NamedTuple


class Ink(NamedTuple):
    """What is done to the parts of a text after it is laid out; it must not change how wide they look."""

    heading: Callable[[str], str] = str
    """The name of a section, or of a kind."""
    key: Callable[[str], str] = str
    value: Callable[[str], str] = str
    """What a configuration has for a key."""
    note: Callable[[str], str] = str
    """What only some readers look for."""


NO_INK = Ink()
