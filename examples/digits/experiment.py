"""Handwritten digits, told apart by a small network: the experiment to start from.

`typedcfg help examples/digits/experiment.py:Digits` prints what can be set. Nothing heavy is imported before a run
starts: torch and lightning come in with the builders, from `digits_model.py` and `digits_data.py` beside this file.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from typedcfg import ConfigTemplate, Experiment, NotInIdentity, Unit, derived, section

if TYPE_CHECKING:
    from lightning.pytorch import LightningDataModule, LightningModule
    from torch import nn
    from torch.optim import Optimizer

Activation = Literal["relu", "gelu", "silu"]
"""What stands between two layers."""


class Data(ConfigTemplate):
    """Which digits, and which of them are kept for validation and test."""

    name: Literal["optdigits"] = "optdigits"
    """1,797 digits of 13 writers, 8 x 8 pixels each, as scikit-learn ships them (Alpaydin & Kaynak 1998)."""
    sha256: str = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
    """Checksum of pixels and labels, compared when they are loaded: other data are another run."""
    val_share: Annotated[float, Gt(0), Lt(0.5)] = 0.15
    """Part of all digits to validate on."""
    test_share: Annotated[float, Gt(0), Lt(0.5)] = 0.15
    """Part of all digits to test on."""
    split_seed: Annotated[int, Ge(0)] = 0
    """Deals the digits out. Apart from `run.seed`, so that runs with other seeds are judged by the same digits."""


class Loader(ConfigTemplate):
    """How digits are put together into batches."""

    batch_size: Annotated[int, Gt(0), Unit("samples")] = 128
    """Digits per step and process."""
    num_workers: Annotated[int, Ge(0), Unit("processes"), NotInIdentity()] = 0
    """Processes that read ahead; with none, the training reads for itself."""


class Mlp(ConfigTemplate):
    """Dense layers over all pixels at once."""

    kind: Literal["mlp"] = "mlp"
    width: Annotated[int, Gt(0), Unit("neurons")] = 64
    """Size of each hidden layer."""
    depth: Annotated[int, Ge(1), Unit("layers")] = 2
    """Number of hidden layers."""
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Share of neurons that a training step leaves out."""
    activation: Activation = "relu"

    def build(self) -> "nn.Module":
        """The network, with fresh weights."""
        from digits_model import mlp

        return mlp(**self.arguments())


class Cnn(ConfigTemplate):
    """Convolutions, each of which but the first halves the image and doubles the channels."""

    kind: Literal["cnn"] = "cnn"
    width: Annotated[int, Gt(0), Unit("channels")] = 24
    """Channels of the first convolution."""
    depth: Annotated[int, Ge(1), Le(4), Unit("layers")] = 3
    """Number of convolutions; after four, one pixel is left."""
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.3
    """Share of features that a training step hides from the last layer."""
    activation: Activation = "relu"

    def build(self) -> "nn.Module":
        """The network, with fresh weights."""
        from digits_model import cnn

        return cnn(**self.arguments())


class AdamW(ConfigTemplate):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""

    kind: Literal["adamw"] = "adamw"
    lr: Annotated[float, Gt(0)] = derived(lambda c: c.root.loader.batch_size / 128 * 0.01)
    """The highest learning rate; it grows with the batch, so that one batch size can be tried after another."""
    weight_decay: Annotated[float, Ge(0)] = 0.01

    def build(self, parameters: Iterable["nn.Parameter"]) -> "Optimizer":
        """The optimizer of these parameters."""
        import torch

        return torch.optim.AdamW(parameters, **self.arguments())


class Sgd(ConfigTemplate):
    """Stochastic gradient descent with momentum."""

    kind: Literal["sgd"] = "sgd"
    lr: Annotated[float, Gt(0)] = derived(lambda c: c.root.loader.batch_size / 128 * 0.1)
    """The highest learning rate; it grows with the batch, so that one batch size can be tried after another."""
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.9
    weight_decay: Annotated[float, Ge(0)] = 1e-4

    def build(self, parameters: Iterable["nn.Parameter"]) -> "Optimizer":
        """The optimizer of these parameters."""
        import torch

        return torch.optim.SGD(parameters, **self.arguments())


class Schedule(ConfigTemplate):
    """The learning rate over all steps: a rise to its highest, then half a cosine down to nearly nothing."""

    warmup: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of all steps that the rise takes."""


class Digits(Experiment):
    """Tell handwritten digits apart: about 97 of 100, after a few seconds on a CPU."""

    data: Data
    loader: Loader
    model: Mlp | Cnn = section(Mlp)
    optimizer: AdamW | Sgd = section(AdamW)
    schedule: Schedule

    def build_model(self) -> "LightningModule":
        """The network, with how it is trained and what is measured."""
        from digits_model import Classifier

        return Classifier(self.model.build(), optimizer=self.optimizer.build, warmup=self.schedule.warmup)

    def build_data(self) -> "LightningDataModule":
        """The digits, split and in batches."""
        from digits_data import DigitsData

        return DigitsData(self.data, self.loader)


if __name__ == "__main__":
    from typedcfg import main

    main(Digits)
