import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from typedcfg.runner.lightning.ranks import gathered

PATIENCE_S = 120
"""Until which a process has ended that is not kept [s]."""

RANK = """
import atexit, os, sys, time
from datetime import timedelta
import torch
from torch import distributed
from typedcfg.runner.lightning import ranks

ranks._LEAVING_S = 1.0
store = distributed.FileStore(sys.argv[1], 2)
distributed.init_process_group(
    "gloo", rank=int(sys.argv[2]), world_size=2, store=store, timeout=timedelta(hours=1)
)
atexit.register(lambda: print("is a rank" if distributed.is_initialized() else "has left", flush=True))
ranks.leave_at_exit()
{then}
"""


def test_a_rank_that_is_alone_tells_itself() -> None:
    assert gathered("here", 1) == ["here"]


@contextmanager
def rank(number: int, folder: Path, then: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", RANK.replace("{then}", then), str(folder / "store"), str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.multiprocess
@pytest.mark.parametrize("other", ["os._exit(0)", "time.sleep(3600)"], ids=["gone", "goes on"])
def test_a_process_that_exits_has_left_the_others(other: str, tmp_path: Path) -> None:
    with rank(0, tmp_path, "sys.exit(143)") as process, rank(1, tmp_path, other):
        told, _ = process.communicate(timeout=PATIENCE_S)

    assert (told, process.returncode) == ("has left\n", 143)


@pytest.mark.slow
@pytest.mark.multiprocess
def test_who_is_not_answered_exits_all_the_same(tmp_path: Path) -> None:
    asks = "asked = distributed.all_reduce(torch.ones(1), async_op=True); sys.exit(1)"

    with rank(0, tmp_path, asks) as process, rank(1, tmp_path, "time.sleep(3600)"):
        assert process.wait(PATIENCE_S) != 0
