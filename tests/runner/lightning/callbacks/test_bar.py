from lightning.pytorch import LightningModule, Trainer

from typedcfg.runner.lightning.callbacks.bar import Bar


def test_a_bar_ends_with_a_training_that_fails() -> None:
    bar, module = Bar(), LightningModule()
    trainer = Trainer(accelerator="cpu", callbacks=[bar], logger=False, enable_checkpointing=False)
    bar.setup(trainer, module, "fit")
    bar.train_progress_bar = bar.init_train_tqdm()

    bar.on_exception(trainer, module, ValueError())

    assert bar.train_progress_bar.disable
