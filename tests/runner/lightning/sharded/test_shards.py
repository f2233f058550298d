import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import distributed
from torch._C._distributed_c10d import HashStore

from typedcfg.errors import RecordError
from typedcfg.records.checkpoint_content import read_content
from typedcfg.runner.lightning.sharded.shards import read_shards, read_tensors, write_shards


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """A group of this process alone."""
    distributed.init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


class Unsafe:
    """Says when it is made from a file."""

    def __reduce__(self) -> Any:
        return pytest.fail, ("code of a file was run",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "step.ckpt").mkdir()
    return tmp_path / "step.ckpt"


def state() -> dict[str, Any]:
    return {
        "state_dict": {"layer.weight": torch.arange(6.0).view(2, 3), "steps": torch.tensor(3)},
        "optimizer_0": {"state": {"layer.weight": {"exp_avg": torch.ones(2, 3)}}, "param_groups": [{"lr": 0.1}]},
    }


def test_what_was_written_is_read(folder: Path) -> None:
    write_shards(state(), folder)
    found: dict[str, Any] = {
        "optimizer_0": {"state": {"layer.weight": {"exp_avg": torch.zeros(2, 3)}}, "param_groups": [{"lr": 0.0}]}
    }

    read_shards(found, folder)

    assert torch.equal(found["optimizer_0"]["state"]["layer.weight"]["exp_avg"], torch.ones(2, 3))
    assert found["optimizer_0"]["param_groups"] == [{"lr": 0.1}]


def test_files_are_hashed_on_their_way(folder: Path) -> None:
    files = write_shards(state(), folder)

    assert files == read_content(folder).files
    assert sorted(files) == [".metadata", "__0_0.distcp"]


def test_tensors_are_found_by_the_key_they_were_written_under(folder: Path) -> None:
    write_shards(state(), folder)

    weights = read_tensors(folder, "state_dict")

    assert sorted(weights) == ["layer.weight", "steps"]
    assert torch.equal(weights["layer.weight"], state()["state_dict"]["layer.weight"])
    assert weights["steps"] == 3


def test_what_could_not_be_loaded_safely_is_not_written(folder: Path) -> None:
    with pytest.raises(RecordError, match=r"optimizer_0\.rule cannot be loaded safely"):
        write_shards({"optimizer_0": {"rule": Unsafe()}}, folder)


def test_a_plan_that_holds_code_is_refused_and_nothing_of_it_is_run(folder: Path) -> None:
    write_shards(state(), folder)
    (folder / ".metadata").write_bytes(pickle.dumps(Unsafe()))

    with pytest.raises(RecordError, match=r"cannot read checkpoint step\.ckpt: _pytest.outcomes.*is not taken"):
        read_shards(state(), folder)
    with pytest.raises(RecordError, match="is not taken"):
        read_tensors(folder, "state_dict")


@pytest.mark.parametrize(
    "plan", [b"", b"\x80\x05]", b"\x80\x05N.", b"\x80\x05h\x07.", b"\x80\x05K\x01R.", b"\x80\x05K\x01K\x02s.", b"\xff"]
)
def test_a_plan_that_is_damaged_is_refused(folder: Path, plan: bytes) -> None:
    write_shards(state(), folder)
    (folder / ".metadata").write_bytes(plan)

    with pytest.raises(RecordError, match=r"cannot read checkpoint step\.ckpt: "):
        read_shards(state(), folder)
    with pytest.raises(RecordError, match=r"cannot read checkpoint step\.ckpt: "):
        read_tensors(folder, "state_dict")


@pytest.mark.parametrize("place", ["../../secret", "/etc/passwd", "", "..", 3])
def test_a_plan_leads_to_no_file_outside_of_its_folder(folder: Path, place: object) -> None:
    write_shards(state(), folder)
    plan = pickle.loads((folder / ".metadata").read_bytes())
    for info in plan.storage_data.values():
        info.relative_path = place
    (folder / ".metadata").write_bytes(pickle.dumps(plan))

    with pytest.raises(RecordError, match="is no file in its folder"):
        read_shards(state(), folder)
    with pytest.raises(RecordError, match="is no file in its folder"):
        read_tensors(folder, "state_dict")


def test_a_plan_that_does_not_tell_of_its_tensors_is_refused(folder: Path) -> None:
    write_shards(state(), folder)
    plan = pickle.loads((folder / ".metadata").read_bytes())
    plan.planner_data = {}
    (folder / ".metadata").write_bytes(pickle.dumps(plan))

    with pytest.raises(RecordError, match="KeyError"):
        read_tensors(folder, "state_dict")


def test_an_object_that_holds_code_is_refused_and_nothing_of_it_is_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typedcfg.runner.lightning.sharded.shards._load_plain", lambda *_: None)
    write_shards({"optimizer_0": {"rule": Unsafe()}}, folder)
    monkeypatch.undo()

    with pytest.raises(RecordError, match=r"optimizer_0\.rule cannot be loaded safely"):
        read_shards({"optimizer_0": {"rule": None}}, folder)


def test_what_a_checkpoint_lacks_is_named(folder: Path) -> None:
    write_shards(state(), folder)

    with pytest.raises(RecordError, match=r"state_dict\.other"):
        read_shards({"state_dict": {"other": torch.zeros(1)}}, folder)
