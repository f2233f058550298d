import os
import subprocess
import sys
from pathlib import Path

import pytest

from typedcfg.runner.launchers.base import ATTEMPT_VARIABLE, RUN_VARIABLE

pytestmark = [pytest.mark.slow, pytest.mark.multiprocess]

LEAVING = """
import runpy, signal, sys

class Last:
    def __init__(self, raise_signal=signal.raise_signal): self.raise_signal = raise_signal
    def __del__(self): self.raise_signal(signal.SIGTERM)

sys.last = Last()  # kept until Python has given up its handlers
sys.argv[1:] = ["--standalone", "--max-restarts=0", "--no-python", "sh", "-c", "exit {code}"]
runpy.run_module("typedcfg.runner.lightning.agent", run_name="__main__")
"""


@pytest.mark.parametrize("code", [0, 3])
def test_a_signal_that_comes_too_late_does_not_change_how_the_workers_ended(code: int, tmp_path: Path) -> None:
    script = LEAVING.format(code=code)
    no_run = {RUN_VARIABLE: str(tmp_path), ATTEMPT_VARIABLE: str(tmp_path / "none")}

    ended = subprocess.run([sys.executable, "-c", script], env=os.environ | no_run, check=False, timeout=60)

    assert ended.returncode == code
