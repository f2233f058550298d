import io
import re
from collections.abc import Callable
from pathlib import Path

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping

from typedcfg.runner.lightning.callbacks.epoch_lines import EpochLines
from typedcfg.runner.lightning.callbacks.recorder import Recorder


def test_each_epoch_prints_one_line(
    tmp_path: Path, trainer: Callable[..., Trainer], toy: type[LightningModule]
) -> None:
    recorder = Recorder(tmp_path)
    stream = io.StringIO()

    trainer(2, EpochLines(recorder, stream=stream), recorder).fit(toy())

    number = r"\d[\d.e+-]*"
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert re.fullmatch(rf"epoch 1/2  step 4  train/loss {number}  val/loss {number}  best", lines[0])
    assert re.fullmatch(rf"epoch 2/2  step 8  train/loss {number}  val/loss {number}(  best)?", lines[1])


def test_the_last_line_says_that_a_training_was_told_to_stop(
    tmp_path: Path, trainer: Callable[..., Trainer], toy: type[LightningModule]
) -> None:
    recorder, early = Recorder(tmp_path), EarlyStopping("val/loss", stopping_threshold=1e9)
    stream = io.StringIO()

    trainer(2, EpochLines(recorder, stream=stream), recorder, early).fit(toy())

    epoch, told = stream.getvalue().splitlines()
    assert epoch.startswith("epoch 1/2")
    assert told.startswith("stopped early: EarlyStopping: Stopping threshold reached: val/loss = ")
