"""What no checkpoint keeps, and what Lightning does not do again: brought back, or told."""

import random
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer
from lightning.pytorch.callbacks import BackboneFinetuning, GradientAccumulationScheduler
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchmetrics import MeanMetric, MetricTracker, MinMaxMetric, RunningMean, SumMetric

from typedcfg.records.checkpoint_record import committed
from typedcfg.runner.lightning.exact import ExactState
from typedcfg.runner.lightning.exact.tensors import capture_tensors
from typedcfg.runner.lightning.seeds import seed_all

FEATURES = torch.randn(24, 4, generator=torch.Generator().manual_seed(0))


class Plain(Dataset[Tensor]):
    def __len__(self) -> int:
        return len(FEATURES)

    def __getitem__(self, index: int) -> Tensor:
        return FEATURES[index]


class Drawing(Plain):
    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(3)

    def __getitem__(self, index: int) -> Tensor:
        return FEATURES[index] + torch.randn(4, generator=self.generator)


class Model(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Linear(4, 4)
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))

    def loss(self, batch: Tensor) -> Tensor:
        measured: Tensor = (self.layers(self.backbone(batch)) - batch.sum(1, keepdim=True)).pow(2).mean()
        return measured

    def training_step(self, batch: Tensor, *_: int) -> Tensor | None:
        return self.loss(batch)

    def validation_step(self, batch: Tensor, *_: object) -> None:
        self.log("val/loss", self.loss(batch))

    def configure_optimizers(self) -> Any:
        return torch.optim.Adam([one for one in self.parameters() if one.requires_grad], lr=0.05)

    def train_dataloader(self) -> Any:
        return DataLoader(Plain(), 4, shuffle=True)

    def val_dataloader(self) -> Any:
        return DataLoader(Plain(), 12)


class Freezing(Model):
    def on_train_epoch_start(self) -> None:
        self.layers[0].requires_grad_(self.current_epoch >= 1)


class Evaluating(Model):
    def on_train_epoch_start(self) -> None:
        if self.current_epoch >= 1:
            self.layers[1].eval()


class Drawn(Model):
    """Draws from generators of each kind of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.torch_generator = torch.Generator().manual_seed(3)
        self.python_generator = random.Random(3)
        self.numpy_generator = np.random.default_rng(3)

    def training_step(self, batch: Tensor, *_: int) -> Tensor:
        drawn = torch.randn(batch.shape, generator=self.torch_generator)
        return self.loss(batch + drawn * self.python_generator.random() * self.numpy_generator.random())


class OldDrawn(Model):
    def __init__(self) -> None:
        super().__init__()
        self.old = np.random.RandomState(3)


class RatedByNumpy(Model):
    """The rate is a number of numpy's, of 64 bits."""

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=np.float64(0.05))
        rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: np.cos(epoch / 5))
        return [optimizer], [rate]


class RatedInFewBits(Model):
    def configure_optimizers(self) -> Any:
        rate: Any = np.float32(0.05)  # no float to type checkers; torch takes it
        optimizer = torch.optim.SGD(self.parameters(), rate)
        return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)]


class PersistentlyValidated(Model):
    def val_dataloader(self) -> Any:
        return DataLoader(Plain(), 12, num_workers=1, persistent_workers=True)


class RandomlyValidated(Model):
    def __init__(self) -> None:
        super().__init__()
        self.drawing = Drawing()

    def val_dataloader(self) -> Any:
        return DataLoader(self.drawing, 12)


class ShuffledValidation(Model):
    def val_dataloader(self) -> Any:
        return DataLoader(Plain(), 7, shuffle=True, generator=torch.Generator().manual_seed(3))


class Collecting(Model):
    def __init__(self) -> None:
        super().__init__()
        self.losses: list[Tensor] = []

    def training_step(self, batch: Tensor, *_: int) -> Tensor:
        self.losses.append(loss := self.loss(batch))
        return loss

    def on_train_epoch_end(self) -> None:
        self.losses.clear()


