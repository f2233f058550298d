"""What `test_exact` tests between epochs, from a checkpoint in the midst of one."""

import random
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.utilities.combined_loader import CombinedLoader
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, WeightedRandomSampler
from torchmetrics import MeanMetric

from typedcfg.records.checkpoint_record import committed
from typedcfg.runner.failure import Preempted
from typedcfg.runner.lightning.callbacks.pulse import Pulse
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.exact import ExactState
from typedcfg.runner.lightning.exact.loaders import is_plain
from typedcfg.runner.lightning.loading import ExactLoader
from typedcfg.runner.lightning.seeds import seed_all

FEATURES = torch.randn(24, 4, generator=torch.Generator().manual_seed(0))


class Noisy(Dataset[Tensor]):
    """Augments from the global generators."""

    def __len__(self) -> int:
        return len(FEATURES)

    def __getitem__(self, index: int) -> Tensor:
        return FEATURES[index] + 0.1 * torch.randn(4) + 0.1 * random.random()


class Streamed(IterableDataset[Tensor]):
    """Has no length, and shuffles as it goes."""

    def __init__(self, data: Any = None) -> None:
        self.data = Noisy() if data is None else data

    def __iter__(self) -> Iterator[Tensor]:
        for index in torch.randperm(len(self.data)).tolist():
            yield self.data[index]


class OwnGenerator(Noisy):
    def __init__(self) -> None:
        self.random = random.Random(1)


class Shuffling:
    """A sampler of no known make."""

    def __len__(self) -> int:
        return len(FEATURES)

    def __iter__(self) -> Iterator[int]:
        indices = list(range(len(FEATURES)))
        random.shuffle(indices)
        return iter(indices)


class Rotating:
    """A sampler that is told the epoch, and has no length."""

    epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        return iter([(index + 5 * self.epoch) % len(FEATURES) for index in range(len(FEATURES))])


