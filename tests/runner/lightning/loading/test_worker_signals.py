import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from torch.utils.data import DataLoader, Dataset

from typedcfg.runner.lightning.loading.worker_signals import workers_outlast_stops
from typedcfg.runner.stop_signals import STOP_SIGNALS

pytestmark = pytest.mark.multiprocess


class Numbers(Dataset[int]):
    """The number of the process that fetches each item."""

    def __len__(self) -> int:
        return 100

    def __getitem__(self, index: int) -> int:
        return os.getpid()


def loaded() -> Iterator[Any]:
    return iter(DataLoader(Numbers(), batch_size=None, num_workers=1, prefetch_factor=1))


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_process_that_loads_passes_over_what_asks_to_stop(number: signal.Signals) -> None:
    with workers_outlast_stops():
        batches = loaded()
        worker = next(batches)
        for _ in range(2):
            os.kill(worker, number)

        assert {*batches} == {worker}


@pytest.mark.slow
def test_afterwards_torch_decides() -> None:
    with workers_outlast_stops():
        pass
    batches = loaded()
    os.kill(next(batches), signal.SIGTERM)

    with pytest.raises(RuntimeError, match="DataLoader worker"):
        list(batches)


ENDING = """
from torch.utils.data import DataLoader
from typedcfg.runner.lightning.loading.worker_signals import workers_outlast_stops
with workers_outlast_stops():
    loader = DataLoader(range(8), num_workers=2, persistent_workers=True)
    print(len([*loader]))
kept = loader._iterator
import builtins
builtins.kept = kept  # outlives all that Python tidies up
"""


@pytest.mark.slow
def test_a_process_whose_loaders_are_left_ends_all_the_same() -> None:
    ended = subprocess.run([sys.executable, "-c", ENDING], timeout=60, check=True, capture_output=True, text=True)

    assert (ended.stdout, ended.stderr) == ("8\n", "")
