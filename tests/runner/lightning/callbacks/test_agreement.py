from types import SimpleNamespace
from typing import Any

import pytest

from typedcfg.errors import RunError
from typedcfg.runner.lightning.callbacks.agreement import Agreement

TOLD = {"attempt": "20261121T052440.123456Z", "configuration": "v1-1"}
ATTEMPT = TOLD["attempt"]


def trainer() -> Any:
    """A trainer in which rank 0 says what it was told."""
    return SimpleNamespace(global_rank=1, strategy=SimpleNamespace(broadcast=lambda _: TOLD))


def module() -> Any:
    return SimpleNamespace()


def test_ranks_that_agree_train() -> None:
    Agreement(attempt=ATTEMPT, fingerprint="v1-1").setup(trainer(), module(), "fit")


def test_a_rank_that_would_train_something_else_is_refused() -> None:
    agreement = Agreement(attempt=ATTEMPT, fingerprint="v1-2")

    with pytest.raises(RunError, match="configuration: v1-1 in rank 0, v1-2 in rank 1"):
        agreement.setup(trainer(), module(), "fit")
