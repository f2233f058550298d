"""Where a training's randomness starts.

A model is built with the seed itself, so that it begins the same on every rank (DDP sends rank 0's weights to all
anyway). Training continues with the seed plus the rank, so that dropout and augmentation differ between ranks.
"""

import os
import random
import sys
from typing import Final

import torch

_SEED_BOUND: Final = 1 << 32
"""numpy takes 32 bits; the others would take more."""
_CUBLAS_WORKSPACE: Final = ":4096:8"


def seed_all(seed: int, *, rank: int = 0) -> None:
    """Seed every global generator: python's, numpy's where numpy is used, torch's on all devices.

    Args:
        seed: The run's seed.
        rank: Added to it; 0 gives every rank the same numbers.
    """
    value = (seed + rank) % _SEED_BOUND
    random.seed(value)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(value)
    torch.manual_seed(value)


def make_deterministic() -> None:
    """Let torch use deterministic algorithms alone, and raise where an operation has none.

    Call it before CUDA is first used.

    Source:
        https://docs.pytorch.org/docs/stable/notes/randomness.html
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", _CUBLAS_WORKSPACE)
    torch.use_deterministic_algorithms(mode=True)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
