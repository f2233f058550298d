"""Colour on a terminal: none into a pipe or file, none where `NO_COLOR` is set or the terminal is a dumb one.

The lines are laid out before they are coloured, so that four escape codes are all there is to it; a library for the
terminal would take longer to import than help takes to be written.
"""

import os
import sys
from collections.abc import Callable
from typing import Final

from typedcfg.template.help_ink import NO_INK, Ink

_BOLD: Final = "1"
_DIM: Final = "2"
_GREEN: Final = "32"
_CYAN: Final = "36"


def ink_of_output() -> Ink:
    """The ink that fits what standard output is."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return NO_INK
    return Ink(heading=_painted(_BOLD), key=_painted(_CYAN), value=_painted(_GREEN), note=_painted(_DIM))


def _painted(code: str) -> Callable[[str], str]:
    return lambda text: f"\x1b[{code}m{text}\x1b[0m"
