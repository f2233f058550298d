"""Two machines train together: here two network namespaces, with a cable between them that can be pulled."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.multiprocess]

APP = Path(__file__).parents[1] / "apps" / "tiny.py"
PATIENCE_S = 180
LINK_TIMEOUT_S = 5


def ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


class Cable:
    """Two nodes, and the cable between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes = [f"typedcfg-{os.getpid()}-{rank}" for rank in (0, 1)]

    def lay(self) -> None:
        for node in self.nodes:
            ip("netns", "add", node)
            ip("-n", node, "link", "set", "lo", "up")
        first, second = self.nodes
        ip("-n", first, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", second)
        for rank, node in enumerate(self.nodes):
            ip("-n", node, "address", "add", f"10.99.0.{rank + 1}/24", "dev", "cable")
        self.plug_in()

    def remove(self) -> None:
        for node in self.nodes:
            subprocess.run(["ip", "netns", "delete", node], check=False, capture_output=True)

    def plug_in(self) -> None:
        for node in self.nodes:
            ip("-n", node, "link", "set", "cable", "up")

    def pull_out(self) -> None:
        ip("-n", self.nodes[0], "link", "set", "cable", "down")

    def processes(self) -> list[str]:
        return [pid for node in self.nodes for pid in ip("netns", "pids", node).split()]

    def run(self, *settings: str) -> list["subprocess.Popen[str]"]:
        """Give the same command on both nodes."""
        launch = ["launch=torchrun", "launch.rdzv_endpoint=10.99.0.1:29400", f"launch.link_timeout={LINK_TIMEOUT_S}"]
        command = [sys.executable, "-m", "typedcfg", "run", "tiny.py:Tiny", "trainer.num_nodes=2", *launch, *settings]
        return [
            subprocess.Popen(
                ["ip", "netns", "exec", node, *command, f"launch.node_rank={rank}"],
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for rank, node in enumerate(self.nodes)
        ]


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Cable]:
    if shutil.which("ip") is None:
        pytest.skip("iproute2 is not installed")
    shutil.copy(APP, tmp_path)
    cable = Cable(tmp_path)
    try:
        cable.lay()
    except subprocess.CalledProcessError as error:
        cable.remove()
        pytest.skip(f"network namespaces cannot be made here: {error.stderr.strip()}")
    yield cable
    cable.remove()


def end(processes: list["subprocess.Popen[str]"]) -> list[tuple[int, str]]:
    """Wait for processes, and give what each ended with and said."""
    said = [process.communicate(timeout=PATIENCE_S)[0] for process in processes]
    return [(process.returncode, text) for process, text in zip(processes, said, strict=True)]


def weights(runs: Path) -> dict[str, Any]:
    import torch

    *_, latest = sorted(runs.glob("*/*/checkpoints/latest.ckpt"))
    found: dict[str, Any] = torch.load(latest, weights_only=True)["state_dict"]
    return found


def are_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(bool((one[name] == other[name]).all()) for name in one)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def test_two_nodes_train_as_one_does_and_as_if_no_cable_was_ever_pulled(cable: Cable) -> None:
    runs = {name: cable.folder / name for name in ("alone", "together", "cut")}
    alone = [sys.executable, "-m", "typedcfg", "run", "tiny.py:Tiny", "trainer.devices=2", "run.project_root=alone"]
    subprocess.run(alone, cwd=cable.folder, check=True, capture_output=True, timeout=PATIENCE_S)

    together = end(cable.run("run.project_root=together"))
    assert [code for code, _ in together] == [0, 0], together
    assert are_same(weights(runs["together"]), weights(runs["alone"]))

    # Both ranks wait in the second epoch; then nothing gets through any more.
    nodes = cable.run("run.project_root=cut", "faults.wait_at=1")
    until(lambda: all((cable.folder / f"waiting.{rank}").exists() for rank in (0, 1)))
    cable.pull_out()
    cut_at = time.monotonic()
    cut = end(nodes)
    assert time.monotonic() - cut_at < LINK_TIMEOUT_S + 20
    assert [code for code, _ in cut] == [1, 1], cut
    assert all(f"was not heard for {LINK_TIMEOUT_S} s" in text for _, text in cut), cut
    until(lambda: not cable.processes())

    cable.plug_in()
    resumed = end(cable.run("run.project_root=cut"))
    assert [code for code, _ in resumed] == [0, 0], resumed
    assert "resumes after 1 epoch" in resumed[0][1]
    assert are_same(weights(runs["cut"]), weights(runs["together"]))
