"""Ask an experiment's data how its loaders are cut."""

from typing import Any, Final

from lightning.pytorch import LightningDataModule
from lightning.pytorch.utilities.model_helpers import is_overridden
from torch.utils.data import DataLoader, IterableDataset

from typedcfg.errors import Problem, RunError
from typedcfg.runner.extent import LoaderShape
from typedcfg.sections.experiment import Experiment

_STAGES: Final = {"train": "fit", "val": "fit", "test": "test", "predict": "predict"}


def loader_shape(experiment: Experiment, split: str) -> LoaderShape:
    """How the loader of a split is cut, before it is shared among ranks; the data is built and prepared for that.

    Raises:
        RunError: There is no such split.
    """
    data, name = experiment.build_data(), f"{split}_dataloader"
    splits = [each for each in _STAGES if is_overridden(f"{each}_dataloader", data, LightningDataModule)]
    if split not in splits:
        raise RunError(Problem(f"the data has no split {split!r}", expected=f"one of: {', '.join(splits)}"))
    data.prepare_data()
    data.setup(_STAGES[split])
    loader: Any = getattr(data, name)()
    if not isinstance(loader, DataLoader):
        return LoaderShape(None, None)
    if loader.batch_size is None:
        return LoaderShape(None, _length(loader))
    # A data set that is iterated has no order, and so no sampler that knows its length.
    samples = loader.dataset if isinstance(loader.dataset, IterableDataset) else loader.sampler
    return LoaderShape(loader.batch_size, _length(samples), drop_last=loader.drop_last)


def _length(sized: Any) -> int | None:
    try:
        return len(sized)
    except TypeError:  # iterable data need not tell
        return None
