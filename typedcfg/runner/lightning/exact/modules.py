"""What a model is beside its parameters and buffers: which of it is trained, and what its attributes hold."""

import os
import random
from collections import deque
from collections.abc import Iterator
from functools import cached_property
from hashlib import blake2b
from numbers import Number
from typing import Any, Final, TypedDict

import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torchmetrics import Metric

from typedcfg.runner.lightning.exact.generators import generators_in
from typedcfg.runner.lightning.exact.owners import data_module, others
from typedcfg.runner.lightning.plain_state import plain_number
from typedcfg.text import listed

_MODULE: Final = "the module"
_COLLECTIONS: Final = (list, dict, set, tuple)


class ModuleStates(TypedDict):
    """What a checkpoint's `state_dict` leaves out."""

    frozen: list[str]
    """Parameters that are not trained."""
    in_eval: list[str]
    """Parts in evaluation mode."""
    generators: dict[str, dict[str, Any]]
    """Where those that it owns stand; and its data module, and callbacks."""
    attributes: dict[str, dict[str, str]]
    """What can be told of other attributes, of its data module too: they are not brought back, only compared."""


def capture_module(trainer: Trainer, module: LightningModule) -> ModuleStates:
    """What is brought back, or compared, when a training goes on from here."""
    modes = {name: part.training for name, part in module.named_modules()}
    if trainer.validating or trainer.sanity_checking:
        modes |= trainer.fit_loop.epoch_loop.val_loop._module_mode.mode  # noqa: SLF001  # what it goes back to, told nowhere else
    return {
        "frozen": [name for name, one in module.named_parameters() if not (one.requires_grad and one.is_leaf)],
        "in_eval": [name for name, is_training in modes.items() if not is_training],
        "generators": {
            owner: {name: _state(generator) for name, generator in _generators(holder)}
            for owner, holder in _holders(module).items()
        },
        "attributes": {owner: dict(_attributes(holder)) for owner, holder in _compared(module).items()},
    }


def restore_module(saved: ModuleStates, module: LightningModule) -> Iterator[str]:
    """Freeze what was frozen, and put in evaluation mode what was; yields why the rest is other than it was."""
    for name, parameter in module.named_parameters():
        if parameter.requires_grad == (name in saved["frozen"]):
            parameter.requires_grad = not parameter.requires_grad
    for name, part in module.named_modules():
        part.training = name not in saved["in_eval"]
    for owner, holder in _compared(module).items():
        now, unknown = dict(_attributes(holder)), _lazy(holder)
        told = saved["attributes"].get(owner, {}).items()
        if other := [name for name, was in told if now.get(name) != was and name.rpartition(".")[0] not in unknown]:
            place = "a buffer or on_save_checkpoint" if holder is module else "its state_dict"
            yield (
                f"no checkpoint keeps {listed(other)} of {owner}, which was other where it was saved: what the training"
                f" depends on belongs into {place}; begin the names of all else with _"
            )
    for owner, states in saved["generators"].items():
        for name in (name for name, state in states.items() if state is None):
            yield f"{name}, a generator of {owner}, has a state that a checkpoint cannot keep"


def restore_module_generators(saved: ModuleStates, module: LightningModule) -> None:
    """Put the generators of the module, its data module and callbacks where they stood."""
    for owner, holder in _holders(module).items():
        states = saved["generators"].get(owner, {})
        for name, generator in _generators(holder):
            state = states.get(name)
            if state is None:
                continue
            if isinstance(generator, torch.Generator):
                generator.set_state(state)
            elif isinstance(generator, random.Random):
                generator.setstate(state)
            else:
                generator.bit_generator.state = state


def _holders(module: LightningModule) -> dict[str, object]:
    return {_MODULE: module, **others(module.trainer)}


def _compared(module: LightningModule) -> dict[str, object]:
    """Whose attributes are compared; not callbacks', which count and collect for other ends than the training."""
    return {_MODULE: module, **data_module(module.trainer)}


def _parts(holder: object) -> Iterator[tuple[str, object]]:
    yield from holder.named_modules() if isinstance(holder, nn.Module) else [("", holder)]


def _lazy(holder: object) -> set[str]:
    """Parts whose attributes are not known before the first batch."""
    return {path for path, part in _parts(holder) if isinstance(part, LazyModuleMixin)}


def _generators(holder: object) -> Iterator[tuple[str, Any]]:
    for path, part in _parts(holder):
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


def _attributes(holder: object) -> Iterator[tuple[str, str]]:
    """Numbers, texts, and how long collections are; not what metrics are brought back with, nor what is found anew."""
    for path, part in _parts(holder):
        for name, value in vars(part).items():
            if (
                name == "training"
                or name.startswith("_")
                or isinstance(getattr(type(part), name, None), cached_property)
                or (isinstance(part, Metric) and (type(value) not in _COLLECTIONS or name in part._defaults))  # noqa: SLF001  # in no other place
            ):
                continue
            if (told := _told(value)) is not None:
                yield f"{path}.{name}".lstrip("."), told


def _told(value: object) -> str | None:
    if isinstance(value, Tensor):
        return str(value.tolist()) if value.numel() == 1 else f"tensor of shape {tuple(value.shape)}"
    value = plain_number(value)
    if value is None or isinstance(value, Number):
        return repr(value)  # by which NaN is what it was
    if isinstance(value, str):
        # What it says may be a secret. A path may be another on another machine, and lead to the same.
        return None if os.sep in value else blake2b(value.encode(errors="surrogatepass"), digest_size=8).hexdigest()
    return f"{len(value)} items" if isinstance(value, (*_COLLECTIONS, deque)) else None