class Following(Model):
    """Its backbone follows another one, and gradients flow through it."""

    def __init__(self) -> None:
        super().__init__()
        self.leading = nn.Linear(4, 4)
        self.backbone.requires_grad_(requires_grad=False)

    def on_train_batch_end(self, *_: object) -> None:
        for parameter, leading in zip(self.backbone.parameters(), self.leading.parameters(), strict=True):
            parameter.lerp_(leading, 0.1)


class Remembering(Model):
    """Notes in attributes of many kinds how far it is."""

    def __init__(self) -> None:
        super().__init__()
        self.loss_of_last, self.steps, self.phase = np.float64(0), np.int64(0), "warm"
        self.seen, self.by_size, self.named = Counter[int](), defaultdict[int, int](int), OrderedDict[int, int]()
        self.recent = deque[int](maxlen=99)

    def training_step(self, batch: Tensor, *_: int) -> Tensor:
        loss = self.loss(batch)
        self.loss_of_last, self.steps, self.phase = np.float64(loss.item()), self.steps + 1, f"after {self.steps + 1}"
        for collection in (self.seen, self.by_size, self.named):
            collection[int(self.steps)] = 1
        self.recent.append(int(self.steps))
        return loss


class Standing(Model):
    """Its attributes are what they were, and in another folder."""

    def __init__(self) -> None:
        super().__init__()
        self.best, self.rate, self.phase = float("nan"), np.float64(0.1), "warm"
        self.sizes, self.folder = deque([1, 2]), mkdtemp()


class Weighted(Model):
    def on_validation_epoch_end(self) -> None:
        self.weight = 0.5


class Caching(Model):
    @cached_property
    def width(self) -> int:
        return 4

    def training_step(self, batch: Tensor, *_: int) -> Tensor:
        return self.loss(batch) * self.width


class Manual(Model):
    """Steps after every fourth batch, of six."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch: Tensor, *numbers: int) -> None:
        self.manual_backward(self.loss(batch))
        if (numbers[0] + 1) % 4 == 0:
            self._step()

    def _step(self) -> None:
        optimizer: Any = self.optimizers()
        optimizer.step()
        optimizer.zero_grad()


class ManualInEachBatch(Manual):
    def training_step(self, batch: Tensor, *_: int) -> None:
        optimizer: Any = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(self.loss(batch))
        optimizer.step()


class Halving(Manual):
    """Steps in each batch, and scales what others zero."""

    def training_step(self, batch: Tensor, *_: int) -> None:
        self.manual_backward(self.loss(batch))
        self.optimizers().step()  # type: ignore[union-attr]  # there is one
        for parameter in self.parameters():
            assert parameter.grad is not None
            parameter.grad *= 0.5


class HalvingByHook(Model):
    def optimizer_zero_grad(self, *_: object) -> None:
        for parameter in self.parameters():
            if parameter.grad is not None:
                parameter.grad *= 0.5


class Alternating(Model):
    """Zeroed gradients are not missing ones: the head that is not trained moves on by its momentum."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList([nn.Linear(4, 1), nn.Linear(4, 1)])

    def training_step(self, batch: Tensor, *numbers: int) -> Tensor:
        head: Tensor = self.heads[numbers[0] % 2](batch)
        return head.pow(2).mean()

    def optimizer_zero_grad(self, *numbers: Any) -> None:
        numbers[2].zero_grad(set_to_none=False)


class StepsTwice(Manual):
    """One optimizer takes two steps in each batch, the other one step after each second."""

    def training_step(self, batch: Tensor, *numbers: int) -> None:
        optimizers: Any = self.optimizers()
        often, seldom = optimizers
        for _ in range(2):
            often.zero_grad()
            self.manual_backward(self.loss(batch))
            often.step()
        if numbers[0] % 2:
            seldom.step()
            seldom.zero_grad()

    def configure_optimizers(self) -> Any:
        return torch.optim.Adam(self.layers.parameters()), torch.optim.Adam(self.backbone.parameters())


