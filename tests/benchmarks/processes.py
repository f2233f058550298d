"""Processes: what a command costs from its start to its end."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from stopwatch import Row, race_processes

_HERE: Final = Path(__file__).parent
_APP: Final = f"{_HERE / 'apps' / 'templates.py'}:Training"
_KEY: Final = "loader.batch_size"
_OVERRIDE: Final = f"{_KEY}=256"
_BY_HAND: Final = ["-c", "from by_hand import main; main()", _OVERRIDE]
_IMPORT_PYDANTIC: Final = ["-c", "from pydantic import BaseModel"]


def start_processes(seconds: float) -> Iterator[Row]:
    """Importing, and the commands that do not train."""
    floors = {"pydantic": _IMPORT_PYDANTIC, "hand": _BY_HAND}
    commands: list[tuple[str, list[str], str, float | None]] = [
        ("import typedcfg", ["-c", "import typedcfg"], "pydantic", 1.1),
        ("from typedcfg import ConfigTemplate", ["-c", "from typedcfg import ConfigTemplate"], "pydantic", None),
        ("typedcfg check APP key=value", ["-m", "typedcfg", "check", _APP, _OVERRIDE], "hand", 1.25),
        ("typedcfg explain APP KEY key=value", ["-m", "typedcfg", "explain", _APP, _KEY, _OVERRIDE], "hand", None),
        ("typedcfg help APP", ["-m", "typedcfg", "help", _APP], "hand", None),
    ]  # fmt: skip  # a table
    with TemporaryDirectory() as bytecode:
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPATH": str(_HERE / "apps"),
            "PYTHONPYCACHEPREFIX": bytecode,
        }
        for what, arguments, floor, target in commands:
            yield race_processes(
                what, arguments, floors[floor], seconds=seconds, environment=environment, target=target
            )
