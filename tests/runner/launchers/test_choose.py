from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from typedcfg.errors import RunError
from typedcfg.runner import launchers
from typedcfg.runner.launchers.choose import choose_launcher
from typedcfg.runner.launchers.group.address import Endpoint
from typedcfg.runner.launchers.group.meeting import Group
from typedcfg.runner.launchers.in_process import InProcess
from typedcfg.runner.launchers.torchrun import Torchrun
from typedcfg.sections.launch import AutoLaunch, InProcessLaunch, Launch, SlurmLaunch, TorchrunLaunch

NO_LAUNCHERS = {"__init__", "base", "choose", "lifeline"}


def test_every_launcher_can_be_configured_and_every_kind_has_its_launcher() -> None:
    modules = {path.stem for path in Path(launchers.__path__[0]).glob("*.py")} - NO_LAUNCHERS
    kinds = {section.model_fields["kind"].default for section in get_args(Launch)}

    assert kinds == {"auto", *modules}


@pytest.mark.parametrize(
    ("launch", "devices", "launcher"),
    [
        (AutoLaunch(), 1, InProcess()),
        (AutoLaunch(), 2, Torchrun(2)),
        (InProcessLaunch(), 1, InProcess()),
        (TorchrunLaunch(), 1, Torchrun(1)),
        (TorchrunLaunch(threads=3), 2, Torchrun(2, threads=3)),
    ],
)
def test_a_launcher_fits_its_section(launch: Launch, devices: int, launcher: InProcess | Torchrun) -> None:
    assert choose_launcher(launch, devices=devices) == launcher


def test_one_process_cannot_train_on_two_devices() -> None:
    with pytest.raises(RunError, match=r"trainer\.devices is 2"):
        choose_launcher(InProcessLaunch(), devices=2)


def test_a_group_is_described_by_the_section() -> None:
    launch = TorchrunLaunch(
        node_rank=1, rdzv_endpoint="node0:29400", join_timeout=timedelta(minutes=2), link_timeout=timedelta(seconds=5)
    )

    launcher = choose_launcher(launch, devices=4, nodes=2)

    group = Group(1, 2, Endpoint("node0", 29400), join_timeout_s=120.0, link_timeout_s=5.0)
    assert launcher == Torchrun(4, group=group)


@pytest.mark.parametrize(
    ("launch", "message"),
    [
        (AutoLaunch(), "launch=auto trains on this machine alone"),
        (TorchrunLaunch(), "nothing says where the nodes meet"),
        (TorchrunLaunch(node_rank=2, rdzv_endpoint="node0:29400"), r"launch\.node_rank is 2"),
        (SlurmLaunch(), "as tasks of `srun`"),
    ],
)
def test_two_nodes_need_a_launcher_that_reaches_both(launch: Launch, message: str) -> None:
    with pytest.raises(RunError, match=message):
        choose_launcher(launch, devices=1, nodes=2)