class Averaging(Model):
    """Keeps averages in buffers that are in no `state_dict`."""

    set_anew: Tensor
    in_place: Tensor
    filled_later: Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("set_anew", torch.zeros(()), persistent=False)
        self.register_buffer("in_place", torch.zeros(4), persistent=False)
        self.register_buffer("filled_later", None, persistent=False)
        self.layers.register_buffer("shared", self.in_place, persistent=False)

    def training_step(self, batch: Tensor, *_: int) -> Tensor:
        self.set_anew = self.set_anew * 0.9 + batch.mean()
        self.in_place.mul_(0.9).add_(batch.mean(0))
        later = self.in_place.clone() if self.filled_later is None else self.filled_later + self.in_place
        self.filled_later = later
        assert self.layers.shared is self.in_place, "still one"
        return self.loss(batch * self.set_anew + self.in_place + later)


class Plateau(Model):
    def __init__(self, monitor: str) -> None:
        super().__init__()
        self.monitor = monitor

    def configure_optimizers(self) -> Any:
        optimizer = super().configure_optimizers()
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "monitor": self.monitor}}


class Measured(Model):
    """Is trained by what it measures: what metrics gather, and what wrappers of metrics count and compare."""

    def __init__(self) -> None:
        super().__init__()
        self.lowest, self.running = MinMaxMetric(MeanMetric()), RunningMean(4)
        self.tracker = MetricTracker(MeanMetric(), maximize=False)
        self.total, self.number, self.kept = SumMetric(), SumMetric(), MeanMetric()
        self.mean = self.total / self.number
        self.kept.persistent(mode=True)

    def training_step(self, batch: Tensor, *_: int) -> Tensor:
        loss = self.loss(batch)
        for metric in (self.lowest, self.running, self.total, self.kept):
            metric.update(loss.detach())
        self.number.update(1)
        self.log("mean", self.mean, on_step=False, on_epoch=True)
        self.log("kept", self.kept, on_step=False, on_epoch=True)
        scale = self.lowest.compute()["min"] + self.running.compute() + self.total.compute() + self.kept.compute()
        scaled: Tensor = loss * (scale + self.trainer.logged_metrics.get("best", 0))
        return scaled

    def on_validation_epoch_start(self) -> None:
        self.tracker.increment()

    def validation_step(self, batch: Tensor, *_: object) -> None:
        self.tracker.update(self.loss(batch))

    def on_validation_epoch_end(self) -> None:
        self.log("best", torch.as_tensor(self.tracker.best_metric()))


class Lazy(Model):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.LazyLinear(1))

    def configure_optimizers(self) -> Any:
        return torch.optim.Adam(self.parameters(), lr=0.05)


class Data(LightningDataModule):
    def train_dataloader(self) -> Any:
        return DataLoader(Plain(), 4, shuffle=True)

    def val_dataloader(self) -> Any:
        return DataLoader(Plain(), 12)


class DrawingData(Data):
    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(3)

    def on_after_batch_transfer(self, batch: Tensor, *_: int) -> Tensor:
        return batch + torch.randn(batch.shape, generator=self.generator)


class CountingData(Data):
    def __init__(self) -> None:
        super().__init__()
        self.batches = 0

    def on_after_batch_transfer(self, batch: Tensor, *_: int) -> Tensor:
        self.batches += 1
        return batch / self.batches


class Mixing(Callback):
    """Draws from a generator, and looks up a metric, of its own."""

    def __init__(self) -> None:
        self.generator, self.seen = np.random.default_rng(3), MeanMetric()
        self.batches = 0  # which nothing depends on

    def on_train_batch_start(self, _: Trainer, __: LightningModule, batch: Tensor, *___: int) -> None:
        self.seen.update(batch)
        self.batches += 1
        batch.add_(self.generator.random() + self.seen.compute())


