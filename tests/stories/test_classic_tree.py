"""One training configuration written twice: by templates with formulas, and by files with references.

The learning rate follows the batch size, the warm-up and the cosine follow the epochs, and the schedule is a part of
its own. Whatever is overridden and wherever, both ways give the same values and the same fingerprint.
"""

from collections.abc import Callable
from itertools import permutations

import pytest

from typedcfg import Config, ConfigTemplate, derived

Write = Callable[..., None]


class Schedule(ConfigTemplate):
    epochs: int
    warmup: int
    t_max: int


class Tree(ConfigTemplate):
    """The plain form: every value has to be said."""

    batch: int
    lr: float
    save_interval: int
    schedule: Schedule


class DerivedSchedule(ConfigTemplate):
    epochs: int = 30
    warmup: int = derived(lambda c: round(0.1 * c.epochs))
    t_max: int = derived(lambda c: c.epochs - c.warmup)


class DerivedTree(ConfigTemplate):
    """The form with formulas: nothing has to be said."""

    batch: int = 128
    lr: float = derived(lambda c: c.batch / 128 * 0.01)
    save_interval: int = derived(lambda c: c.schedule.epochs // 5)
    schedule: DerivedSchedule


BASE = """\
batch: 128
lr: ${batch / 128 * 0.01}
save_interval: ${schedule.epochs // 5}
schedule: {$extends: schedule.yaml}
"""
SCHEDULE = """\
epochs: 30
warmup: ${round(0.1 * epochs)}
t_max: ${epochs - warmup}
"""


@pytest.fixture(autouse=True)
def _base(write: Write) -> None:
    write(base=BASE, schedule=SCHEDULE)


def by_files(*overrides: str, file: str = "base.yaml") -> Config[Tree]:
    return Tree.compile(file, overrides=overrides)


def by_templates(*overrides: str) -> Config[DerivedTree]:
    return DerivedTree.compile(overrides=overrides)


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("batch=256",),
        ("schedule.epochs=50",),
        ("schedule.warmup=7",),
        ("lr=0.5", "batch=64"),
        ("schedule={epochs: 5, t_max: 100}",),
        ("save_interval=1", "schedule.epochs=4", "batch=192"),
    ],
)
def test_both_ways_are_one_configuration(overrides: tuple[str, ...]) -> None:
    assert by_files(*overrides).plain() == by_templates(*overrides).plain()
    assert by_files(*overrides).fingerprint == by_templates(*overrides).fingerprint


def test_the_values_are_those_that_one_would_work_out_by_hand() -> None:
    config = by_files("batch=256", "schedule.epochs=50")

    assert config.plain() == {
        "batch": 256,
        "lr": 0.02,
        "save_interval": 10,
        "schedule": {"epochs": 50, "warmup": 5, "t_max": 45},
    }


def test_base_and_child_are_independent_in_either_order(write: Write) -> None:
    write(child="$extends: base.yaml\nbatch: 256\nschedule: {epochs: 60}")
    expected = {"base.yaml": (0.01, 27), "child.yaml": (0.02, 54)}

    for order in permutations(["base.yaml", "child.yaml", "base.yaml"]):
        for name in order:
            params = by_files(file=name).params
            assert (params.lr, params.schedule.t_max) == expected[name]


def test_a_file_may_override_a_formula_by_a_reference(write: Write) -> None:
    write(child="lr: ${batch / 100}")

    config = DerivedTree.compile("child.yaml")

    assert config.params.lr == 1.28
    assert "${batch / 100}" in config.explain("lr")
    assert "over      derived: batch / 128 * 0.01" in config.explain("lr")
