import pytest
from lightning.pytorch import LightningModule, Trainer

from typedcfg.runner.lightning.callbacks.bar import Bar


def test_a_bar_ends_with_a_training_that_fails() -> None:
    bar, module = Bar(), LightningModule()
    trainer = Trainer(accelerator="cpu", callbacks=[bar], logger=False, enable_checkpointing=False)
    bar.setup(trainer, module, "fit")
    bar.train_progress_bar = bar.init_train_tqdm()

    bar.on_exception(trainer, module, ValueError())

    assert bar.train_progress_bar.disable


@pytest.mark.parametrize(("max_epochs", "told"), [(4, "epoch 1/4: "), (-1, "epoch 1: ")])
def test_a_bar_counts_epochs_as_the_lines_above_it_do(max_epochs: int, told: str) -> None:
    bar, module = Bar(), LightningModule()
    trainer = Trainer(
        max_epochs=max_epochs, accelerator="cpu", callbacks=[bar], logger=False, enable_checkpointing=False
    )
    bar.setup(trainer, module, "fit")
    bar.on_train_start(trainer, module)

    bar.on_train_epoch_start(trainer, module)

    assert bar.train_progress_bar.desc == told
