from pathlib import Path
from typing import Any, Literal

import pytest
from lightning.pytorch.callbacks import TQDMProgressBar
from lightning.pytorch.strategies import DDPStrategy

from typedcfg import Experiment
from typedcfg.runner.lightning.callbacks.sample_limit import SampleLimit
from typedcfg.runner.lightning.sharded.strategy import ShardedStrategy
from typedcfg.runner.lightning.trainer import build_trainer, progress_of
from typedcfg.sections.logging import Logging
from typedcfg.sections.trainer import Trainer as Section


def built(folder: Path, *overrides: str) -> Any:
    config = Experiment.compile(overrides=["trainer.accelerator=cpu", "logging.progress=none", *overrides])
    return build_trainer(config.params, folder=folder)


GIVEN: dict[str, tuple[str, object]] = {
    "max_epochs": ("7", 7),
    "max_steps": ("70", 70),
    "accumulate_grad_batches": ("3", 3),
    "gradient_clip_val": ("0.5", 0.5),
    "check_val_every_n_epoch": ("2", 2),
    "limit_train_batches": ("5", 5),
    "limit_val_batches": ("0.25", 0.25),
    "limit_test_batches": ("4", 4),
    "precision": ("bf16-mixed", "bf16-mixed"),
}
TESTED_BELOW = {"max_samples", "accelerator", "devices", "num_nodes", "strategy"}


@pytest.mark.parametrize("field", GIVEN)
def test_what_is_configured_is_what_lightning_does(field: str, tmp_path: Path) -> None:
    text, value = GIVEN[field]

    assert getattr(built(tmp_path, f"trainer.{field}={text}"), field) == value


def test_a_number_of_samples_is_a_limit_and_the_only_one(tmp_path: Path) -> None:
    trainer = built(tmp_path, "trainer.max_samples=100")

    assert [c.limit for c in trainer.callbacks if isinstance(c, SampleLimit)] == [100]
    assert (trainer.max_epochs, trainer.max_steps) == (-1, -1)


def test_devices_and_strategy_are_those_configured(tmp_path: Path) -> None:
    trainer = built(tmp_path, "trainer.devices=2", "trainer.num_nodes=2", "trainer.strategy=ddp")

    assert isinstance(trainer.strategy, DDPStrategy)
    assert (trainer.num_devices, trainer.num_nodes) == (2, 2)


def test_fsdp_splits_among_all_devices_of_all_nodes(tmp_path: Path) -> None:
    strategy = built(tmp_path, "trainer.devices=2", "trainer.num_nodes=3", "trainer.strategy=fsdp").strategy

    assert isinstance(strategy, ShardedStrategy)
    assert strategy._data_parallel_size == 6  # what it is told, and says nowhere


def test_no_field_of_the_section_is_left_without_effect() -> None:
    assert set(GIVEN) | TESTED_BELOW == set(Section.model_fields)


def test_no_limit_is_no_limit(tmp_path: Path) -> None:
    assert built(tmp_path, "trainer.max_epochs=null", "trainer.max_steps=5").max_epochs == -1
    assert built(tmp_path).max_steps == -1


def test_lightning_writes_nothing_of_its_own(tmp_path: Path) -> None:
    trainer = built(tmp_path)

    assert (trainer.loggers, trainer.checkpoint_callbacks, trainer.default_root_dir) == ([], [], str(tmp_path))


@pytest.mark.parametrize(("progress", "bars"), [("bar", 1), ("lines", 0), ("none", 0)])
def test_a_bar_is_shown_where_it_is_configured(progress: str, bars: int, tmp_path: Path) -> None:
    trainer = built(tmp_path, f"logging.progress={progress}")

    assert len([c for c in trainer.callbacks if isinstance(c, TQDMProgressBar)]) == bars


@pytest.mark.parametrize(("watched", "shown"), [(True, "bar"), (False, "lines")])
def test_progress_is_a_bar_where_a_person_watches(
    *, watched: bool, shown: Literal["bar", "lines"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: watched)

    assert progress_of(Logging()) == shown