class LeavingEarly(Model):
    def on_train_batch_start(self, _: Tensor, batch_idx: int) -> int | None:
        return -1 if batch_idx == 4 else None


Make = Callable[[], Callback]
_RESUMED = (1, 2, 6, 8)
"""Within the first epoch, behind it, and within the second."""
Reasons = dict[int, tuple[str, ...]]
"""By step, why a training that went on from there was not exact."""


@pytest.fixture
def resumed(tmp_path: Path, saving: Callable[..., Any]) -> Callable[..., Reasons]:
    """Train, and go on from each checkpoint; what is not the same in the end must have been told."""

    def fit(name: str, make: type[Model], made: list[Make], path: Path | None, **options: Any) -> Any:
        seed_all(1 if path is None else 5)
        callbacks = [one() for one in made]
        data = options.pop("data", lambda: None)()
        trainer, policy = saving(tmp_path / name, 3, *callbacks, exact := ExactState(seed=1), **options)
        trainer.fit(model := make(), datamodule=data, ckpt_path=path, weights_only=None if path is None else True)
        return model.state_dict(), policy, exact.not_bitwise_because

    def check(make: type[Model], *made: Make, is_same: bool = True, **options: Any) -> Reasons:
        keep = {"every_n_steps": 1, "keep_last": 99}
        whole, policy, _ = fit("whole", make, list(made), None, keep=keep, **options)
        reasons, same = {}, {}
        for path, manifest in committed(policy.checkpoints.path).items():
            if manifest.step not in _RESUMED:
                continue
            part, _, told = fit(path.stem, make, list(made), path, **options)
            reasons[manifest.step] = told
            same[manifest.step] = all(map(torch.equal, whole.values(), part.values()))
        assert all(same[step] or told for step, told in reasons.items())
        assert all(same.values()) == is_same
        return reasons

    return check


Resumed = Callable[..., Reasons]


def test_the_generators_of_a_module_go_on_where_they_stood(resumed: Resumed) -> None:
    assert set(resumed(Drawn).values()) == {()}


@pytest.mark.parametrize("make", [Freezing, Evaluating])
def test_what_an_epoch_freezes_stays_so_and_what_else_it_may_begin_with_is_doubted(
    make: type[Model], resumed: Resumed
) -> None:
    reasons = resumed(make)

    begun = f"on_train_epoch_start of {make.__name__} came before the checkpoint, and not again at a resume"
    assert reasons[8] == (begun,)
    assert reasons[6] == ()


@pytest.mark.filterwarnings("ignore:The provided params to be frozen already exist")
@pytest.mark.parametrize(
    ("callback", "is_same"),
    [
        (lambda: BackboneFinetuning(unfreeze_backbone_at_epoch=1), True),
        (lambda: GradientAccumulationScheduler({0: 1, 1: 2, 2: 3}), False),
    ],
    ids=["BackboneFinetuning", "GradientAccumulationScheduler"],
)
def test_a_callback_that_begins_epochs_is_doubted_within_them(
    callback: Make,
    is_same: bool,  # noqa: FBT001  # a table's column
    resumed: Resumed,
) -> None:
    reasons = resumed(Model, callback, is_same=is_same)

    [begun] = reasons[2]
    assert begun.startswith(f"on_train_epoch_start of {type(callback()).__name__} came before the checkpoint")
    assert reasons[6] == ()


def test_persistent_workers_of_a_validation_leave_training_alone(resumed: Resumed) -> None:
    reasons = resumed(PersistentlyValidated)

    assert set(reasons.values()) == {
        ("Plain is validated by persistent workers, whose random numbers go on from epoch to epoch",)
    }


