from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import LightningModule, Trainer

from typedcfg.errors import RecordError
from typedcfg.records.result_record import ScoreRule
from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.callbacks.recorder import Recorder

Saving = Callable[..., tuple[Trainer, CheckpointPolicy]]
SCORE = ScoreRule("score", "max", "val")


@pytest.fixture
def scored(toy: type[LightningModule]) -> Callable[[list[float]], LightningModule]:
    """A toy whose score in each epoch is given."""

    class Scored(toy):  # type: ignore[misc, valid-type]  # a class from a fixture
        def __init__(self, scores: list[float]) -> None:
            super().__init__()
            self.scores = scores

        def on_validation_epoch_end(self) -> None:
            self.log("val/score", self.scores[self.current_epoch])

    return Scored


def names(policy: CheckpointPolicy) -> list[str]:
    return sorted(path.name for path in policy.checkpoints.path.iterdir())


def test_the_newest_the_best_and_every_so_many_epochs_are_kept(tmp_path: Path, saving: Saving, scored: Any) -> None:
    trainer, policy = saving(tmp_path, 6, rule=SCORE, save_interval=4)

    trainer.fit(scored([0.1, 0.9, 0.2, 0.3, 0.4, 0.5]))

    steps = ["step-00000008", "step-00000016", "step-00000020", "step-00000024"]  # best, epoch 4, newest two
    committed = [f"{step}.ckpt{suffix}" for step in steps for suffix in ("", ".json")]
    assert names(policy) == ["best.ckpt", "epoch-4.ckpt", "latest.ckpt", *committed]
    for name, step in (("best", 8), ("epoch-4", 16), ("latest", 24)):
        assert (policy.checkpoints.path / f"{name}.ckpt").samefile(policy.checkpoints.step(step))


def test_what_is_best_is_remembered_by_the_results_alone(tmp_path: Path, saving: Saving, scored: Any) -> None:
    saving(tmp_path, 2, rule=SCORE)[0].fit(scored([0.9, 0.1]))
    trainer, policy = saving(tmp_path, 3, rule=SCORE)
    found = policy.find_resumable()
    assert found is not None

    trainer.fit(scored([0.0, 0.0, 0.8]), ckpt_path=found.path)

    assert Path(policy.best_model_path).samefile(policy.checkpoints.step(4))


def test_a_resume_falls_back_on_a_whole_checkpoint(tmp_path: Path, saving: Saving, toy: type[LightningModule]) -> None:
    trainer, policy = saving(tmp_path, 2)
    trainer.fit(toy())
    policy.checkpoints.step(8).write_bytes(b"")

    found = policy.find_resumable()

    assert found is not None
    assert found.path == policy.checkpoints.step(4)
    assert [problem.what.partition(":")[0] for problem in found.refused] == ["checkpoint step-00000008.ckpt is damaged"]


def test_a_resume_never_starts_afresh_in_silence(tmp_path: Path, saving: Saving, toy: type[LightningModule]) -> None:
    trainer, policy = saving(tmp_path, 1)
    assert policy.find_resumable() is None
    trainer.fit(toy())
    policy.checkpoints.step(4).write_bytes(b"")

    with pytest.raises(RecordError, match="no checkpoint of this run is whole"):
        policy.find_resumable()


def test_leftovers_of_a_kill_are_swept(tmp_path: Path, saving: Saving, toy: type[LightningModule]) -> None:
    trainer, policy = saving(tmp_path, 1)
    policy.checkpoints.path.mkdir()
    (policy.checkpoints.path / ".step-00000002.ckpt.1-2-3.staged").write_bytes(b"half")
    policy.checkpoints.step(2).write_bytes(b"never committed")

    trainer.fit(toy())

    assert names(policy) == ["best.ckpt", "latest.ckpt", "step-00000004.ckpt", "step-00000004.ckpt.json"]


def test_a_rule_that_nothing_satisfies_is_told_once(tmp_path: Path, saving: Saving, toy: type[LightningModule]) -> None:
    trainer, policy = saving(tmp_path, 2, rule=SCORE)

    with pytest.warns(UserWarning, match="nothing measured 'val/score'") as told:
        trainer.fit(toy())

    assert sum("nothing measured" in str(warning.message) for warning in told) == 1
    assert policy.best_model_path == ""


def test_the_best_checkpoint_is_loaded_by_its_name(tmp_path: Path, saving: Saving, scored: Any) -> None:
    trainer, policy = saving(tmp_path, 3, rule=SCORE)
    trainer.fit(scored([0.1, 0.9, 0.2]))

    trainer.test(scored([]), ckpt_path=policy.best_model_path, verbose=False)

    assert [epoch for epoch, result in policy.recorder.results.items() if "test" in result.splits] == [2]


def test_names_that_a_kill_left_behind_are_put_right_at_the_next_start(
    tmp_path: Path, saving: Saving, scored: Any
) -> None:
    trainer, policy = saving(tmp_path, 2, rule=SCORE, save_interval=2)
    trainer.fit(scored([0.1, 0.9]))
    for name in policy.checkpoints.names():
        name.unlink()
    resumed, policy = saving(tmp_path, 3, rule=SCORE, save_interval=2)

    resumed.fit(scored([0.0, 0.0, 0.0]), ckpt_path=policy.checkpoints.step(8))

    assert [name.name for name in policy.checkpoints.names()] == ["best.ckpt", "epoch-2.ckpt", "latest.ckpt"]


def test_a_new_start_does_not_throw_away_what_a_folder_holds(
    tmp_path: Path, saving: Saving, toy: type[LightningModule]
) -> None:
    saving(tmp_path, 1)[0].fit(toy())
    trainer, policy = saving(tmp_path, 1)

    with pytest.raises(MisconfigurationException, match="whole checkpoints from beyond this start"):
        trainer.fit(toy())

    assert policy.find_resumable() is not None


def test_a_damaged_checkpoint_that_was_passed_over_is_removed(
    tmp_path: Path, saving: Saving, toy: type[LightningModule]
) -> None:
    trainer, policy = saving(tmp_path, 2)
    trainer.fit(toy())
    policy.checkpoints.step(8).write_bytes(b"")
    trainer, policy = saving(tmp_path, 2)
    found = policy.find_resumable()
    assert found is not None

    trainer.fit(toy(), ckpt_path=found.path)

    again = policy.find_resumable()
    assert again is not None
    assert (again.manifest.step, again.refused) == (8, ())


def test_what_a_policy_builds_on_must_be_there(
    tmp_path: Path, trainer: Callable[..., Trainer], toy: type[LightningModule]
) -> None:
    policy = CheckpointPolicy(recorder := Recorder(tmp_path))

    with pytest.raises(MisconfigurationException, match="needs its Recorder"):
        trainer(1, policy).fit(toy())
    with pytest.raises(MisconfigurationException, match="VerifiedCheckpointIO"):
        trainer(1, recorder, policy).fit(toy())
    with pytest.raises(MisconfigurationException, match="at least 1 epoch"):
        CheckpointPolicy(recorder, save_interval=0)
