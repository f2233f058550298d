"""What a checkpoint holds beside tensors: plain values, which load safely, numpy's numbers as Python's."""

import sys
from collections import OrderedDict
from collections.abc import Iterator
from copy import copy
from io import BytesIO
from typing import Any, Final

import torch
from torch import Tensor

_PLAIN: Final = (bool, int, float, complex, str, bytes, type(None))
_DICTS: Final = (dict, OrderedDict)
_LISTS: Final = (list, tuple)


def plain_number(value: Any) -> Any:
    """A number, or text, of numpy's as one of Python's, if there is such a one; anything else as it is.

    Example:
        >>> import numpy as np
        >>> plain_number(np.float64(0.5)), plain_number("text")
        (0.5, 'text')
    """
    if "numpy" not in sys.modules or not isinstance(value, sys.modules["numpy"].generic):
        return value
    plain = value.item()
    return plain if type(plain) in _PLAIN else value


def with_plain_numbers(state: Any) -> Any:
    """A state with Python's numbers in place of numpy's, which do not load safely; what holds none is not copied.

    Example:
        >>> import numpy as np
        >>> with_plain_numbers({"lr": [np.float64(0.5)], "epochs": 3})
        {'lr': [0.5], 'epochs': 3}
    """
    kind = type(state)
    if kind in _PLAIN or isinstance(state, Tensor):
        return state
    if kind in _DICTS:
        items = [(plain_number(key), with_plain_numbers(value)) for key, value in state.items()]
        if all(key is old and value is state[old] for (key, value), old in zip(items, state, strict=True)):
            return state
        changed = copy(state)  # with what else it has: modules tell their versions so
        changed.clear()
        changed.update(items)
        return changed
    if kind in _LISTS:
        values = [with_plain_numbers(value) for value in state]
        return state if all(value is old for value, old in zip(values, state, strict=True)) else kind(values)
    return plain_number(state)


def find_unsafe(state: Any) -> str | None:
    """Where a state holds what does not load safely, and what that is; None where it holds no such thing.

    Example:
        >>> find_unsafe({"hyper_parameters": {"layers": [range(3)]}})
        'hyper_parameters.layers[0] holds range, which is not taken'
    """
    path, value = next(_unsafe(state, ""), (None, None))
    if path is None:
        return None
    kind = value if isinstance(value, type) else type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"{path} holds {'the class ' if kind is value else ''}{name}, which is not taken"


def _unsafe(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    if kind in _PLAIN or isinstance(value, Tensor):
        return
    if kind in _DICTS:
        for key, item in value.items():
            if not _loads(key):
                yield path or "a key", key
            is_name = isinstance(key, str) and key.isidentifier()
            yield from _unsafe(item, f"{path}.{key}".lstrip(".") if is_name else f"{path}[{key!r}]")
    elif kind in _LISTS:
        for number, item in enumerate(value):
            yield from _unsafe(item, f"{path}[{number}]")
    elif not _loads(value):
        yield path, value


def _loads(value: Any) -> bool:
    file = BytesIO()
    try:
        torch.save(value, file)
        file.seek(0)
        torch.load(file, weights_only=True)
    except Exception:  # noqa: BLE001  # of whatever make: how a value is pickled is its own
        return False
    return True