@pytest.mark.filterwarnings(
    "ignore:Your `val_dataloader`'s sampler has shuffling enabled", "ignore:The .grad attribute of a Tensor"
)
@pytest.mark.parametrize(
    ("make", "is_same", "reason"),
    [
        (RandomlyValidated, True, "Drawing, of a validation, draws from a generator of its own"),
        (ShuffledValidation, True, "RandomSampler, of a validation, draws from a generator of its own"),
        (Collecting, True, "no checkpoint keeps losses of the module"),
        (Following, False, "no checkpoint keeps what backbone.weight, backbone.bias of the module came from"),
        (
            Remembering,
            True,
            "no checkpoint keeps loss_of_last, steps, phase, seen, by_size, named, recent of the module",
        ),
        (Weighted, True, "no checkpoint keeps weight of the module"),
        (RatedInFewBits, False, "lr of SGD is numpy's float32, and goes on as a float"),
        (OldDrawn, True, "old, a generator of the module, has a state that a checkpoint cannot keep"),
        (LeavingEarly, False, "on_train_batch_start ended an epoch early"),
    ],
)
def test_what_no_checkpoint_keeps_is_told(
    make: type[Model],
    is_same: bool,  # noqa: FBT001  # a table's column
    reason: str,
    resumed: Resumed,
) -> None:
    told = [doubt for doubts in resumed(make, is_same=is_same).values() for doubt in doubts]

    assert any(doubt.startswith(reason) for doubt in told)


def test_a_rate_of_numpy_s_goes_on_as_it_was(resumed: Resumed) -> None:
    assert set(resumed(RatedByNumpy).values()) == {()}


def test_what_is_worked_out_anew_is_not_doubted(resumed: Resumed) -> None:
    assert set(resumed(Caching).values()) == {()}


def test_what_is_as_it_was_is_not_doubted(resumed: Resumed) -> None:
    assert set(resumed(Standing).values()) == {()}


@pytest.mark.parametrize(
    "make", [Manual, ManualInEachBatch, Halving, HalvingByHook, Alternating, StepsTwice, Averaging]
)
def test_gradients_that_outlive_a_step_and_buffers_go_on_as_they_were(make: type[Model], resumed: Resumed) -> None:
    assert set(resumed(make).values()) == {()}


@pytest.mark.filterwarnings("ignore:Found 1 module")  # the tracker's, made in a validation
def test_what_metrics_measure_and_count_goes_on_as_it_was(resumed: Resumed) -> None:
    assert set(resumed(Measured).values()) == {()}


def test_what_a_data_module_and_a_callback_draw_and_measure_goes_on(resumed: Resumed) -> None:
    assert set(resumed(Model, Mixing, data=DrawingData).values()) == {()}


def test_what_a_data_module_counts_is_told(resumed: Resumed) -> None:
    [reason] = resumed(Model, data=CountingData, is_same=False)[1]

    assert reason.startswith("no checkpoint keeps batches of the data module")


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature", "ignore:The total number of parameters")
def test_a_module_that_learns_its_sizes_in_the_first_batch_is_not_doubted(resumed: Resumed) -> None:
    assert set(resumed(Lazy).values()) == {()}


def test_gradients_that_lightning_zeroes_are_not_kept() -> None:
    model, trainer = Model(), Trainer(logger=False, enable_progress_bar=False, accelerator="cpu")
    torch.autograd.backward(model.loss(FEATURES))

    states = capture_tensors(trainer, model)
    assert states is not None
    assert states["gradients"] == {}


def test_a_step_of_a_plateau_scheduler_that_had_no_metric_is_doubted(
    tmp_path: Path, saving: Callable[..., Any]
) -> None:
    failing, policy = saving(tmp_path / "failing", 2, ExactState(seed=1))
    with pytest.raises(MisconfigurationException, match="conditioned on metric val/los "):
        failing.fit(Plateau("val/los"))
    [path] = committed(policy.checkpoints.path)

    going_on, _ = saving(tmp_path / "going on", 2, exact := ExactState(seed=1))
    going_on.fit(Plateau("val/loss"), ckpt_path=path, weights_only=True)

    reason = "ReduceLROnPlateau was to step on val/los, which nothing had measured, and that step is left out"
    assert exact.not_bitwise_because == (reason,)
