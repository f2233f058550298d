"""Processes: what a command costs from its start to its end."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from stopwatch import Row, race_processes

from schemas import written_schema

_HERE: Final = Path(__file__).parent
_APP: Final = f"{_HERE / 'apps' / 'templates.py'}:Training"
_KEY: Final = "loader.batch_size"
_OVERRIDE: Final = f"{_KEY}=256"
_BY_HAND: Final = ["-c", "from by_hand import main; main()", _OVERRIDE]
_IMPORT_PYDANTIC: Final = ["-c", "from pydantic import BaseModel"]


def start_processes(seconds: float) -> Iterator[Row]:
    """Importing, and the commands that do not train."""
    with TemporaryDirectory() as folder:
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPATH": str(_HERE / "apps"),
            "PYTHONPYCACHEPREFIX": folder,
        }
        for what, arguments, floor, target in _commands(Path(folder)):
            yield race_processes(what, arguments, floor, seconds=seconds, environment=environment, target=target)


def _commands(folder: Path) -> Iterator[tuple[str, list[str], list[str], float | None]]:
    """What is measured: its name, its arguments, those of the floor, and the most that the ratio should be."""
    small, large = (["-m", "typedcfg", "help", written_schema(leaves, folder)] for leaves in (65, 650))
    check, explain, help_ = (["-m", "typedcfg", verb, _APP] for verb in ("check", "explain", "help"))
    yield "import typedcfg", ["-c", "import typedcfg"], _IMPORT_PYDANTIC, 1.1
    yield "from typedcfg import ConfigTemplate", ["-c", "from typedcfg import ConfigTemplate"], _IMPORT_PYDANTIC, None
    yield "typedcfg check APP key=value", [*check, _OVERRIDE], _BY_HAND, 1.25
    yield "typedcfg explain APP KEY key=value", [*explain, _KEY, _OVERRIDE], _BY_HAND, None
    yield "typedcfg help APP", help_, _BY_HAND, None
    yield "typedcfg help, 650 leaves against 65", large, small, 1.5
