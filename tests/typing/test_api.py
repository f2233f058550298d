"""Both type checkers follow what a user writes, and see what is wrong with it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
API = Path(__file__).with_name("api.py")

WRONG_USES = """\
# pyright: strict
from typing import assert_type
from typedcfg import ConfigTemplate, section

class Loader(ConfigTemplate):
    batch_size: int = 128

class Params(ConfigTemplate):
    loader: Loader = section(Loader)

config = Params.compile()
config.params.loader.batchsize
assert_type(config.params.loader.batch_size, str)
Loader(batchsize=64)
"""
WRONG_LINES = (12, 13, 14)

CHECKERS = {
    "mypy": ["-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--no-pretty"],
    "pyright": ["-m", "pyright", "--pythonpath", sys.executable],
}


def check(checker: str, file: Path) -> tuple[int, str]:
    """The exit code of a type checker, and what it says."""
    command = [sys.executable, *CHECKERS[checker], str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def as_strict(text: str) -> str:
    return f"# pyright: strict\n{text}"


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_what_a_user_writes_passes(checker: str, tmp_path: Path) -> None:
    file = tmp_path / "api.py"
    file.write_text(as_strict(API.read_text()))

    code, told = check(checker, file)

    assert code == 0, told


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_what_is_wrong_is_seen(checker: str, tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(WRONG_USES)

    code, told = check(checker, file)

    unseen = [n for n in WRONG_LINES if f"wrong.py:{n}:" not in told]
    assert code == 1
    assert not unseen, told


def test_no_error_is_ignored() -> None:
    assert "type: ignore" not in API.read_text()
    assert "pyright: ignore" not in API.read_text()
