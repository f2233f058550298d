from collections.abc import Iterator
from typing import Any

import pytest
from lightning.pytorch import LightningModule
from torch import distributed, nn
from torch._C._distributed_c10d import HashStore
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor

from typedcfg.errors import RunError
from typedcfg.runner.lightning.sharded.split import split


@pytest.fixture
def mesh() -> Iterator[DeviceMesh]:
    distributed.init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    distributed.destroy_process_group()


class Net(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(2, 2), nn.ModuleList([nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2))]))
        self.heads = nn.ModuleDict({"left": nn.Linear(2, 1), "none": nn.Identity()})
        self.scale = nn.Parameter(nn.Linear(1, 1).weight.detach())


def gathered(module: nn.Module) -> list[str]:
    """The parts that are gathered by themselves."""
    return [name for name, part in module.named_modules() if isinstance(part, FSDPModule)]


def test_children_and_items_of_lists_are_gathered_each_by_itself(mesh: DeviceMesh) -> None:
    split(module := Net(), mesh)

    assert gathered(module) == ["", "encoder", "encoder.1.0", "encoder.1.1", "heads.left"]
    assert all(isinstance(parameter, DTensor) for parameter in module.parameters())


def test_parts_that_share_a_parameter_are_gathered_together(mesh: DeviceMesh) -> None:
    module = Net()
    module.heads["left"].weight = module.encoder[1][0].weight  # type: ignore[index]  # Sequential

    split(module, mesh)

    assert gathered(module) == ["", "encoder.1.1"]


def test_a_module_that_split_itself_stays_as_it_is(mesh: DeviceMesh) -> None:
    fully_shard(module := Net(), mesh=mesh)

    split(module, mesh)

    assert gathered(module) == [""]


def test_a_module_that_split_some_of_itself_is_refused(mesh: DeviceMesh) -> None:
    module = Net()
    fully_shard(module.encoder, mesh=mesh)

    with pytest.raises(RunError, match=r"but for scale, heads\.left\.weight, heads\.left\.bias"):
        split(module, mesh)


def test_weights_that_are_not_trained_need_not_be_split(mesh: DeviceMesh) -> None:
    module = Net()
    fully_shard(module.encoder, mesh=mesh)
    module.heads.requires_grad_(False)
    module.scale.requires_grad_(False)

    split(module, mesh)

    assert "heads.left" not in gathered(module)


def test_a_module_that_optimizes_by_itself_says_how_it_is_split(mesh: DeviceMesh) -> None:
    module: Any = Net()
    module.automatic_optimization = False

    with pytest.raises(RunError, match="Net optimizes by itself"):
        split(module, mesh)
