"""Who holds, beside the model, what a training may depend on."""

from typing import Final

from lightning.pytorch import Callback, Trainer

from typedcfg.runner.lightning.unseen import callbacks_of, data_module_of

_KNOWN: Final = ("lightning.", "pytorch_lightning.", "typedcfg.")


def data_module(trainer: Trainer) -> dict[str, object]:
    """The data module, where there is one, by how messages name it."""
    holder = data_module_of(trainer)
    return {} if holder is None else {"the data module": holder}


def others(trainer: Trainer) -> dict[str, object]:
    """The data module, and callbacks that keep nothing themselves."""
    found = data_module(trainer)
    for number, callback in enumerate(callbacks_of(trainer)):
        kind = type(callback)
        keeps = kind.state_dict is not Callback.state_dict or kind.on_save_checkpoint is not Callback.on_save_checkpoint
        if not keeps and not kind.__module__.startswith(_KNOWN):
            found[f"callback {number}, {kind.__name__}"] = callback
    return found
