from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping

from typedcfg.records.result_record import ResultHeader, read_results
from typedcfg.runner.lightning.callbacks.recorder import Recorder

MakeTrainer = Callable[..., Trainer]


def test_each_epoch_leaves_one_result(tmp_path: Path, trainer: MakeTrainer, toy: type[LightningModule]) -> None:
    recorder = Recorder(tmp_path)

    trainer(3, recorder).fit(toy())

    results = read_results(tmp_path / "results.jsonl")
    assert results == recorder.results
    assert [(r.epoch, r.step, r.samples) for r in results.values()] == [(1, 4, 16), (2, 8, 32), (3, 12, 48)]
    assert {split: list(metrics) for split, metrics in results[1].splits.items()} == {
        "val": ["loss"],
        "train": ["loss"],
    }


def test_the_sanity_check_is_no_result(tmp_path: Path, trainer: MakeTrainer, toy: type[LightningModule]) -> None:
    class Checked(toy):  # type: ignore[misc, valid-type]  # a class from a fixture
        def validation_step(self, *_: object) -> None:
            self.log("sanity/loss" if self.trainer.sanity_checking else "val/loss", 1.0)

    trainer(1, recorder := Recorder(tmp_path), num_sanity_val_steps=1).fit(Checked())

    assert set(recorder.results) == {1}
    assert "sanity" not in recorder.results[1].splits


def test_an_epoch_without_validation_has_no_validation_result(
    tmp_path: Path, trainer: MakeTrainer, toy: type[LightningModule]
) -> None:
    trainer(3, recorder := Recorder(tmp_path), check_val_every_n_epoch=2).fit(toy())

    assert [sorted(result.splits) for result in recorder.results.values()] == [["train"], ["train", "val"], ["train"]]


def test_what_a_module_logs_when_its_epoch_ends_is_recorded(
    tmp_path: Path, trainer: MakeTrainer, toy: type[LightningModule]
) -> None:
    class Late(toy):  # type: ignore[misc, valid-type]  # a class from a fixture
        def on_train_epoch_end(self) -> None:
            self.log("train/late", float(self.current_epoch))

        def on_validation_epoch_end(self) -> None:
            self.log("val/late", 10.0 + self.current_epoch)

    trainer(2, recorder := Recorder(tmp_path)).fit(Late())

    late = [(r.splits["train"]["late"], r.splits["val"]["late"]) for r in recorder.results.values()]
    assert late == [(0.0, 10.0), (1.0, 11.0)]


def test_a_metric_logged_per_step_enters_with_its_last_value_and_one_name(
    tmp_path: Path, trainer: MakeTrainer, toy: type[LightningModule]
) -> None:
    class Stepwise(toy):  # type: ignore[misc, valid-type]  # a class from a fixture
        def training_step(self, batch: object, index: int) -> object:
            self.log("train/index", float(index))
            self.log("train/both", float(index), on_step=True, on_epoch=True)
            return super().training_step(batch, index)

    trainer(1, recorder := Recorder(tmp_path)).fit(Stepwise())

    measured = recorder.results[1].splits["train"]
    assert {**measured, "loss": None} == {"index": 3.0, "both": 1.5, "loss": None}


def test_a_test_is_recorded_with_the_epoch_whose_weights_it_tested(
    tmp_path: Path, trainer: MakeTrainer, toy: type[LightningModule]
) -> None:
    running = trainer(2, recorder := Recorder(tmp_path))
    running.fit(module := toy())

    running.test(module, verbose=False)

    assert list(recorder.results) == [1, 2]
    assert sorted(recorder.results[2].splits) == ["test", "train", "val"]


def test_derived_files_say_whose_results_they_are(
    tmp_path: Path, trainer: MakeTrainer, toy: type[LightningModule]
) -> None:
    recorder = Recorder(tmp_path, header=ResultHeader("digits-base", "0123", "20261121T120000.000000Z"))

    trainer(1, recorder).fit(toy())

    assert '"name": "digits-base"' in (tmp_path / "best.json").read_text()


def test_what_steps_return_is_recorded_with_its_mean(
    tmp_path: Path, trainer: MakeTrainer, toy: type[LightningModule]
) -> None:
    class Returning(toy):  # type: ignore[misc, valid-type]  # a class from a fixture
        def training_step(self, batch: object, index: int) -> object:
            return {"loss": super().training_step(batch, index), "metrics": {"index": float(index), "lr/first": 1}}

        def validation_step(self, _: object, index: int) -> object:
            return {"metrics": {"index": torch.tensor(float(index))}}

        def test_step(self, *batch_and_index: Any) -> object:
            return {"metrics": {"index": torch.tensor(float(batch_and_index[1]))}}

    running = trainer(2, recorder := Recorder(tmp_path), num_sanity_val_steps=1)
    running.fit(module := Returning())
    running.test(module, verbose=False)

    assert {**recorder.results[1].splits["train"], "loss": None} == {"index": 1.5, "loss": None}
    assert recorder.results[2].splits["lr"] == {"first": 1.0}
    assert [recorder.results[2].splits[split]["index"] for split in ("val", "test")] == [0.5, 0.5]


@pytest.mark.parametrize("name", ["loss", "val/loss", "val_loss"])
def test_what_a_validation_returns_can_stop_a_training(
    name: str, tmp_path: Path, trainer: MakeTrainer, toy: type[LightningModule]
) -> None:
    class Worsening(toy):  # type: ignore[misc, valid-type]  # a class from a fixture
        def validation_step(self, *_: object) -> object:
            return {"metrics": {name: float(self.current_epoch)}}

    running = trainer(9, recorder := Recorder(tmp_path), EarlyStopping("val/loss", patience=2))
    running.fit(Worsening())

    assert [result.splits["val"] for result in recorder.results.values()] == [
        {"loss": 0.0},
        {"loss": 1.0},
        {"loss": 2.0},
    ]


def test_what_a_step_returns_is_found_by_the_name_it_is_recorded_under(
    tmp_path: Path, trainer: MakeTrainer, toy: type[LightningModule]
) -> None:
    class Returning(toy):  # type: ignore[misc, valid-type]  # a class from a fixture
        def training_step(self, *batch_and_index: Any) -> object:
            return {"loss": super().training_step(*batch_and_index), "metrics": {"accuracy": 0.25}}

        def validation_step(self, *_: object) -> object:
            return {"metrics": {"accuracy": 0.5}}

        def configure_optimizers(self) -> object:
            optimizer = torch.optim.SGD(self.parameters(), lr=1.0)
            scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "monitor": "val/accuracy"}}

    (running := trainer(2, recorder := Recorder(tmp_path))).fit(Returning())

    assert running.optimizers[0].param_groups[0]["lr"] < 1.0
    assert float(running.callback_metrics["train/accuracy"]) == 0.25
    for result in recorder.results.values():
        assert (result.splits["val"], result.splits["train"]["accuracy"]) == ({"accuracy": 0.5}, 0.25)


def test_what_is_returned_for_several_loaders_is_told_apart(
    tmp_path: Path, trainer: MakeTrainer, toy: type[LightningModule]
) -> None:
    class Twice(toy):  # type: ignore[misc, valid-type]  # a class from a fixture
        def val_dataloader(self) -> object:
            return [super().val_dataloader(), super().val_dataloader()]

        def validation_step(self, _: object, __: int, dataloader_idx: int) -> object:
            return {"metrics": {"which": dataloader_idx}}

    trainer(1, recorder := Recorder(tmp_path)).fit(Twice())

    assert recorder.results[1].splits["val"] == {"which/dataloader_idx_0": 0.0, "which/dataloader_idx_1": 1.0}
