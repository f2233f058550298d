import io
import re
from collections.abc import Callable
from pathlib import Path

from lightning.pytorch import LightningModule, Trainer

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
