from pathlib import Path

import pytest
from page_commands import Ours, run, run_in_a_shell

APP = """
from typedcfg import ConfigTemplate

class App(ConfigTemplate):
    lr: float = 0.1
"""

COMMANDS = {
    "what it prints": "typedcfg show app.py:App lr=0.2",
    "what it complains of": "typedcfg check app.py:App lr=fast 'name=a|b'",
    "what a reader makes of it": "typedcfg show app.py:App lr=0.2 --format yaml | tail -n 1",
    "complaints that pass a reader by": "typedcfg check app.py:App lr=fast | tail -n 1",
    "a file": "typedcfg check app.py:App lr=fast > shown.txt",
    "a file with complaints": "typedcfg check app.py:App lr=fast > shown.txt 2>&1",
    "a variable": "APP__LR=0.5 typedcfg show app.py:App",
    "a script": "python script.py one 'two three'",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "script.py").write_text("import sys\nprint(sys.argv, __name__)\nsys.exit(3)\n")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_prints_what_it_does_in_a_process_of_its_own(command: str, folder: Path) -> None:
    assert Ours.read(command, folder) is not None

    here, there = (
        (told(command, folder), {path.name: path.read_text() for path in folder.glob("*.txt")})
        for told in (run, run_in_a_shell)
    )
    assert here == there


@pytest.mark.parametrize("command", ["typedcfg check a 2>&1 | tail", "typedcfg check a; ls", "python -m pytest", "ls"])
def test_what_a_shell_is_needed_for_is_not_ours(command: str, folder: Path) -> None:
    assert Ours.read(command, folder) is None


def test_a_pattern_stands_for_the_names_that_fit(folder: Path) -> None:
    ours = Ours.read("LR=1 typedcfg check ./*.py 'a/*' | head", folder)

    assert ours == Ours(
        {"LR": "1"}, ["typedcfg", "check", "app.py", "script.py", "a/*"], readers="head", is_together=False
    )
