from collections.abc import Iterator
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, RandomSampler, SequentialSampler, TensorDataset
from typing_extensions import override

from typedcfg import Experiment
from typedcfg.errors import RunError
from typedcfg.runner.extent import LoaderShape
from typedcfg.runner.lightning.loader_shape import loader_shape


def test_a_loader_tells_how_it_is_cut(tiny: type[Experiment]) -> None:
    experiment = tiny.compile().params

    assert [loader_shape(experiment, split) for split in ("train", "test")] == [LoaderShape(4, 16), LoaderShape(4, 8)]


def test_a_split_that_there_is_not_is_refused_with_those_that_there_are(tiny: type[Experiment]) -> None:
    with pytest.raises(RunError, match=r"no split 'predict'(.|\n)*train, val, test"):
        loader_shape(tiny.compile().params, "predict")


class Stream(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        return iter(range(9))


class Counted(Stream):
    def __len__(self) -> int:
        return 9


def shape_of(loader: Any) -> LoaderShape:
    class Data(LightningDataModule):
        @override
        def train_dataloader(self) -> Any:
            return loader

    class Given(Experiment):
        @override
        def build_data(self) -> LightningDataModule:
            return Data()

    return loader_shape(Given.compile().params, "train")


NUMBERS = TensorDataset(torch.arange(9))


@pytest.mark.parametrize(
    ("loader", "shape"),
    [
        (DataLoader(NUMBERS, batch_size=4, drop_last=True), LoaderShape(4, 9, drop_last=True)),
        (DataLoader(NUMBERS, batch_size=4, sampler=RandomSampler(NUMBERS, num_samples=6)), LoaderShape(4, 6)),
        (DataLoader(NUMBERS, batch_sampler=BatchSampler(SequentialSampler(NUMBERS), 2, False)), LoaderShape(None, 5)),
        (DataLoader(NUMBERS, batch_size=None), LoaderShape(None, 9)),
        (DataLoader(Counted(), batch_size=4), LoaderShape(4, 9)),
        (DataLoader(Stream(), batch_size=4), LoaderShape(4, None)),
        ([1, 2], LoaderShape(None, None)),
    ],
)
def test_each_way_to_cut_a_loader_has_its_shape(loader: Any, shape: LoaderShape) -> None:
    assert shape_of(loader) == shape


def test_data_are_prepared_before_they_are_set_up(tiny: type[Experiment]) -> None:
    seen = []

    class Prepared(tiny):  # type: ignore[misc, valid-type]  # a class of the test's own
        def build_data(self) -> LightningDataModule:
            data: LightningDataModule = super().build_data()
            data.prepare_data = lambda: seen.append("prepared")  # type: ignore[method-assign]  # in place of a subclass
            data.setup = lambda stage: seen.append(f"set up to {stage}")  # type: ignore[method-assign]  # as above
            return data

    loader_shape(Prepared.compile().params, "test")

    assert seen == ["prepared", "set up to test"]
