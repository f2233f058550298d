from lightning.pytorch import Callback, Trainer
from lightning.pytorch.loops.progress import _ProcessedTracker

from typedcfg.runner.lightning.unseen import callbacks_of, current_of, data_module_of, reload_interval_of


def test_a_trainer_has_what_is_said_of_it() -> None:
    own = Callback()
    trainer = Trainer(callbacks=[own], reload_dataloaders_every_n_epochs=3, logger=False, accelerator="cpu")

    loop = trainer.fit_loop

    assert own in callbacks_of(trainer)
    assert data_module_of(trainer) is None
    assert reload_interval_of(trainer) == 3
    assert isinstance(current_of(loop.epoch_progress), _ProcessedTracker)
    assert isinstance(current_of(loop.epoch_loop.batch_progress), _ProcessedTracker)
