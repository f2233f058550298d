"""What tests of every stage share: a folder to write files into, and a tiny experiment."""

import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from typedcfg import Experiment

# Modules that tests import, or copy: of these folders pytest runs the tests alone.
_SHARED = ("benchmarks", "crash", "endurance", "fuzz", "given", "pages")
collect_ignore_glob = ["apps/*.py", *(f"{folder}/[!t]*.py" for folder in _SHARED)]

# How many examples each property is tried with; a busy machine fails none of them. They are the same in every run, so
# that a change answers for itself alone; `long` looks further each time.
for _profile, _examples in {"quick": 25, "ci": 200, "long": 100_000}.items():
    settings.register_profile(
        _profile,
        max_examples=_examples,
        deadline=None,
        derandomize=_profile != "long",
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile(os.environ.get("FUZZ", "quick"))

APP = Path(__file__).parent / "apps" / "tiny.py"


@pytest.fixture(autouse=True, scope="session")
def _signals_as_at_a_terminal() -> Iterator[None]:
    """Undo what `nohup` or a shell in the background leaves ignored, here and for every process that tests start."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True, scope="session")
def _power_that_does_not_fail() -> Iterator[None]:
    """Wait for no disk in this process; a descriptor that is none is refused all the same. Others really fsync."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)
        yield


@pytest.fixture(autouse=True)
def _modules_of_one_test(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Forget what a test imported from a folder of its own; the next has another `app.py`."""
    before = {*sys.modules}
    yield
    folders = str(tmp_path_factory.getbasetemp())
    for name in sys.modules.keys() - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(folders):
            del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes YAML files into the current folder, which is empty at first: `write(base="a: 1")`."""
    monkeypatch.chdir(tmp_path)

    def write_files(**texts: str) -> None:
        for name, text in texts.items():
            Path(f"{name}.yaml").write_text(text, encoding="utf-8")

    return write_files


@pytest.fixture
def tiny_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The APP of an experiment that trains in a moment, in a folder of its own, outside every repository."""
    shutil.copy(APP, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    return "tiny.py:Tiny"


@pytest.fixture
def tiny(tiny_app: str) -> "type[Experiment]":
    """The class of that experiment."""
    from typedcfg.cli.app import load_app

    loaded: type[Any] = load_app(tiny_app)
    return loaded
