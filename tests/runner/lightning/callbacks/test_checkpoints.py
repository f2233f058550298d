import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from faulty_disk import Fault, FaultyDisk
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping
from torch import distributed
from torch.distributed.fsdp import fully_shard
from typing_extensions import override

from typedcfg.disk import using
from typedcfg.errors import Problem, RecordError
from typedcfg.records import checkpoint_record
from typedcfg.records.checkpoint_record import Manifest, committed, verify
from typedcfg.records.result_record import ScoreRule
from typedcfg.runner.lightning import checkpoint_io
from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.callbacks.pulse import Pulse
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.sharded import strategy
from typedcfg.runner.lightning.sharded.strategy import ShardedStrategy

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
    trainer, policy = saving(tmp_path, 6, rule=SCORE, keep={"save_interval": 4})

    trainer.fit(scored([0.1, 0.9, 0.2, 0.3, 0.4, 0.5]))

    steps = ["step-00000008", "step-00000016", "step-00000020", "step-00000024"]  # best, epoch 4, newest two
    committed = [f"{step}.ckpt{suffix}" for step in steps for suffix in ("", ".json")]
    assert names(policy) == ["best.ckpt", "epoch-4.ckpt", "latest.ckpt", *committed]
    for name, step in (("best", 8), ("epoch-4", 16), ("latest", 24)):
        assert (policy.checkpoints.path / f"{name}.ckpt").samefile(policy.checkpoints.step(step))


