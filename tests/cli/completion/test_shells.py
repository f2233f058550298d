"""The scripts in the shells that they are for; a shell that is not installed is skipped, and `.ci/run` installs all."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TIMEOUT_S = 20

APP = """
from typing import Literal
from typedcfg import ConfigTemplate, Experiment, section

print("a module may print while it is imported")

class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = 0.1

class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.2
    momentum: float = 0.9

class Layer(ConfigTemplate):
    width: int = 8

class App(Experiment):
    optimizer: AdamW | Sgd = section(AdamW)
    layers: list[Layer] = [Layer(), Layer()]
    activation: Literal["relu", "gelu"] = "relu"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "wide.yaml").write_text("optimizer: sgd\n")
    return tmp_path


def environment() -> dict[str, str]:
    """One in which the command is found, without what a user's own shell would bring."""
    scripts = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join([scripts, os.environ["PATH"]]),
        "TERM": "dumb",
        "LANG": "C.UTF-8",
        "HOME": "/nowhere",
    }


needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
needs_zsh = pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
needs_fish = pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")


def output(folder: Path, *command: str) -> str:
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=True).stdout


class Terminal:
    """A shell that somebody types into."""

    def __init__(self, folder: Path, *command: str) -> None:
        self.process, self.file = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment())
        self.shown = ""

    def type(self, text: str) -> None:
        os.write(self.file, text.encode())

    def wait_for(self, pattern: str) -> str:
        """What is shown, once it has a pattern; nothing else is awaited, and no time passes beyond that."""
        end = time.monotonic() + TIMEOUT_S
        while not re.search(pattern, self.shown):
            ready, _, _ = select.select([self.file], [], [], max(end - time.monotonic(), 0))
            assert ready, f"{pattern!r} is not shown, but {self.shown!r}"
            self.shown += os.read(self.file, 4096).decode(errors="replace")
        return self.shown

    def close(self) -> None:
        os.close(self.file)
        os.waitpid(self.process, 0)


@pytest.fixture
def bash(folder: Path) -> Iterator[Terminal]:
    terminal = Terminal(folder, "bash", "--norc", "--noprofile", "-i")
    terminal.type("PS1='ready> '; source <(typedcfg completion bash); echo sour''ced\n")
    terminal.wait_for("sourced\r?\nready> ")
    yield terminal
    terminal.close()


# --- bash -----------------------------------------------------------------------------------------------------------


@needs_bash
@pytest.mark.parametrize(
    ("line", "replies"),
    [
        ("typedcfg expl", ["explain"]),
        ("typedcfg run ap", ["app.py:"]),
        ("typedcfg run app.py:", ["App"]),
        ("typedcfg run app.py:App opt", ["optimizer."]),
        ("typedcfg run app.py:App optimizer.l", ["optimizer.lr="]),
        ("typedcfg run app.py:App optimizer=", ["adamw", "sgd"]),
        ("typedcfg run app.py:App --optimizer=s", ["sgd"]),
        ("typedcfg run app.py:App '~optimizer.l", ["~optimizer.lr"]),
        ("typedcfg run app.py:App optimizer.m", []),
        ("typedcfg run app.py:App wide.yaml optimizer.m", ["optimizer.momentum="]),
        ("typedcfg run app.py:App 'layers[0].w", ["layers[0].width="]),
        ("typedcfg run app.py:App layers", ["layers\\[0\\].", "layers\\[1\\]."]),
        ("typedcfg run app.py:App activation=g", ["gelu"]),
        ("typedcfg run app.py:App wi", ["wide.yaml"]),
        ("typedcfg show app.py:App --format=y", ["yaml"]),
        ("typedcfg run nope.py:App opt", []),
        ("typedcfg nope ", []),
    ],
)
def test_bash_is_told_what_may_follow(line: str, replies: list[str], folder: Path) -> None:
    script = (
        "source <(typedcfg completion bash); COMP_LINE=$1; COMP_POINT=${#1}; _typedcfg typedcfg;"
        ' [ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\\n" "${COMPREPLY[@]}"'
    )

    assert output(folder, "bash", "-c", script, "bash", line).splitlines() == replies


@needs_bash
def test_tab_in_bash_goes_on_step_by_step(bash: Terminal) -> None:
    bash.type("echo done; typedcfg expl\tap\t\topt\tl\t")

    assert bash.wait_for(re.escape("typedcfg explain app.py:App optimizer.lr"))


@needs_bash
def test_tab_in_bash_completes_a_value_behind_its_key(bash: Terminal) -> None:
    bash.type("typedcfg show app.py:App optimizer=s\t--format=y\t\n")

    assert bash.wait_for(r'kind: "?sgd"?')


@needs_bash
def test_tab_in_bash_completes_within_quotes(bash: Terminal) -> None:
    bash.type("typedcfg show app.py:App 'layers[1]\tw\t64\n")  # bash closes the quote

    assert bash.wait_for(r"width: 64")


# --- zsh and fish ---------------------------------------------------------------------------------------------------


@needs_zsh
def test_tab_in_zsh_goes_on_step_by_step(folder: Path) -> None:
    terminal = Terminal(folder, "zsh", "-f", "-i")
    terminal.type(
        "PS1='ready> '; autoload -U compinit; compinit -u -D; source <(typedcfg completion zsh); echo sour''ced\n"
    )
    terminal.wait_for("sourced\r?\n")

    terminal.type("typedcfg show app.py:App wide.yaml optimizer.mo\t0.5 optimizer.l\t0.25 'layers[1].w\t64'\n")

    assert terminal.wait_for("(?s)lr: 0.25.*momentum: 0.5.*width: 64")
    terminal.close()


@needs_fish
@pytest.mark.parametrize(
    ("line", "replies"),
    [
        ("typedcfg expl", ["explain\twhy one value is what it is"]),
        ("typedcfg run app.py:", ["app.py:App"]),
        ("typedcfg run app.py:App optimizer.l", ["optimizer.lr=\tnumber"]),
        ("typedcfg run app.py:App optimizer=", ["optimizer=adamw", "optimizer=sgd"]),
        ("typedcfg run app.py:App wide.yaml 'optimizer.m", ["optimizer.momentum=\tnumber"]),
    ],
)
def test_fish_is_told_what_may_follow(line: str, replies: list[str], folder: Path) -> None:
    script = "typedcfg completion fish | source; complete -C $argv[1]"

    assert output(folder, "fish", "--no-config", "-c", script, line).splitlines() == replies
