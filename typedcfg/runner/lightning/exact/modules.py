"""What a model is beside its parameters and buffers: which of it is trained, and what its attributes hold."""

import random
from collections.abc import Iterator, Sized
from functools import cached_property
from typing import Any, Final, TypedDict

import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor, nn
from torchmetrics import Metric

from typedcfg.runner.lightning.exact.generators import generators_in
from typedcfg.text import listed

_NUMBERS: Final = (bool, int, float, complex, type(None))
_COLLECTIONS: Final = (list, dict, set, tuple)


class ModuleStates(TypedDict):
    """What a checkpoint's `state_dict` leaves out."""

    frozen: list[str]
    """Parameters that are not trained."""
    in_eval: list[str]
    """Parts in evaluation mode."""
    generators: dict[str, Any]
    """Where those that it owns stand."""
    attributes: dict[str, str]
    """What can be told of other attributes: they are not brought back, only compared."""


def capture_module(trainer: Trainer, module: LightningModule) -> ModuleStates:
    """What is brought back, or compared, when a training goes on from here."""
    modes = {name: part.training for name, part in module.named_modules()}
    if trainer.validating or trainer.sanity_checking:
        modes |= trainer.fit_loop.epoch_loop.val_loop._module_mode.mode  # noqa: SLF001  # what it goes back to, told nowhere else
    return {
        "frozen": [name for name, parameter in module.named_parameters() if not parameter.requires_grad],
        "in_eval": [name for name, is_training in modes.items() if not is_training],
        "generators": {name: _state(generator) for name, generator in _generators(module)},
        "attributes": dict(_attributes(module)),
    }


def restore_module(saved: ModuleStates, module: LightningModule) -> Iterator[str]:
    """Freeze what was frozen, and put in evaluation mode what was; yields why the rest is other than it was."""
    for name, parameter in module.named_parameters():
        if parameter.requires_grad == (name in saved["frozen"]):
            parameter.requires_grad = not parameter.requires_grad
    for name, part in module.named_modules():
        part.training = name not in saved["in_eval"]
    now = dict(_attributes(module))
    if other := [name for name, told in saved["attributes"].items() if now.get(name) != told]:
        yield (
            f"no checkpoint keeps {listed(other)} of the module, which was other where it was saved: what the training"
            " depends on belongs into a buffer or on_save_checkpoint; begin the names of all else with _"
        )
    for name in (name for name, state in saved["generators"].items() if state is None):
        yield f"{name}, a generator of the module, has a state that a checkpoint cannot keep"


def restore_module_generators(saved: ModuleStates, module: LightningModule) -> None:
    """Put the module's own generators where they stood."""
    for name, generator in _generators(module):
        state = saved["generators"].get(name)
        if state is None:
            continue
        if isinstance(generator, torch.Generator):
            generator.set_state(state)
        elif isinstance(generator, random.Random):
            generator.setstate(state)
        else:
            generator.bit_generator.state = state


def _generators(module: nn.Module) -> Iterator[tuple[str, Any]]:
    for path, part in module.named_modules():
        for name, generator in generators_in(part).items():
            yield f"{path}.{name}".lstrip("."), generator


def _state(generator: Any) -> Any:
    """Where it stands, as plain values; None where that is in arrays."""
    if isinstance(generator, torch.Generator):
        return generator.get_state()
    if isinstance(generator, random.Random):
        return generator.getstate()
    state = getattr(getattr(generator, "bit_generator", None), "state", None)
    return state if state is not None and type(state.get("state", {}).get("state")) is int else None


def _attributes(module: nn.Module) -> Iterator[tuple[str, str]]:
    """Numbers, and how long collections are; not what a metric holds, which is kept, nor what is worked out anew."""
    for path, part in module.named_modules():
        if isinstance(part, Metric):
            continue
        for name, value in vars(part).items():
            if (
                name == "training"
                or name.startswith("_")
                or isinstance(getattr(type(part), name, None), cached_property)
            ):
                continue
            if (told := _told(value)) is not None:
                yield f"{path}.{name}".lstrip("."), told


def _told(value: object) -> str | None:
    if isinstance(value, Tensor):
        return str(value.tolist()) if value.numel() == 1 else f"tensor of shape {tuple(value.shape)}"
    if type(value) in _NUMBERS:
        return repr(value)
    return f"{len(value)} items" if type(value) in _COLLECTIONS and isinstance(value, Sized) else None
