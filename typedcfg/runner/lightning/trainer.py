"""The Lightning trainer that a configuration describes."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.strategies import Strategy

from typedcfg.runner.lightning.callbacks.bar import Bar
from typedcfg.runner.lightning.callbacks.sample_limit import SampleLimit
from typedcfg.sections.experiment import Experiment
from typedcfg.sections.logging import Logging
from typedcfg.sections.trainer import Trainer as TrainerSection

_UNLIMITED: Final = -1
"""What Lightning calls no limit; None would mean a limit of its own choice."""


def build_trainer(
    experiment: Experiment, *callbacks: Callback, folder: Path, plugins: Sequence[Any] = (), devices: int | None = None
) -> Trainer:
    """A trainer for an experiment.

    Args:
        experiment: The whole configuration.
        callbacks: What listens to the training.
        folder: Where Lightning puts what nobody told it where to put.
        plugins: Lightning's plugins.
        devices: How many devices are computed on, if not as many as are configured.
    """
    section = experiment.trainer
    bar: list[Callback] = [Bar()] if progress_of(experiment.logging) == "bar" else []
    # First, so that whatever is saved after a step holds the step's samples.
    limit: list[Callback] = [SampleLimit(section.max_samples)] if section.max_samples else []
    return Trainer(
        max_epochs=section.max_epochs or _UNLIMITED,
        max_steps=section.max_steps or _UNLIMITED,
        accelerator=section.accelerator,
        devices=devices or section.devices,
        num_nodes=1 if devices else section.num_nodes,
        strategy=_strategy(section, devices),
        precision=section.precision,
        accumulate_grad_batches=section.accumulate_grad_batches,
        gradient_clip_val=section.gradient_clip_val,
        check_val_every_n_epoch=section.check_val_every_n_epoch,
        limit_train_batches=section.limit_train_batches,
        limit_val_batches=section.limit_val_batches,
        limit_test_batches=section.limit_test_batches,
        callbacks=[*limit, *callbacks, *bar],
        plugins=[*plugins, _environment()],
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=any(isinstance(callback, Checkpoint) for callback in callbacks),
        enable_progress_bar=bool(bar),
        enable_model_summary=False,
    )


def _environment() -> ClusterEnvironment:
    """How ranks know one another: as our launchers tell them; a job of SLURM's is no business of Lightning's."""
    return TorchElasticEnvironment() if TorchElasticEnvironment.detect() else LightningEnvironment()


def _strategy(section: TrainerSection, devices: int | None) -> Strategy | str:
    """How devices share the work: those that are configured, or so many on one machine."""
    if section.strategy == "fsdp":
        # Here, since it takes torch long to import what few use.
        from typedcfg.runner.lightning.sharded.strategy import ShardedStrategy

        return ShardedStrategy(devices or section.devices * section.num_nodes)
    return "auto" if devices == 1 else section.strategy


def progress_of(logging: Logging) -> Literal["bar", "lines", "none"]:
    """How the training shows itself: `auto` is a bar where a person watches."""
    if logging.progress == "auto":
        return "bar" if sys.stderr.isatty() else "lines"
    return logging.progress