def test_best_weights_that_somebody_removed_are_told_of(
    tmp_path: Path, saving: Saving, scored: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Remover(Callback):
        def on_train_epoch_start(self, trainer: Trainer, *_: Any) -> None:
            if trainer.current_epoch == 2:
                for path in tmp_path.rglob("*.ckpt*"):
                    path.unlink()

    trainer, policy = saving(tmp_path, 3, Remover(), rule=SCORE)
    trainer.fit(scored([0.1, 0.9, 0.2]))

    assert policy.best_model_path == ""
    assert "the weights of epoch 2, the best, are lost" in caplog.text


def test_what_is_best_is_remembered_by_the_results_alone(tmp_path: Path, saving: Saving, scored: Any) -> None:
    saving(tmp_path, 2, rule=SCORE)[0].fit(scored([0.9, 0.1]))
    trainer, policy = saving(tmp_path, 3, rule=SCORE)
    found = policy.find_resumable()
    assert found is not None

    trainer.fit(scored([0.0, 0.0, 0.8]), ckpt_path=found.path)

    assert Path(policy.best_model_path).samefile(policy.checkpoints.step(4))


def test_what_was_told_to_stop_is_over_at_a_resume_too(tmp_path: Path, saving: Saving, scored: Any) -> None:
    def train(scores: list[float]) -> CheckpointPolicy:
        early = EarlyStopping("val/score", mode="max", patience=1)
        trainer, policy = saving(tmp_path, 4, early, rule=SCORE)
        found = policy.find_resumable()
        trainer.fit(scored(scores), ckpt_path=found and found.path)
        return policy

    before = train([0.5, 0.1, 0.0, 0.0])

    after = train([0.0, 0.0, 0.9, 0.9])

    assert list(after.recorder.results) == list(before.recorder.results) == [1, 2]
    assert committed(after.checkpoints.path).keys() == committed(before.checkpoints.path).keys()


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

    with pytest.raises(RecordError, match="no checkpoint of this run is whole") as caught:
        policy.find_resumable()
    assert "begin from nothing in another folder" in caught.value.problems[0].fix


def test_leftovers_of_a_kill_are_swept(tmp_path: Path, saving: Saving, toy: type[LightningModule]) -> None:
    trainer, policy = saving(tmp_path, 1)
    policy.checkpoints.path.mkdir()
    (policy.checkpoints.path / ".step-00000002.ckpt.1-2-3.staged").write_bytes(b"half")
    policy.checkpoints.step(2).write_bytes(b"never committed")

    trainer.fit(toy())

    assert names(policy) == ["best.ckpt", "latest.ckpt", "step-00000004.ckpt", "step-00000004.ckpt.json"]


def test_a_rule_that_nothing_satisfies_is_told_once(
    tmp_path: Path, saving: Saving, toy: type[LightningModule], caplog: pytest.LogCaptureFixture
) -> None:
    trainer, policy = saving(tmp_path, 2, rule=SCORE)

    trainer.fit(toy())

    assert caplog.text.count("nothing measured 'val/score'") == 1
    assert policy.best_model_path == ""


def test_nobody_is_told_of_a_missing_score_before_it_can_be_measured(
    tmp_path: Path, saving: Saving, scored: Any, caplog: pytest.LogCaptureFixture
) -> None:
    trainer, policy = saving(tmp_path, 3, rule=SCORE, check_val_every_n_epoch=2)

    trainer.fit(scored([0.1, 0.9, 0.2]))

    assert "no checkpoint will be the best" not in caplog.text
    assert policy.best_model_path


def test_the_best_checkpoint_is_loaded_by_its_name(tmp_path: Path, saving: Saving, scored: Any) -> None:
    trainer, policy = saving(tmp_path, 3, rule=SCORE)
    trainer.fit(scored([0.1, 0.9, 0.2]))

    trainer.test(scored([]), ckpt_path=policy.best_model_path, verbose=False)

    assert [epoch for epoch, result in policy.recorder.results.items() if "test" in result.splits] == [2]


def test_names_that_a_kill_left_behind_are_put_right_at_the_next_start(
    tmp_path: Path, saving: Saving, scored: Any
) -> None:
    trainer, policy = saving(tmp_path, 2, rule=SCORE, keep={"save_interval": 2})
    trainer.fit(scored([0.1, 0.9]))
    for name in policy.checkpoints.names():
        name.unlink()
    resumed, policy = saving(tmp_path, 3, rule=SCORE, keep={"save_interval": 2})

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
    with pytest.raises(MisconfigurationException, match="at least 1"):
        CheckpointPolicy(recorder, keep_last=0)


def test_hyper_parameters_that_could_not_be_loaded_are_refused_before_the_first_batch(
    tmp_path: Path, saving: Saving, toy: type[LightningModule]
) -> None:
    module, data = toy(), LightningDataModule.from_datasets(val_dataset=range(8))  # type: ignore[arg-type]  # of numbers
    module.save_hyperparameters({"lr": np.float64(0.1)})
    data.save_hyperparameters({"folders": [tmp_path]})
    trainer, _ = saving(tmp_path, 1)

    with pytest.raises(RecordError, match=r"datamodule_hyper_parameters\.folders\[0\] holds pathlib"):
        trainer.fit(module, datamodule=data)

    assert trainer.global_step == 0


# --- within epochs ---------------------------------------------------------------------------------------------------


class Rows:
    """The toy's data, in order, by a loader that knows where it is."""

    def __init__(self) -> None:
        self.at = 0

    def __len__(self) -> int:
        return 4

    def __iter__(self) -> Iterator[list[torch.Tensor]]:
        self.at %= len(self)
        while self.at < len(self):
            self.at += 1
            yield [torch.full((4, 4), float(self.at))]

    def state_dict(self) -> dict[str, int]:
        return {"at": self.at}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.at = state["at"]


class Seen(Callback):
    """Notes which batches were trained on, by their epoch."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, int]] = []

    @override
    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self.batches.append((trainer.current_epoch, int(batch[0][0, 0])))


@pytest.fixture
def steady(toy: type[LightningModule]) -> type[LightningModule]:
    """A toy without randomness whose loader can be resumed within an epoch."""

    class Steady(toy):  # type: ignore[misc, valid-type]  # a class from a fixture
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.layers = torch.nn.Linear(4, 1)

        def train_dataloader(self) -> Rows:
            return Rows()

    return Steady


def steps(policy: CheckpointPolicy) -> list[tuple[int, int, int]]:
    """Step, epochs finished and batch of each checkpoint."""
    return [(m.step, m.epoch, m.batch) for m in committed(policy.checkpoints.path).values()]


def test_a_checkpoint_is_written_after_every_so_many_steps(tmp_path: Path, saving: Saving, steady: Any) -> None:
    trainer, policy = saving(tmp_path, 2, keep={"every_n_steps": 3, "keep_last": 9})

    trainer.fit(steady())

    assert steps(policy) == [(3, 0, 3), (4, 1, 0), (6, 1, 2), (8, 2, 0)]
    assert [m.samples for m in committed(policy.checkpoints.path).values()] == [12, 16, 24, 32]


def test_a_checkpoint_due_at_the_end_of_an_epoch_is_written_once(
    tmp_path: Path, saving: Saving, steady: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    commit = checkpoint_record.write_manifest

    def note(path: Path, manifest: Manifest) -> None:
        written.append(manifest.step)
        commit(path, manifest)

    monkeypatch.setattr(checkpoint_io, "write_manifest", note)
    trainer, policy = saving(tmp_path, 2, keep={"every_n_steps": 2, "keep_last": 9})

    trainer.fit(steady())

    assert written == [2, 4, 6, 8]
    assert steps(policy) == [(2, 0, 2), (4, 1, 0), (6, 1, 2), (8, 2, 0)]


def test_nothing_is_written_in_the_midst_of_an_accumulation(tmp_path: Path, saving: Saving, steady: Any) -> None:
    keep = {"every_n_steps": 1, "keep_last": 9}
    trainer, policy = saving(tmp_path, 2, keep=keep, accumulate_grad_batches=2)

    trainer.fit(steady())

    assert steps(policy) == [(1, 0, 2), (2, 1, 0), (3, 1, 2), (4, 2, 0)]


def test_a_checkpoint_that_is_due_before_a_validation_is_written_a_step_later(
    tmp_path: Path, saving: Saving, steady: Any
) -> None:
    trainer, policy = saving(tmp_path, 1, keep={"every_n_steps": 2, "keep_last": 9}, val_check_interval=2)

    trainer.fit(steady())

    assert steps(policy) == [(3, 0, 3), (4, 1, 0)]


def test_a_checkpoint_is_written_when_the_minutes_have_passed(tmp_path: Path, saving: Saving, steady: Any) -> None:
    trainer, policy = saving(tmp_path, 1, keep={"every_minutes": 1e-9, "keep_last": 9})
    assert policy.wants_save(now=1e9)

    trainer.fit(steady())

    assert steps(policy) == [(1, 0, 1), (2, 0, 2), (3, 0, 3), (4, 1, 0)]


def test_a_pulse_that_asks_has_it_written_instead(tmp_path: Path, saving: Saving, steady: Any) -> None:
    pulse = Pulse()
    trainer, policy = saving(tmp_path, 1, pulse, keep={"every_minutes": 1e-9, "keep_last": 9}, asynchronous=True)
    pulse.begin_save, pulse.wants_save = policy.begin_save, policy.wants_save

    trainer.fit(steady())

    assert steps(policy) == [(1, 0, 1), (2, 0, 2), (3, 0, 3), (4, 1, 0)]


def test_a_checkpoint_from_the_midst_of_an_epoch_is_the_latest_and_never_the_best(
    tmp_path: Path, saving: Saving, steady: Any
) -> None:
    class Stop(Callback):
        @override
        def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
            if trainer.global_step == 7:
                raise RuntimeError("killed")

    trainer, policy = saving(tmp_path, 2, Stop(), keep={"every_n_steps": 1, "save_interval": 1, "keep_last": 1})

    with pytest.raises(RuntimeError, match="killed"):
        trainer.fit(steady())

    assert steps(policy) == [(4, 1, 0), (6, 1, 2)]
    for name, step in (("best", 4), ("epoch-1", 4), ("latest", 6)):
        assert (policy.checkpoints.path / f"{name}.ckpt").samefile(policy.checkpoints.step(step))


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6, 7])
def test_a_resume_goes_on_with_the_next_batch(step: int, tmp_path: Path, saving: Saving, steady: Any) -> None:
    keep = {"every_n_steps": 1, "keep_last": 9}
    undisturbed, policy = saving(tmp_path / "a", 2, seen := Seen(), keep=keep)
    undisturbed.fit(whole := steady())
    resumed, _ = saving(tmp_path / "b", 2, rest := Seen(), keep=keep)

    resumed.fit(parts := steady(), ckpt_path=policy.checkpoints.step(step))

    assert rest.batches == seen.batches[step:]
    assert all(torch.equal(a, b) for a, b in zip(whole.state_dict().values(), parts.state_dict().values(), strict=True))
    assert (resumed.global_step, resumed.current_epoch) == (8, 2)


def test_a_state_that_is_saved_already_is_not_written_again(tmp_path: Path, saving: Saving, steady: Any) -> None:
    trainer, policy = saving(tmp_path, 1)
    trainer.fit(steady())
    [path] = policy.checkpoints.steps()
    before = path.stat().st_ino

    policy.save(trainer)

    assert path.stat().st_ino == before


# --- two states at one step -----------------------------------------------------------------------------------------


@pytest.fixture
def by_hand(steady: Any) -> type[LightningModule]:
    """A toy that steps on every second batch by itself, the last of an epoch being none of these."""

    class ByHand(steady):  # type: ignore[misc]  # a class from a fixture
        def __init__(self) -> None:
            super().__init__()
            self.automatic_optimization = False

        def configure_model(self) -> None:
            if isinstance(self.trainer.strategy, ShardedStrategy):
                fully_shard(self.layers, mesh=self.device_mesh["data_parallel"])

        @override
        def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> None:
            self.manual_backward(super().training_step(batch))
            if batch_idx % 2 == 0:
                self.optimizers().step()
                self.optimizers().zero_grad()

    return ByHand


WAYS: dict[str, dict[str, Any]] = {
    "at once": {},
    "in the background": {"asynchronous": True},
    "in parts": {"strategy": ShardedStrategy, "devices": 1},
}


@pytest.fixture(params=WAYS.values(), ids=list(WAYS))
def way(request: pytest.FixtureRequest) -> Iterator[Callable[[], dict[str, Any]]]:
    """Gives the options of a trainer that saves in one of the ways there are."""

    def options() -> dict[str, Any]:
        return {name: value(1) if name == "strategy" else value for name, value in request.param.items()}

    yield options
    if distributed.is_initialized():
        distributed.destroy_process_group()


def test_an_epoch_that_ends_at_a_step_that_is_saved_already_has_a_checkpoint_of_its_own(
    tmp_path: Path, saving: Saving, by_hand: Any, way: Callable[[], dict[str, Any]]
) -> None:
    keep = {"every_n_steps": 1, "keep_last": 9, "save_interval": 1}
    trainer, policy = saving(tmp_path, 2, keep=keep, **way())

    trainer.fit(by_hand())

    assert steps(policy) == [(1, 0, 1), (2, 0, 3), (2, 1, 0), (3, 1, 1), (4, 1, 3), (4, 2, 0)]
    folder = policy.checkpoints
    assert [path.name for path in folder.steps()][1:3] == ["step-00000002.ckpt", "step-00000002.1.ckpt"]
    assert folder.latest.samefile(folder.path / "step-00000004.1.ckpt")
    assert folder.epoch(1).samefile(folder.path / "step-00000002.1.ckpt")


def test_of_two_at_one_step_the_newer_is_kept_and_resumed_from(tmp_path: Path, saving: Saving, by_hand: Any) -> None:
    keep = {"every_n_steps": 1, "keep_last": 1}
    undisturbed, policy = saving(tmp_path / "a", 3, keep=keep)
    undisturbed.fit(whole := by_hand())
    saving(tmp_path / "b", 1, keep=keep)[0].fit(by_hand())
    resumed, policy = saving(tmp_path / "b", 3, seen := Seen(), keep=keep)
    found = policy.find_resumable()
    assert found is not None
    assert [path.name for path in policy.checkpoints.steps()] == [found.path.name] == ["step-00000002.1.ckpt"]

    resumed.fit(parts := by_hand(), ckpt_path=found.path)

    assert seen.batches[0] == (1, 1)
    assert all(torch.equal(a, b) for a, b in zip(whole.state_dict().values(), parts.state_dict().values(), strict=True))


def test_a_damaged_end_of_an_epoch_gives_way_to_the_state_before_it_at_the_same_step(
    tmp_path: Path, saving: Saving, by_hand: Any
) -> None:
    keep = {"every_n_steps": 1, "keep_last": 2}
    saving(tmp_path, 1, keep=keep)[0].fit(by_hand())
    (tmp_path / "checkpoints" / "step-00000002.1.ckpt").write_bytes(b"")
    trainer, policy = saving(tmp_path, 1, seen := Seen(), keep=keep)
    found = policy.find_resumable()
    assert found is not None
    assert (found.manifest.epoch, found.manifest.batch) == (0, 3)

    trainer.fit(by_hand(), ckpt_path=found.path)

    assert seen.batches == [(0, 4)]
    assert [verify(path).epoch for path in policy.checkpoints.steps()] == [0, 1]


@pytest.mark.slow
def test_wherever_a_training_is_refused_to_write_its_last_checkpoint_is_whole(
    tmp_path: Path, saving: Saving, by_hand: Any, way: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    last = (0, 0)
    commit = checkpoint_record.write_manifest

    def note(path: Path, manifest: Manifest) -> None:
        nonlocal last
        commit(path, manifest)
        last = manifest.place

    monkeypatch.setattr(checkpoint_io, "write_manifest", note)
    monkeypatch.setattr(strategy, "write_manifest", note)
    keep = {"every_n_steps": 1, "keep_last": 1}
    with using(disk := FaultyDisk()):
        saving(tmp_path / "0", 1, keep=keep, **way())[0].fit(by_hand())
    begin = disk.operations.index("replace step-00000002.ckpt.json")

    for at in range(begin + 1, len(disk.operations) + 1):
        trainer, policy = saving(tmp_path / str(at), 1, keep=keep, **way())
        with using(FaultyDisk(Fault("refuse from", at, errno.ENOSPC))), pytest.raises(RecordError, match="No space"):
            trainer.fit(by_hand())
        found = policy.find_resumable()
        assert found is not None
        assert found.manifest.place >= last, disk.operations[at - 1]


# --- in the background ----------------------------------------------------------------------------------------------


def test_what_is_saved_in_the_background_is_whole_when_the_training_has_ended(
    tmp_path: Path, saving: Saving, steady: Any
) -> None:
    keep = {"every_n_steps": 1, "keep_last": 3, "save_interval": 1}
    trainer, policy = saving(tmp_path, 2, keep=keep, asynchronous=True)

    trainer.fit(steady())

    assert steps(policy) == [(4, 1, 0), (6, 1, 2), (7, 1, 3), (8, 2, 0)]
    assert [verify(path).step for path in policy.checkpoints.names()] == [4, 4, 8, 8]


def test_an_error_waits_for_the_save_in_the_background(tmp_path: Path, saving: Saving, steady: Any) -> None:
    class Broken(steady):  # type: ignore[misc]  # a class from a fixture
        def on_train_epoch_start(self) -> None:
            if self.current_epoch == 1:
                raise ValueError("the model broke")

    trainer, policy = saving(tmp_path, 2, asynchronous=True)

    with pytest.raises(ValueError, match="the model broke"):
        trainer.fit(Broken())

    assert verify(policy.checkpoints.latest).step == 4


# --- what cannot be written -----------------------------------------------------------------------------------------


@pytest.fixture
def full_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Fills the disk whenever a checkpoint of one step is written."""

    def fill(step: int) -> None:
        commit = checkpoint_record.write_manifest

        def refuse(path: Path, manifest: Manifest) -> None:
            if manifest.step == step:
                raise RecordError(Problem(f"cannot write {path.name}: No space left on device", where=str(path)))
            commit(path, manifest)

        monkeypatch.setattr(checkpoint_io, "write_manifest", refuse)

    return fill


@pytest.mark.parametrize("asynchronous", [False, True], ids=["at once", "in the background"])
def test_a_checkpoint_that_cannot_be_written_ends_the_training(
    *, asynchronous: bool, tmp_path: Path, saving: Saving, steady: Any, full_at: Callable[[int], None]
) -> None:
    full_at(8)
    trainer, policy = saving(tmp_path, 3, asynchronous=asynchronous)

    with pytest.raises(RecordError, match=r"cannot write step-00000008\.ckpt: No space left on device"):
        trainer.fit(steady())

    assert steps(policy) == [(4, 1, 0)]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["at once", "in the background"])
def test_a_training_may_go_on_without_a_checkpoint(
    *, asynchronous: bool, tmp_path: Path, saving: Saving, steady: Any, full_at: Callable[[int], None]
) -> None:
    full_at(8)
    trainer, policy = saving(tmp_path, 3, keep={"on_write_failure": "continue"}, asynchronous=asynchronous)

    trainer.fit(steady())

    assert steps(policy) == [(4, 1, 0), (12, 3, 0)]
    assert policy.unsaved_because is None


def test_it_is_told_and_known_that_the_last_state_is_not_saved(
    tmp_path: Path, saving: Saving, steady: Any, full_at: Callable[[int], None], caplog: pytest.LogCaptureFixture
) -> None:
    full_at(12)
    trainer, policy = saving(tmp_path, 3, keep={"on_write_failure": "continue"})

    trainer.fit(steady())

    assert policy.unsaved_because is not None
    assert "step-00000012.ckpt: No space left on device" in policy.unsaved_because
    assert "a state of the training is not saved: cannot write step-00000012.ckpt: No space left" in caplog.text
    assert verify(policy.checkpoints.latest).step == 8
