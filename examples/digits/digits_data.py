"""The digits that scikit-learn ships, split and in batches.

Axes: images are float32 [sample, channel, row, column] in [0, 1], labels int64 [sample].

Source:
    E. Alpaydin & C. Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
    https://doi.org/10.24432/C50P49
"""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from lightning.pytorch.overrides.distributed import UnrepeatedDistributedSampler
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset
from typing_extensions import override

if TYPE_CHECKING:
    from experiment import Data, Loader

Sample: TypeAlias = tuple[Tensor, ...]
"""An image and its label."""

BLACK = 16
"""The value of a pixel that is all ink."""


class DigitsData(LightningDataModule):
    """Digits to train, validate and test on; each split has the same mix of the ten."""

    def __init__(self, data: "Data", loader: "Loader") -> None:
        """Remember what to read; nothing is read yet."""
        super().__init__()
        self.data = data
        self.loader = loader

    @override
    def setup(self, stage: str) -> None:
        """Read the digits and deal them out, alike in every process."""
        digits = read_digits(self.data.sha256)
        rest, test = self._deal(digits, range(len(digits)), self.data.test_share)
        train, val = self._deal(digits, rest, self.data.val_share)
        self.train, self.val, self.test = (Subset(digits, part) for part in (train, val, test))

    def _deal(self, digits: TensorDataset, indices: Sequence[int], share: float) -> list[list[int]]:
        """Part the indices in two, the second a share of all digits, both with the same mix of the ten."""
        labels = digits.tensors[1][indices]
        size = round(share * len(digits))
        seed = self.data.split_seed
        parts: list[list[int]] = train_test_split(indices, test_size=size, stratify=labels, random_state=seed)
        return parts

    @override
    def train_dataloader(self) -> DataLoader[Sample]:
        """Digits to train on, in another order each epoch."""
        return DataLoader(self.train, shuffle=True, **self.loader.arguments())

    @override
    def val_dataloader(self) -> DataLoader[Sample]:
        """Digits to validate on."""
        return self._each_once(self.val)

    @override
    def test_dataloader(self) -> DataLoader[Sample]:
        """Digits to test on."""
        return self._each_once(self.test)

    def _each_once(self, digits: Dataset[Sample]) -> DataLoader[Sample]:
        assert self.trainer is not None, "Lightning asks for loaders once a trainer is there"
        # Lightning's own choice repeats digits where they do not divide by the number of processes.
        sampler = UnrepeatedDistributedSampler(
            digits, num_replicas=self.trainer.world_size, rank=self.trainer.global_rank, shuffle=False
        )
        return DataLoader(digits, sampler=sampler, **self.loader.arguments())


def read_digits(sha256: str) -> TensorDataset:
    """All digits, in the order of scikit-learn.

    Args:
        sha256: What the checksum of pixels and labels must be.

    Raises:
        ValueError: It is another.
    """
    digits = load_digits()
    pixels, labels = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    found = hashlib.sha256(pixels.tobytes() + labels.tobytes()).hexdigest()
    if found != sha256:
        raise ValueError(f"these are other digits: data.sha256 is {sha256}, and scikit-learn's have {found}")
    images = torch.from_numpy(pixels).unsqueeze(1) / BLACK
    return TensorDataset(images, torch.from_numpy(labels).long())
