from collections import OrderedDict
from typing import Any

import torch

from typedcfg.runner.lightning.cpu_copy import copy_to_cpu


def test_what_the_training_changes_afterwards_is_not_seen() -> None:
    state: dict[str, Any] = {
        "weights": OrderedDict(w=torch.zeros(3)),
        "moments": [{"step": torch.tensor(1.0)}],
        "epochs": [1, 2],
    }

    copy = copy_to_cpu(state)
    state["weights"]["w"] += 1
    state["moments"][0]["step"] += 1
    state["epochs"].append(3)

    assert torch.equal(copy["weights"]["w"], torch.zeros(3))
    assert copy["moments"] == [{"step": torch.tensor(1.0)}]
    assert copy["epochs"] == [1, 2]


def test_weights_that_are_one_are_copied_once() -> None:
    weight = torch.zeros(2, 3)

    copy = copy_to_cpu({"tied": {"encoder": weight, "decoder": weight.detach()}, "turned": weight.T})

    assert copy["tied"]["encoder"] is copy["tied"]["decoder"]
    assert copy["turned"].shape == (3, 2)


def test_what_a_module_says_of_its_version_is_kept() -> None:
    module = torch.nn.BatchNorm1d(2)

    copy = copy_to_cpu({"state_dict": module.state_dict()})

    assert copy["state_dict"]._metadata == module.state_dict()._metadata  # type: ignore[attr-defined]  # torch's own


def test_parameters_become_plain_tensors() -> None:
    copy = copy_to_cpu({"w": torch.nn.Parameter(torch.ones(2)) * 2})

    assert not copy["w"].requires_grad
