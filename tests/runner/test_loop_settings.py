import logging
import re
from pathlib import Path

import pytest

from typedcfg import Experiment
from typedcfg.errors import RunError
from typedcfg.runner.loop_settings import FIT_ALONE, check_processes, tell_of_unheeded
from typedcfg.runner.process import Process
from typedcfg.sections.checkpoint import Checkpoint
from typedcfg.sections.trainer import Trainer
from typedcfg.template.derived import section

PAGE = Path(__file__).parent.parent.parent / "docs" / "how-to" / "run-from-python.md"


@pytest.mark.parametrize(
    ("devices", "nodes", "processes", "fix"),
    [
        (2, 1, 1, "start it with `torchrun --nproc-per-node=2`, or set trainer.devices=1"),
        (4, 2, 4, "start it with `torchrun --nnodes=2 --nproc-per-node=4`, or set trainer.devices=2"),
        (4, 2, 3, "start it with `torchrun --nnodes=2 --nproc-per-node=4`"),
        (1, 1, 2, "start it once, or set trainer.devices=2"),
    ],
)
def test_more_or_fewer_processes_than_are_configured_are_refused(
    devices: int, nodes: int, processes: int, fix: str
) -> None:
    with pytest.raises(RunError) as caught:
        check_processes(Trainer(devices=devices, num_nodes=nodes), Process(world_size=processes))

    assert caught.value.problems[0].fix == fix


@pytest.mark.parametrize(("devices", "nodes"), [(4, 1), (2, 2)])
def test_as_many_processes_as_are_configured_are_taken(devices: int, nodes: int) -> None:
    check_processes(Trainer(devices=devices, num_nodes=nodes), Process(world_size=4))


def test_settings_that_count_for_fit_alone_are_told_of_with_their_origin(caplog: pytest.LogCaptureFixture) -> None:
    class Saving(Experiment):
        checkpoint: Checkpoint = section(Checkpoint, keep_last=5)

    tell_of_unheeded(Saving.compile(overrides=["launch=slurm", "logging.level=debug", "run.hang_timeout=60"]))

    [record] = caplog.records
    told = "run.hang_timeout (overrides[2]), checkpoint.keep_last (default), launch.kind (overrides[0])"
    assert (record.levelno, record.message.partition(": ")[2]) == (logging.WARNING, told)


def test_nothing_is_told_of_settings_that_nobody_made(caplog: pytest.LogCaptureFixture) -> None:
    tell_of_unheeded(Experiment.compile(overrides=["trainer.max_epochs=2", "checkpoint.keep_last=2", "run.seed=1"]))

    assert caplog.records == []


def test_the_page_says_of_every_setting_who_heeds_it() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("### What it heeds")[2].partition("\n\n###")[0]
    rows = [row.split(" | ") for row in re.findall(r"^\| (`.*) \|$", table, re.MULTILINE)]
    named = {who: tuple(re.findall(r"`([a-z_.]+)`", keys)) for keys, who in rows}

    keys = [key for key, _ in Experiment.compile().leaves()]
    heeded = {key: [who for who, starts in named.items() if key.startswith(starts)] for key in keys}

    assert {key: len(by) for key, by in heeded.items()} == dict.fromkeys(keys, 1)
    assert [key for key, by in heeded.items() if by[0].startswith("nobody")] == [
        key for key in keys if key.startswith(FIT_ALONE)
    ]
