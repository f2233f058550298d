"""Commands of the tiny experiment: in this process where they end by themselves, in their own where they are killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from typedcfg.cli.main import call

Command: TypeAlias = Callable[..., int]
Started: TypeAlias = "subprocess.Popen[str]"
Start: TypeAlias = Callable[..., Started]


@pytest.fixture
def command(tiny_app: str) -> Command:
    """Runs one command on the tiny experiment; returns its exit code."""

    def run(*arguments: str) -> int:
        return call([tiny_app if argument == "APP" else argument for argument in arguments])

    return run


@pytest.fixture
def start(tiny_app: str) -> Iterator[Start]:
    """Starts one command in a process of its own."""
    started: list[Started] = []

    def begin(*arguments: str) -> Started:
        words = [tiny_app if argument == "APP" else argument for argument in arguments]
        line = [sys.executable, "-m", "typedcfg", *words]
        started.append(
            subprocess.Popen(line, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        )
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def wait_for(tmp_path: Path) -> Callable[[int], int]:
    """Waits until a rank of the tiny experiment waits to be killed; returns its process number."""

    def wait(rank: int) -> int:
        told = tmp_path / f"waiting.{rank}"
        for _ in range(3000):
            if told.exists():
                return int(told.read_text())
            time.sleep(0.02)
        raise TimeoutError(f"rank {rank} never came to the epoch that it was to wait in")

    return wait


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[], Path]:
    """The folder of the one run there is."""

    def find() -> Path:
        [path] = (tmp_path / "experiments").iterdir()
        return path

    return find
