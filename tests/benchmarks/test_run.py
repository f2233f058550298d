"""Every benchmark runs; what it measures is for `python tests/benchmarks/run.py` to say."""

import subprocess
import sys
from pathlib import Path

import pytest

RUN = str(Path(__file__).with_name("run.py"))


QUICK = ["compile", "references", "resolve", "attributes", "fingerprint", "diff"]
WITH_TORCH = ["save", "steps", "start", "processes"]


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in WITH_TORCH)])
def test_a_benchmark_prints_a_ratio_for_each_row(name: str) -> None:
    run = subprocess.run([sys.executable, RUN, "--quick", name], capture_output=True, text=True, check=True)

    _head, _rule, *rows = run.stdout.splitlines()
    assert rows
    assert all(float(row.split("|")[4]) > 0 for row in rows)


def test_a_benchmark_that_does_not_exist_is_refused() -> None:
    run = subprocess.run([sys.executable, RUN, "nope"], capture_output=True, text=True, check=False)

    assert run.returncode == 2
    assert (
        "there are compile, references, resolve, attributes, fingerprint, diff, save, steps, start, processes"
        in run.stderr
    )
