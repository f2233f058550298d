"""Networks for small images of one of ten classes, and how they learn. Plain torch and Lightning: no configuration.

Axes: images are float32 [sample, channel, row, column], labels int64 [sample], scores float32 [sample, class].
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from lightning.pytorch import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassAccuracy

Batch: TypeAlias = tuple[Tensor, Tensor]

PIXELS = 8
"""Rows and columns of an image."""
CLASSES = 10
ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU}


def mlp(*, width: int, depth: int, dropout: float, activation: str) -> nn.Module:
    """Dense layers, each normalized, from images to scores."""
    layers: list[nn.Module] = [nn.Flatten()]
    size = PIXELS * PIXELS
    for _ in range(depth):
        layers += [nn.Linear(size, width), nn.LayerNorm(width), ACTIVATIONS[activation](), nn.Dropout(dropout)]
        size = width
    return nn.Sequential(*layers, nn.Linear(size, CLASSES))


def cnn(*, width: int, depth: int, dropout: float, activation: str) -> nn.Module:
    """Convolutions, each normalized, from images to scores; all but the first halve rows and columns."""
    layers: list[nn.Module] = []
    channels, pixels = 1, PIXELS
    for layer in range(depth):
        wider, stride = width * 2**layer, 1 if layer == 0 else 2
        layers += [
            nn.Conv2d(channels, wider, kernel_size=3, stride=stride, padding=1),
            nn.GroupNorm(1, wider),
            ACTIVATIONS[activation](),
        ]
        channels, pixels = wider, pixels // stride
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels * pixels**2, CLASSES))


class Classifier(LightningModule):
    """A network that learns classes, and reports its loss and its accuracy once an epoch."""

    def __init__(
        self, network: nn.Module, *, optimizer: Callable[[Iterable[nn.Parameter]], Optimizer], warmup: float
    ) -> None:
        """Train a network.

        Args:
            network: From images to scores.
            optimizer: Makes the optimizer of the network's parameters; its learning rate is the highest.
            warmup: Share of all steps in which the learning rate rises to its highest, in (0, 1).
        """
        super().__init__()
        self.network = network
        self.make_optimizer = optimizer
        self.warmup = warmup
        # These add up sums and counts over batches and processes, so that a smaller last batch weighs less.
        self.mean_loss = MeanMetric()
        self.accuracy = MulticlassAccuracy(CLASSES, average="micro")

    def forward(self, images: Tensor) -> Tensor:
        """The scores of images."""
        scores: Tensor = self.network(images)
        return scores

    def training_step(self, batch: Batch) -> Tensor:
        """The loss to descend."""
        images, labels = batch
        loss = cross_entropy(self(images), labels)
        self.log("train/loss", loss, on_step=False, on_epoch=True, sync_dist=True, batch_size=len(labels))
        return loss

    def validation_step(self, batch: Batch) -> None:
        """Measure on one batch of validation digits."""
        self._measure("val", batch)

    def test_step(self, batch: Batch) -> None:
        """Measure on one batch of test digits."""
        self._measure("test", batch)

    def _measure(self, split: str, batch: Batch) -> None:
        images, labels = batch
        scores = self(images)
        self.mean_loss.update(cross_entropy(scores, labels), weight=len(labels))
        self.accuracy.update(scores, labels)
        self.log_dict({f"{split}/loss": self.mean_loss, f"{split}/accuracy": self.accuracy}, on_epoch=True)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The optimizer, its learning rate set anew for each step."""
        optimizer = self.make_optimizer(self.network.parameters())
        total_steps = max(3, int(self.trainer.estimated_stepping_batches))
        schedule = OneCycleLR(
            optimizer,
            max_lr=optimizer.param_groups[0]["lr"],
            total_steps=total_steps,
            pct_start=max(self.warmup, 2 / total_steps),  # a rise of less than a step divides by zero
            cycle_momentum=False,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
