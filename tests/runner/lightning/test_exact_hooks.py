"""What hooks that come before a training's first batch, or beside its batches, must not change at a resume."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor

from typedcfg.records.checkpoint_record import committed
from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.exact import ExactState
from typedcfg.runner.lightning.seeds import seed_all

Saving = Callable[..., tuple[Trainer, CheckpointPolicy]]
Toy = type[LightningModule]
Make = Callable[[Toy], LightningModule]


def state(module: LightningModule) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def draws_for_the_checkpoint(toy: Toy) -> LightningModule:
    class Drawing(toy):  # type: ignore[misc,valid-type]  # the fixture's class
        def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            checkpoint["drawn"] = torch.randn(2)

    return Drawing()


MODELS: dict[str, tuple[Make, dict[str, Any]]] = {
    "draws for the checkpoint": (draws_for_the_checkpoint, {}),
}


@pytest.mark.parametrize(("make", "options"), MODELS.values(), ids=MODELS)
def test_a_training_saved_at_each_step_and_resumed_from_any_is_bitwise_one_that_is_not(
    make: Make, options: dict[str, Any], tmp_path: Path, saving: Saving, toy: Toy
) -> None:
    def fit(name: str, path: Path | None = None, **keep: Any) -> Any:
        seed_all(1 if path is None else 5)
        trainer, policy = saving(tmp_path / name, 2, exact := ExactState(seed=1), keep=keep, **options)
        trainer.fit(module := make(toy), ckpt_path=path, weights_only=True if path else None)
        assert exact.not_bitwise_because == ()
        results = {epoch: result.splits for epoch, result in policy.recorder.results.items()}
        return state(module), results, policy.checkpoints.path

    expected, results, _ = fit("whole")
    saved, _, folder = fit("saved", every_n_steps=1, keep_last=99)
    assert all(map(torch.equal, saved.values(), expected.values()))

    for path, manifest in list(committed(folder).items())[:-1]:
        resumed, measured, _ = fit(path.stem, path)

        assert all(map(torch.equal, resumed.values(), expected.values())), path.name
        assert measured == {epoch: splits for epoch, splits in results.items() if epoch > manifest.epoch}