class Endless:
    """A sampler that does not say how many samples it gives."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(FEATURES)))


class OwnPlace:
    """A loader of its own kind that keeps its place."""

    def __init__(self, *, sized: bool) -> None:
        self.place = 0
        if sized:
            self.__class__ = type("SizedOwnPlace", (OwnPlace,), {"__len__": lambda _: 6})

    def __iter__(self) -> Iterator[Tensor]:
        self.place %= 6
        while self.place < 6:
            self.place += 1
            yield FEATURES[4 * self.place - 4 : 4 * self.place]

    def state_dict(self) -> dict[str, int]:
        return {"place": self.place}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.place = state["place"]


class GoesOn:
    """A loader that keeps its place from epoch to epoch, and whose end is one that has to be gone through."""

    def __init__(self, length: int, *, sized: bool = True) -> None:
        self.length, self.place, self.left = length, 0, 0
        if sized:
            self.__class__ = type("SizedGoesOn", (GoesOn,), {"__len__": lambda self: self.length})
        self.is_told = False

    def __iter__(self) -> Iterator[Tensor]:
        if not self.is_told:
            self.left = self.length
        self.is_told = False
        while self.left:
            self.left, self.place = self.left - 1, self.place + 5
            yield FEATURES[self.place % 20 : self.place % 20 + 4]

    def state_dict(self) -> dict[str, int]:
        return {"place": self.place, "left": self.left}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.place, self.left, self.is_told = state["place"], state["left"], True


class OwnLoader(DataLoader[Tensor]):
    pass


def plain(*, batch_size: int = 4, **options: Any) -> DataLoader[Tensor]:
    return DataLoader(Noisy(), batch_size, **options)


LOADERS: dict[str, Callable[[], Any]] = {
    "plain": lambda: plain(shuffle=True),
    "own generator": lambda: plain(shuffle=True, generator=torch.Generator().manual_seed(7)),
    "exact": lambda: ExactLoader(Noisy(), 4, shuffle=True, seed=9),
    "exact without seed": lambda: ExactLoader(Noisy(), 4, shuffle=True),
    "weighted": lambda: plain(sampler=WeightedRandomSampler([0.5, 1.0] * 12, 24)),
    "own sampler": lambda: plain(sampler=Shuffling()),
    "list": lambda: [plain(shuffle=True), DataLoader(Noisy(), 3, shuffle=True)],
    "cycle": lambda: {"long": plain(shuffle=True), "short": DataLoader(Noisy(), 12, shuffle=True)},
    "min size": lambda: CombinedLoader([plain(shuffle=True), DataLoader(Noisy(), 3)], "min_size"),
    "max size": lambda: CombinedLoader([plain(shuffle=True), DataLoader(Noisy(), 12, shuffle=True)], "max_size_cycle"),
    "none where short": lambda: CombinedLoader([plain(shuffle=True), DataLoader(Noisy(), 12)], "max_size"),
    "shortest first": lambda: CombinedLoader([DataLoader(Noisy(), 5, shuffle=True), plain()], "min_size"),
    "cycle without length": lambda: [plain(shuffle=True), DataLoader(Streamed(), batch_size=13)],
    "cycle of streams": lambda: [DataLoader(Streamed(), batch_size=4), DataLoader(Streamed(), batch_size=13)],
    "cycle of own class": lambda: [plain(shuffle=True), OwnLoader(Noisy(), batch_size=12, shuffle=True)],
    "iterable": lambda: DataLoader(Streamed(), batch_size=4),
    "iterable and plain": lambda: [DataLoader(Streamed(), batch_size=4), DataLoader(Noisy(), 12, shuffle=True)],
    "own class": lambda: OwnLoader(Noisy(), batch_size=4, shuffle=True),
    "own class told the epoch": lambda: OwnLoader(Noisy(), batch_size=4, sampler=Rotating()),
    "own place": lambda: OwnPlace(sized=True),
    "own place without length": lambda: OwnPlace(sized=False),
}
WORKERS: dict[str, Callable[[], Any]] = {
    "workers": lambda: plain(shuffle=True, num_workers=2),
    "persistent workers": lambda: plain(shuffle=True, num_workers=1, persistent_workers=True),
    "iterable worker": lambda: DataLoader(Streamed(), batch_size=4, num_workers=1),
}


class Model(LightningModule):
    def __init__(self, load: Callable[[], Any], *, plateau: str | None = None, **schedule: Any) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))
        self.load, self.plateau, self.schedule = load, plateau, schedule
        self.logged_metric, self.own_metric = MeanMetric(), MeanMetric()
        self.measured: list[dict[str, float]] = []

    def training_step(self, batch: Any, *_: object) -> Any:
        parts = batch.values() if isinstance(batch, dict) else batch if isinstance(batch, list) else [batch]
        values = torch.cat([part for part in parts if part is not None])
        loss: Tensor = (self.layers(values) - values.sum(1, keepdim=True)).pow(2).mean()
        self.logged_metric(loss.detach())
        self.own_metric(loss.detach())
        self.log("loss", loss, on_step=True, on_epoch=True, batch_size=len(values))
        self.log("most", loss, reduce_fx="max", on_step=False, on_epoch=True)
        self.log("metric", self.logged_metric, on_step=False, on_epoch=True)
        return {"loss": loss, "metrics": {"returned": loss}}

    def validation_step(self, batch: Tensor, *_: object) -> Any:
        self.log("val", measured := self.layers(batch).pow(2).mean() + torch.rand(()))
        return {"metrics": {"val/returned": measured}}

    def on_train_epoch_end(self) -> None:
        self.log("own", self.own_metric.compute())
        self.own_metric.reset()

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.05)
        if self.plateau is None:
            return [optimizer], [
                {"scheduler": torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9), "interval": "step"}
            ]
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, threshold=1e9)
        schedule = {"interval": "step", "strict": False, **self.schedule}
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "monitor": self.plateau, **schedule}}

    def train_dataloader(self) -> Any:
        return self.load()

    def val_dataloader(self) -> DataLoader[Tensor]:
        return DataLoader(Noisy(), batch_size=12)


class Averaged(Model):
    def on_train_batch_end(self, *_: object) -> None:
        self.averaged = weights(self)


class Following(Model):
    """Draws its weights towards their running average in its own hook, and logs there."""

    def __init__(self, load: Callable[[], Any]) -> None:
        super().__init__(load)
        self.average: Tensor
        self.register_buffer("average", weights(self))

    def on_train_batch_end(self, *_: object) -> None:
        with torch.no_grad():
            self.average.lerp_(weights(self), 0.3)
            for parameter in self.parameters():
                parameter.lerp_(self.average.mean(), 0.1)
        self.log("average", self.average.mean(), on_step=False, on_epoch=True)


class Blurred(Model):
    """Draws a random number for each step of its scheduler."""

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        super().lr_scheduler_step(scheduler, float(metric) + torch.rand(()).item())


class SaveAt(Checkpoint):
    """Saves behind one step, and notes what each epoch measured."""

    def __init__(self, path: Path, step: int, hook: str = "on_train_batch_end") -> None:
        self.path, self.step = path, step
        self.epochs: list[dict[str, float]] = []
        setattr(self, hook, self.save)

    def save(self, trainer: Trainer, *_: object) -> None:
        if trainer.global_step == self.step and not self.path.exists() and not trainer.sanity_checking:
            trainer.save_checkpoint(self.path)

    def on_train_epoch_end(self, trainer: Trainer, *_: object) -> None:
        self.epochs.append({name: float(value) for name, value in trainer.callback_metrics.items()})


def weights(module: LightningModule) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


MakeTrainer = Callable[..., Trainer]


@pytest.fixture
def resumed(tmp_path: Path, trainer: MakeTrainer) -> Callable[..., tuple[str, ...]]:
    """Train, and train again from a checkpoint of that training; both must come to the same."""

    def check(
        load: Callable[[], Any], step: int, *, hook: str = "on_train_batch_end", **options: Any
    ) -> tuple[str, ...]:
        plateau, epochs = options.pop("plateau", None), options.pop("epochs", 3)
        seed_all(1)
        whole = Model(load, plateau=plateau)
        saving = SaveAt(tmp_path / "step.ckpt", step, hook)
        trainer(epochs, ExactState(seed=1), saving, **options).fit(whole)
        seed_all(5)
        rest = Model(load, plateau=plateau)
        noting = SaveAt(tmp_path / "step.ckpt", -1)
        again = trainer(epochs, exact := ExactState(seed=1), noting, **options)
        again.fit(rest, ckpt_path=saving.path, weights_only=True)

        assert torch.equal(weights(rest), weights(whole))
        assert noting.epochs == saving.epochs[-len(noting.epochs) :]
        assert noting.epochs
        return exact.not_bitwise_because

    return check


Resumed = Callable[..., tuple[str, ...]]
WITHOUT_VALIDATION = {"limit_val_batches": 0}


@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
@pytest.mark.parametrize("step", [2, 9])
def test_a_training_resumed_within_an_epoch_is_bitwise_the_one_that_never_stopped(
    load: Callable[[], Any], step: int, resumed: Resumed
) -> None:
    assert resumed(load, step, **WITHOUT_VALIDATION) == ()


@pytest.mark.parametrize(
    ("load", "told_at"),
    [
        (lambda: GoesOn(6), []),
        (lambda: GoesOn(6, sized=False), []),
        (lambda: [plain(shuffle=True), GoesOn(6)], []),
        (lambda: [plain(shuffle=True), GoesOn(3)], []),
        (lambda: CombinedLoader([plain(shuffle=True), GoesOn(3)], "min_size"), []),
        (lambda: CombinedLoader([plain(shuffle=True), GoesOn(3)], "max_size"), [3, 5]),
        (lambda: [plain(shuffle=True), GoesOn(6, sized=False)], [2, 3, 5, 8]),
    ],
    ids=["alone", "no length", "cycle", "short in a cycle", "min size", "max size", "no length in a cycle"],
)
def test_a_loader_that_goes_on_from_epoch_to_epoch_goes_on_after_a_resume(
    load: Callable[[], Any], told_at: list[int], tmp_path: Path, saving: Callable[..., Any]
) -> None:
    keep = {"every_n_steps": 1, "keep_last": 99}
    seed_all(1)
    before, policy = saving(tmp_path / "whole", 2, ExactState(seed=1), keep=keep, **WITHOUT_VALIDATION)
    before.fit(whole := Model(load))

    for path, manifest in committed(policy.checkpoints.path).items():
        if manifest.step not in {2, 3, 5, 6, 8} or manifest.epoch == 2:
            continue
        again, _ = saving(tmp_path / path.stem, 2, exact := ExactState(seed=1), **WITHOUT_VALIDATION)
        again.fit(rest := Model(load), ckpt_path=path, weights_only=True)

        assert torch.equal(weights(rest), weights(whole)) or exact.not_bitwise_because
        assert bool(exact.not_bitwise_because) == (manifest.step in told_at), manifest.step


@pytest.mark.parametrize("load", WORKERS.values(), ids=WORKERS)
def test_so_is_one_whose_samples_are_augmented_by_workers(load: Callable[[], Any], resumed: Resumed) -> None:
    assert resumed(load, 9, epochs=2, **WITHOUT_VALIDATION) == ()


@pytest.mark.parametrize(
    ("options", "step"),
    [
        ({"accumulate_grad_batches": 2}, 4),
        ({"val_check_interval": 2, "num_sanity_val_steps": 1}, 3),
        ({"val_check_interval": 2, "hook": "on_validation_end"}, 8),
        ({"hook": "on_validation_end"}, 6),
        ({"limit_train_batches": 5, "epochs": 2}, 7),
        ({"reload_dataloaders_every_n_epochs": 1}, 9),
        ({"check_val_every_n_epoch": 2}, 14),
        ({"precision": "bf16-mixed"}, 9),
        ({"plateau": "loss"}, 3),
        ({"plateau": "loss", "accumulate_grad_batches": 2}, 4),
        ({"plateau": "val", "val_check_interval": 1, "hook": "on_validation_end"}, 2),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else None,
)
def test_so_is_one_that_does_more_than_step(options: dict[str, Any], step: int, resumed: Resumed) -> None:
    assert resumed(LOADERS["plain"], step, **options) == ()


@pytest.mark.parametrize(
    "kind",
    [
        partial(DataLoader, shuffle=True),
        partial(OwnLoader, shuffle=True),
        lambda data, **options: DataLoader(Streamed(data), **options),
    ],
    ids=["plain", "own class", "iterable"],
)
@pytest.mark.parametrize("every", [1, 2, 3])
def test_so_is_one_whose_loaders_are_built_anew_by_chance_and_epoch(
    every: int, kind: Callable[..., DataLoader[Any]], tmp_path: Path, saving: Callable[..., Any]
) -> None:
    class Rebuilding(Model):
        def train_dataloader(self) -> Any:
            chosen = torch.randperm(24)[: 24 - 4 * self.current_epoch].tolist()
            return kind(Subset(Noisy(), chosen), batch_size=8)

    options = {"reload_dataloaders_every_n_epochs": every, **WITHOUT_VALIDATION}
    keep = {"every_n_steps": 1, "keep_last": 99}
    seed_all(1)
    before, policy = saving(tmp_path / "whole", 5, ExactState(seed=1), keep=keep, **options)
    before.fit(whole := Rebuilding(LOADERS["plain"]))

    for path in committed(policy.checkpoints.path):
        seed_all(5)
        again, _ = saving(tmp_path / path.stem, 5, exact := ExactState(seed=1), **options)
        again.fit(rest := Rebuilding(LOADERS["plain"]), ckpt_path=path, weights_only=True)

        assert torch.equal(weights(rest), weights(whole)), path.name
        assert exact.not_bitwise_because == ()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_sanity_val_steps": 1},
        {"check_val_every_n_epoch": 2},
        {"check_val_every_n_epoch": 2, "num_sanity_val_steps": 1},
        {"reload_dataloaders_every_n_epochs": 1},
        {"reload_dataloaders_every_n_epochs": 2, "val_check_interval": 2},
        {"reload_dataloaders_every_n_epochs": 3, "check_val_every_n_epoch": 2, "num_sanity_val_steps": 1},
    ],
    ids=lambda options: "-".join(options) or "once",
)
def test_so_is_one_that_is_validated_by_what_chance_and_epoch_chose(
    options: dict[str, Any], tmp_path: Path, saving: Callable[..., Any]
) -> None:
    class PartlyValidated(Model):
        def val_dataloader(self) -> DataLoader[Tensor]:
            chosen = torch.randperm(24)[: 12 - 2 * self.current_epoch].tolist()
            return DataLoader(Subset(Noisy(), chosen), batch_size=8)

    keep, load = {"every_n_steps": 1, "keep_last": 99}, lambda: plain(batch_size=8)
    seed_all(1)
    before, policy = saving(tmp_path / "whole", 4, ExactState(seed=1), keep=keep, **options)
    before.fit(whole := PartlyValidated(load))
    results = policy.recorder.results

    for path, manifest in committed(policy.checkpoints.path).items():
        seed_all(5)
        again, rest = saving(tmp_path / path.stem, 4, ExactState(seed=1), **options)
        again.fit(part := PartlyValidated(load), ckpt_path=path, weights_only=True)

        assert torch.equal(weights(part), weights(whole)), path.name
        for epoch in range(manifest.epoch + 1, 5):
            assert rest.recorder.results[epoch].splits == results[epoch].splits, path.name


@pytest.mark.filterwarnings("ignore:ReduceLROnPlateau conditioned on metric val:RuntimeWarning")
@pytest.mark.parametrize(
    ("make", "options"),
    [
        (Following, {}),
        (Following, {"accumulate_grad_batches": 2}),
        (partial(Model, plateau="loss"), {}),
        (partial(Model, plateau="loss"), {"accumulate_grad_batches": 2}),
        (partial(Model, plateau="val"), {"val_check_interval": 2}),
        (partial(Blurred, plateau="loss"), {}),
    ],
    ids=["following", "following-2", "plateau", "plateau-2", "plateau-val", "plateau-blurred"],
)
def test_so_is_one_from_whatever_checkpoint_a_policy_wrote(
    make: Callable[[Callable[[], Any]], Model], options: dict[str, Any], tmp_path: Path, saving: Callable[..., Any]
) -> None:
    keep = {"every_n_steps": 1, "keep_last": 99}
    seed_all(1)
    before, policy = saving(tmp_path / "whole", 1, ExactState(seed=1), keep=keep, **options)
    before.fit(whole := make(LOADERS["plain"]))
    written = committed(policy.checkpoints.path)

    for path in written:
        seed_all(5)
        again, rest = saving(tmp_path / path.stem, 1, exact := ExactState(seed=1), **options)
        again.fit(part := make(LOADERS["plain"]), ckpt_path=path, weights_only=True)

        assert all(map(torch.equal, whole.state_dict().values(), part.state_dict().values()))
        assert again.optimizers[0].param_groups[0]["lr"] == before.optimizers[0].param_groups[0]["lr"]
        for epoch, result in rest.recorder.results.items():
            assert result.splits == policy.recorder.results[epoch].splits
        assert exact.not_bitwise_because == ()
    assert sum(manifest.is_inside_epoch for manifest in written.values()) >= 2


@pytest.mark.filterwarnings("ignore:ReduceLROnPlateau conditioned on metric val:RuntimeWarning")
@pytest.mark.parametrize(
    ("monitor", "frequency", "options"),
    [
        ("most", 1, {}),
        ("most", 2, {}),
        ("val", 1, {}),
        ("val", 1, {"check_val_every_n_epoch": 2}),
        ("val", 1, {"max_steps": 16}),
    ],
)
def test_so_is_one_whose_rate_follows_its_epochs(
    monitor: str, frequency: int, options: dict[str, Any], tmp_path: Path, saving: Callable[..., Any]
) -> None:
    schedule: dict[str, Any] = {
        "plateau": monitor,
        "interval": "epoch",
        "frequency": frequency,
        "strict": monitor == "most",
    }
    keep = {"every_n_steps": 1, "keep_last": 99}
    seed_all(1)
    before, policy = saving(tmp_path / "whole", 3, ExactState(seed=1), keep=keep, **options)
    before.fit(whole := Model(LOADERS["plain"], **schedule))
    rate = before.lr_scheduler_configs[0].scheduler.state_dict()

    for path in list(committed(policy.checkpoints.path))[:-1]:  # after the last no step is taken
        again, _ = saving(tmp_path / path.stem, 3, ExactState(seed=1), **options)
        again.fit(rest := Model(LOADERS["plain"], **schedule), ckpt_path=path, weights_only=True)

        assert again.lr_scheduler_configs[0].scheduler.state_dict() == rate, path.name
        assert torch.equal(weights(rest), weights(whole)), path.name


@pytest.mark.parametrize(
    ("epochs", "options"),
    [(-1, {}), (4, {"val_check_interval": 2}), (-1, {"accumulate_grad_batches": 2, "limit_val_batches": 0})],
)
def test_so_is_one_that_ends_by_its_steps(
    epochs: int, options: dict[str, Any], tmp_path: Path, saving: Callable[..., Any]
) -> None:
    options = {"max_steps": 8 if "accumulate_grad_batches" in options else 14, **options}
    keep = {"every_n_steps": 1, "keep_last": 99}
    seed_all(1)
    before, policy = saving(tmp_path / "whole", epochs, ExactState(seed=1), keep=keep, **options)
    before.fit(whole := Model(LOADERS["plain"]))
    written = committed(policy.checkpoints.path)

    for path, manifest in list(written.items())[:-1]:  # after the last no step is taken
        seed_all(5)
        again, rest = saving(tmp_path / path.stem, epochs, exact := ExactState(seed=1), **options)
        again.fit(part := Model(LOADERS["plain"]), ckpt_path=path, weights_only=True)

        lines = (tmp_path / path.stem / "results.jsonl").read_text().splitlines()
        assert torch.equal(weights(part), weights(whole)), path.name
        assert rest.recorder.results.keys() == set(range(manifest.epoch + 1, 4))
        assert len(lines) == len(rest.recorder.results)
        for epoch, result in rest.recorder.results.items():
            was = policy.recorder.results[epoch]
            assert (result.step, result.samples, result.splits) == (was.step, was.samples, was.splits)
        assert again.current_epoch == before.current_epoch
        assert exact.not_bitwise_because == ()
    assert {manifest.is_inside_epoch for manifest in written.values()} == {True, False}


@pytest.mark.parametrize("is_after_fit", [False, True])
def test_so_is_one_that_is_to_take_more_steps_than_it_took(
    tmp_path: Path, saving: Callable[..., Any], *, is_after_fit: bool
) -> None:
    seed_all(1)
    longer, _ = saving(tmp_path / "longer", -1, ExactState(seed=1), max_steps=14)
    longer.fit(whole := Model(LOADERS["plain"]))
    seed_all(1)
    shorter, policy = saving(tmp_path / "first", -1, ExactState(seed=1), max_steps=6)
    shorter.fit(Model(LOADERS["plain"]))
    path = policy.checkpoints.step(6)
    if is_after_fit:
        shorter.save_checkpoint(path := tmp_path / "after.ckpt")

    going_on, _ = saving(tmp_path / "rest", -1, exact := ExactState(seed=1), max_steps=14)
    going_on.fit(rest := Model(LOADERS["plain"]), ckpt_path=path)

    assert torch.equal(weights(rest), weights(whole))
    assert going_on.current_epoch == longer.current_epoch
    assert exact.not_bitwise_because == ()


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (partial(Model, plateau="most", interval="epoch"), {}),
        (partial(Model, plateau="loss"), {"accumulate_grad_batches": 2}),
        (Model, {"val_check_interval": 0.5}),
    ],
    ids=["plateau", "accumulating", "validating"],
)
def test_so_is_one_that_is_to_take_more_steps_but_from_where_they_ended_an_epoch_early(
    make: Callable[[Callable[[], Any]], Model], options: dict[str, Any], tmp_path: Path, saving: Callable[..., Any]
) -> None:
    def fit(folder: str, steps: int, path: Path | None = None) -> tuple[Any, ...]:
        seed_all(1 if path is None else 5)
        keep = {"every_n_steps": 1, "keep_last": 99}
        options_of_all = {"max_steps": steps, "limit_train_batches": 4, "keep": keep, **options}
        trainer, policy = saving(tmp_path / folder, -1, exact := ExactState(seed=1), **options_of_all)
        trainer.fit(model := make(LOADERS["plain"]), ckpt_path=path)
        rate = trainer.lr_scheduler_configs[0].scheduler.state_dict()
        return weights(model), rate, list(committed(policy.checkpoints.path)), exact.not_bitwise_because

    whole, rate, _, _ = fit("whole", 8)
    *_, written, _ = fit("cut", 5)
    *_, before, last = written

    on, rate_on, _, told = fit("on", 8, before)
    assert torch.equal(on, whole)
    assert (rate_on, told) == (rate, ())
    *_, told = fit("behind", 8, last)
    assert told == (
        "max_steps ended an epoch early: with more steps, the rest of that epoch's batches would have come next",
    )


def test_an_epoch_that_ended_early_is_none_for_a_rate_that_follows_epochs(
    tmp_path: Path, saving: Callable[..., Any]
) -> None:
    make = partial(Model, LOADERS["plain"], plateau="most", interval="epoch")
    cut, policy = saving(tmp_path / "cut", -1, ExactState(seed=1), max_steps=8)
    cut.fit(make())
    taken = cut.lr_scheduler_configs[0].scheduler.last_epoch

    on, _ = saving(tmp_path / "on", -1, ExactState(seed=1), max_steps=9)
    on.fit(make(), ckpt_path=policy.find_resumable().path)

    assert taken == 1
    assert on.lr_scheduler_configs[0].scheduler.last_epoch == taken


def test_so_is_one_that_was_stopped(tmp_path: Path, saving: Callable[..., Any], trainer: MakeTrainer) -> None:
    class Ask(Callback):
        def on_train_batch_start(self, trainer: Trainer, *_: object) -> None:
            if trainer.global_step == 3:
                signal.raise_signal(signal.SIGTERM)

    seed_all(1)
    trainer(2, ExactState(seed=1)).fit(whole := Following(LOADERS["plain"]))
    seed_all(1)
    pulse = Pulse()
    stopped, policy = saving(tmp_path / "stopped", 2, ExactState(seed=1), Ask(), pulse)
    pulse.save = policy.save
    with pytest.raises(Preempted):
        stopped.fit(Following(LOADERS["plain"]))
    resumed, _ = saving(tmp_path / "resumed", 2, exact := ExactState(seed=1))
    resumed.fit(part := Following(LOADERS["plain"]), ckpt_path=policy.checkpoints.step(4))

    assert torch.equal(weights(part), weights(whole))
    assert exact.not_bitwise_because == ()


@pytest.mark.parametrize(
    ("module", "hook", "options", "reason"),
    [
        (Model, "on_train_batch_start", {}, "saved after the batch that comes next was fetched"),
        (Model, "on_train_batch_end", {"val_check_interval": 2}, "saved where a resume leaves out what comes next"),
        (Averaged, "on_train_batch_end", {}, "on_train_batch_end of the module comes after the checkpoint"),
    ],
)
def test_a_checkpoint_that_lightning_resumes_otherwise_makes_a_resume_not_bitwise(  # noqa: PLR0917  # a table's columns
    module: type[Model], hook: str, options: dict[str, Any], reason: str, tmp_path: Path, trainer: MakeTrainer
) -> None:
    saving = SaveAt(tmp_path / "step.ckpt", 2, hook)
    trainer(1, ExactState(seed=1), saving, **options).fit(module(LOADERS["plain"]))

    again = trainer(1, exact := ExactState(seed=1), **options)
    again.fit(module(LOADERS["plain"]), ckpt_path=saving.path)

    assert any(doubt.startswith(reason) for doubt in exact.not_bitwise_because)


@pytest.mark.parametrize(
    ("load", "reason"),
    [
        (lambda: iter([FEATURES] * 40), "list_iterator is an iterator: it cannot begin again"),
        (
            lambda: DataLoader(Streamed(), batch_size=4, num_workers=1, persistent_workers=True),
            "Streamed was loaded by persistent workers, whose random numbers go on from epoch to epoch",
        ),
        (
            lambda: DataLoader(Subset(OwnGenerator(), range(24)), 4),
            "OwnGenerator draws from a generator of its own, which no checkpoint keeps",
        ),
        (
            lambda: [plain(), plain(sampler=Endless())],
            "Endless has no length: how often it began again is not known",
        ),
        (
            lambda: ExactLoader(Noisy(), 4, num_workers=1, keyed=False),
            "keyed=False: its workers' random numbers depend on what they loaded before",
        ),
    ],
)
def test_a_loader_that_cannot_come_back_makes_a_resume_not_bitwise(
    load: Callable[[], Any], reason: str, tmp_path: Path, trainer: MakeTrainer
) -> None:
    saving = SaveAt(tmp_path / "step.ckpt", 7)
    limits = {"limit_val_batches": 0, "limit_train_batches": 6}
    trainer(2, ExactState(seed=1), saving, **limits).fit(Model(load))

    again = trainer(2, exact := ExactState(seed=1), **limits)
    again.fit(Model(load), ckpt_path=saving.path)

    assert exact.not_bitwise_because == (reason,)


@pytest.mark.parametrize(
    ("batch", "plain"),
    [([torch.ones(1), {"a": (1, None)}], True), ({1}, False), ([Path()], False), ({"a": object()}, False)],
)
def test_a_batch_is_kept_that_loads_safely(batch: object, *, plain: bool) -> None:
    assert is_plain(batch) == plain


class Mining:
    """A sampler whose first sample follows the weights of a layer."""

    def __init__(self, layer: nn.Linear) -> None:
        self.layer = layer

    def __len__(self) -> int:
        return len(FEATURES)

    def __iter__(self) -> Iterator[int]:
        first = int(self.layer.weight.abs().sum() * 1000)
        return iter([(first + index) % len(FEATURES) for index in range(len(FEATURES))])


@pytest.mark.parametrize("kind", [DataLoader, OwnLoader])
@pytest.mark.parametrize("step", [6, 10])
def test_a_sampler_that_reads_what_is_trained_makes_a_resume_within_an_epoch_not_bitwise(
    step: int, kind: type[DataLoader[Tensor]], tmp_path: Path, saving: Callable[..., Any]
) -> None:
    class Mined(Model):
        def train_dataloader(self) -> Any:
            return kind(Noisy(), 4, sampler=Mining(self.layers[0]))  # type: ignore[arg-type]  # a Linear

    keep = {"every_n_steps": 1, "keep_last": 99}
    seed_all(1)
    before, policy = saving(tmp_path / "whole", 2, ExactState(seed=1), keep=keep, **WITHOUT_VALIDATION)
    before.fit(whole := Mined(LOADERS["plain"]))
    steps = {manifest.step: path for path, manifest in committed(policy.checkpoints.path).items()}

    again, _ = saving(tmp_path / "again", 2, exact := ExactState(seed=1), **WITHOUT_VALIDATION)
    again.fit(rest := Mined(LOADERS["plain"]), ckpt_path=steps[step], weights_only=True)

    told = "Mining holds a part of the model, which was less trained when the epoch began"
    assert exact.not_bitwise_because == (() if step == 6 else (told,))
    assert torch.equal(weights(rest), weights(whole)) == (step == 6)


def test_other_loaders_than_those_that_were_saved_make_a_resume_not_bitwise(
    tmp_path: Path, trainer: MakeTrainer
) -> None:
    saving = SaveAt(tmp_path / "step.ckpt", 2)
    trainer(1, ExactState(seed=1), saving, limit_val_batches=0).fit(Model(lambda: plain(shuffle=True)))

    again = trainer(1, exact := ExactState(seed=1), limit_val_batches=0)
    again.fit(Model(lambda: DataLoader(Noisy(), 3, shuffle=True)), ckpt_path=saving.path)

    assert exact.not_bitwise_because == ("its loaders have other numbers of batches than those that were saved",)


@pytest.mark.parametrize("step", [3, 9])
def test_results_are_those_of_a_training_that_never_stopped(step: int, tmp_path: Path, trainer: MakeTrainer) -> None:
    saving, options = SaveAt(tmp_path / "step.ckpt", step), {"val_check_interval": 2}
    whole, rest = Recorder(tmp_path / "whole"), Recorder(tmp_path / "rest")

    trainer(3, ExactState(seed=1), whole, saving, **options).fit(Model(LOADERS["plain"]))
    trainer(3, ExactState(seed=1), rest, **options).fit(Model(LOADERS["plain"]), ckpt_path=saving.path)

    first, second = (
        {epoch: (result.step, result.samples, result.splits) for epoch, result in recorder.results.items()}
        for recorder in (whole, rest)
    )
    assert second == {epoch: result for epoch, result in first.items() if epoch > step // 6}
    assert set(whole.results[3].splits) == {"train", "val"}


def test_what_is_saved_on_the_way_changes_nothing(tmp_path: Path, trainer: MakeTrainer) -> None:
    saved, unsaved = Model(LOADERS["plain"]), Model(LOADERS["plain"])
    unsaved.load_state_dict(saved.state_dict())

    trainer(2, ExactState(seed=1), SaveAt(tmp_path / "step.ckpt", 2)).fit(saved)
    trainer(2, ExactState(seed=1)).fit(unsaved)

    assert torch.equal(weights(saved), weights(unsaved))


def test_two_loaders_of_one_data_set_go_through_it_in_orders_of_their_own(trainer: MakeTrainer) -> None:
    model = Model(lambda: [plain(shuffle=True), plain(shuffle=True)])

    fitting = trainer(1, ExactState(seed=1), limit_val_batches=0)
    fitting.fit(model)

    first, second = (list(loader.sampler) for loader in fitting.train_dataloader)  # type: ignore[union-attr]
    assert sorted(first) == sorted(second)
    assert first != second


def test_a_training_that_ends_within_an_epoch_by_its_steps_goes_on_bitwise(resumed: Resumed) -> None:
    assert resumed(LOADERS["plain"], 8, max_steps=10, epochs=3) == ()
