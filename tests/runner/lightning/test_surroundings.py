import pytest
import torch

from typedcfg.errors import RunError
from typedcfg.runner.lightning.surroundings import device_of, surroundings, told_by_the_first
from typedcfg.runner.process import Process
from typedcfg.sections.run import Run

CPU = torch.device("cpu")


def test_each_process_has_the_device_of_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)

    second = Process(rank=3, local_rank=1, world_size=4)

    assert [device_of(kind, second) for kind in ("auto", "gpu", "cpu")] == [torch.device("cuda", 1)] * 2 + [CPU]
    with pytest.raises(RunError, match="no such device for process 2"):
        device_of("gpu", Process(rank=2, local_rank=2, world_size=3))


def test_ranks_draw_their_own_numbers_unless_they_are_to_draw_the_same() -> None:
    def drawn(run: Run, rank: int) -> float:
        with surroundings(run, CPU, rank=rank, benchmark=False, threads=None):
            return float(torch.rand(1))

    assert drawn(Run(), 0) != drawn(Run(), 1)
    assert drawn(Run(seed_per_rank=False), 0) == drawn(Run(seed_per_rank=False), 1) == drawn(Run(), 0)


def test_a_process_alone_tells_itself() -> None:
    assert told_by_the_first(Process(), "here", CPU) == "here"
