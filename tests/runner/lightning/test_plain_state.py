from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from typedcfg.runner.lightning.plain_state import find_unsafe, plain_number, with_plain_numbers


@pytest.mark.parametrize(
    ("number", "plain"),
    [
        (np.float64(0.1), 0.1),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.complex128(1j), 1j),
        (np.str_("text"), "text"),
    ],
)
def test_a_number_of_numpy_s_becomes_one_of_python_s(number: Any, plain: object) -> None:
    made = plain_number(number)

    assert made == plain
    assert type(made) is type(plain)


def test_what_python_has_no_number_for_stays_as_it_is() -> None:
    day = np.datetime64("2026-01-01")

    assert plain_number(day) is day


def test_numbers_are_found_in_keys_and_however_deep() -> None:
    state = {"rates": [(np.float64(0.1), 2)], np.int64(3): OrderedDict(best=np.float32(0.5))}

    plain = with_plain_numbers(state)

    assert find_unsafe(state) is not None
    assert find_unsafe(plain) is None
    assert plain == state
    assert [type(key) for key in plain] == [str, int]


def test_what_holds_none_is_not_copied() -> None:
    state = {"weights": nn.Linear(1, 1).state_dict(), "epochs": [1, 2]}

    assert with_plain_numbers(state) is state


def test_what_a_module_says_of_its_version_is_kept() -> None:
    weights = nn.BatchNorm1d(2).state_dict()
    weights["_extra_state"] = np.float64(1)

    plain = with_plain_numbers(weights)

    assert type(plain["_extra_state"]) is float
    assert plain._metadata == weights._metadata  # type: ignore[attr-defined]  # torch's own


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"callbacks": {"Keeps{'every': 1}": {"at": Path("a")}}}, "callbacks[\"Keeps{'every': 1}\"].at holds pathlib."),
        ({"lr_schedulers": [{"base": [np.zeros(2)]}]}, "lr_schedulers[0].base[0] holds numpy.ndarray, "),
        ({"best": np.array(1.0)}, "best holds numpy.ndarray, "),
        ({"hyper_parameters": {"kind": int}}, "hyper_parameters.kind holds the class int, "),
        ({"counts": {range(3): 1}}, "counts holds range, "),
        ({"seen": {1, 2}, "shape": torch.Size([1]), "kind": torch.float32, "weights": torch.ones(1)}, ""),
    ],
)
def test_what_does_not_load_safely_is_told_with_its_place(state: dict[str, Any], told: str) -> None:
    assert (find_unsafe(state) or "").startswith(told)
    assert (find_unsafe(state) is None) == (not told)
