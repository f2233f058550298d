"""Nodes that meet on this machine; `tests/stories/test_two_nodes.py` has two with a network between them."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from typedcfg.records.run_record import read_run_record
from typedcfg.runner.launchers.group.address import free_port

pytestmark = [pytest.mark.slow, pytest.mark.multiprocess]

PATIENCE_S = 120
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tiny_app: str) -> Start:
    """Starts one of two nodes."""
    endpoint = f"127.0.0.1:{free_port('127.0.0.1')}"

    def start_node(rank: int, *settings: str) -> "subprocess.Popen[str]":
        launch = ["trainer.num_nodes=2", "launch=torchrun", f"launch.rdzv_endpoint={endpoint}"]
        command = [sys.executable, "-m", "typedcfg", "run", tiny_app, *launch, f"launch.node_rank={rank}", *settings]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    return start_node


def test_a_node_of_another_configuration_is_refused_on_both(start: Start) -> None:
    nodes = [start(0), start(1, "lr=0.1")]

    said = [node.communicate(timeout=PATIENCE_S)[0] for node in nodes]

    assert [node.returncode for node in nodes] == [2, 2], said
    assert all("configuration: v1-" in text for text in said), said


def test_a_node_that_fails_ends_the_other_and_both_begin_once_more(start: Start) -> None:
    faults = ("faults.crash_at=1", "faults.rank=1", "launch.max_restarts=1")
    nodes = [start(rank, *faults) for rank in (0, 1)]

    said = [node.communicate(timeout=PATIENCE_S)[0] for node in nodes]

    assert [node.returncode for node in nodes] == [1, 1], said
    assert all("ValueError: the model broke" in text for text in said), said
    [record] = Path("experiments").glob("*/run.json")
    first, second = read_run_record(record).attempts
    assert second.resumed_from is not None
    assert second.resumed_from.startswith(first.folder)


def test_a_node_that_is_killed_ends_the_other(start: Start) -> None:
    nodes = [start(rank, "faults.wait_at=1") for rank in (0, 1)]
    while not Path("waiting.1").exists():
        assert all(node.poll() is None for node in nodes)
        time.sleep(0.05)

    nodes[1].kill()

    said, _ = nodes[0].communicate(timeout=PATIENCE_S)
    assert nodes[0].returncode == 1
    assert "node 1 ended" in said
    nodes[1].communicate(timeout=PATIENCE_S)
