import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Callback, LightningModule, Trainer
from typing_extensions import override

from typedcfg.runner.failure import Preempted
from typedcfg.runner.launchers.lifeline import PARENT_VARIABLE
from typedcfg.runner.lightning.callbacks.pulse import Pulse
from typedcfg.runner.stop_signals import STOP_SIGNALS, stops_raise

MakeTrainer = Callable[..., Trainer]
SENT = [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1]


class Sender(Callback):
    """Sends this process a signal: in the training before a step is done, or in the validation after some batches."""

    def __init__(self, number: signal.Signals, *, step: int | None = None, validation: int | None = None) -> None:
        self.number = number
        self.step = step
        self.validation = validation

    @override
    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            os.kill(os.getpid(), self.number)

    @override
    def on_validation_batch_start(
        self, trainer: Trainer, module: LightningModule, batch: Any, index: int, *_: Any
    ) -> None:
        if not trainer.sanity_checking and index == self.validation:
            os.kill(os.getpid(), self.number)


@pytest.fixture
def saved() -> list[int]:
    """The steps that were saved."""
    return []


@pytest.fixture
def save(saved: list[int]) -> Callable[[Trainer], None]:
    return lambda trainer: saved.append(trainer.global_step)


Save = Callable[[Trainer], None]
ToyType = type[LightningModule]


@pytest.mark.parametrize("number", SENT)
def test_a_signal_ends_the_training_after_the_step_saved(
    number: signal.Signals, trainer: MakeTrainer, toy: ToyType, save: Save, saved: list[int]
) -> None:
    with pytest.raises(Preempted):
        trainer(3, Sender(number, step=5), Pulse(save=save)).fit(toy())

    assert saved == [6]


def test_who_asks_is_told_at_once_that_it_was_heard(
    trainer: MakeTrainer, toy: ToyType, save: Save, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Preempted):
        trainer(3, Sender(signal.SIGTERM, step=5), Pulse(save=save)).fit(toy())

    assert "SIGTERM: stopping where it can be gone on from; once more stops at once\n" in capfd.readouterr().err


def test_a_rank_that_has_a_launcher_leaves_it_to_that_to_tell(
    trainer: MakeTrainer, toy: ToyType, save: Save, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PARENT_VARIABLE, "1")

    with pytest.raises(Preempted):
        trainer(3, Sender(signal.SIGTERM, step=5), Pulse(save=save)).fit(toy())

    assert "once more stops at once" not in capfd.readouterr().err


def test_ctrl_c_does_as_well(trainer: MakeTrainer, toy: ToyType, save: Save, saved: list[int]) -> None:
    with pytest.raises(SystemExit) as raised:
        trainer(3, Sender(signal.SIGINT, step=5), Pulse(save=save)).fit(toy())

    assert isinstance(raised.value.__context__, KeyboardInterrupt)
    assert saved == [6]


@pytest.mark.parametrize("number", [*SENT, signal.SIGINT])
def test_handlers_are_put_back(number: signal.Signals, trainer: MakeTrainer, toy: ToyType) -> None:
    before = [signal.getsignal(each) for each in STOP_SIGNALS]

    with pytest.raises(SystemExit):
        trainer(1, Sender(number, step=1), Pulse()).fit(toy())
    trainer(1, Pulse()).fit(toy())

    assert [signal.getsignal(each) for each in STOP_SIGNALS] == before


def test_a_step_of_several_batches_is_finished_first(
    trainer: MakeTrainer, toy: ToyType, save: Save, saved: list[int]
) -> None:
    batches: list[int] = []

    class Counting(toy):  # type: ignore[misc, valid-type]  # a class from a fixture
        @override
        def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
            batches.append(batch_idx)

    with pytest.raises(Preempted):
        trainer(3, Sender(signal.SIGTERM, step=0), Pulse(save=save), accumulate_grad_batches=3).fit(Counting())

    assert (batches, saved) == ([0, 1, 2], [1])


def test_the_last_step_of_an_epoch_is_saved_with_the_epochs_end(
    trainer: MakeTrainer, toy: ToyType, save: Save, saved: list[int]
) -> None:
    pulse = Pulse(save=save)
    with pytest.raises(Preempted):
        trainer(3, Sender(signal.SIGTERM, step=3), pulse, limit_val_batches=0).fit(toy())

    assert saved == [4]


def test_a_validation_ends_after_the_batch_and_saves_nothing(
    trainer: MakeTrainer, toy: ToyType, save: Save, saved: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with pytest.raises(Preempted):
        trainer(3, Sender(signal.SIGTERM, validation=0), Pulse(save=save)).fit(toy())

    assert saved == []
    assert "SIGTERM: the training stops; it can be gone on with from what was saved last" in caplog.text


def test_it_ends_when_its_time_is_up(
    trainer: MakeTrainer, toy: ToyType, save: Save, saved: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with pytest.raises(Preempted):
        trainer(3, Pulse(save=save, max_time=timedelta(microseconds=1))).fit(toy())

    assert saved == []
    assert "run.max_time is over: the training stops before its first step; nothing was saved\n" in caplog.text


def test_a_save_that_is_wanted_is_made_between_steps(
    trainer: MakeTrainer, toy: ToyType, save: Save, saved: list[int]
) -> None:
    pulse = Pulse(save=save, wants_save=lambda: made.global_step == 2 and not saved)
    made = trainer(1, pulse)

    made.fit(toy())

    assert saved == [2]


def test_a_save_that_is_wanted_is_only_begun(trainer: MakeTrainer, toy: ToyType, save: Save, saved: list[int]) -> None:
    begun: list[int] = []

    def begin(trainer: Trainer) -> None:
        begun.append(trainer.global_step)

    pulse = Pulse(save=save, begin_save=begin, wants_save=lambda: not begun)
    with pytest.raises(Preempted):
        trainer(3, Sender(signal.SIGTERM, step=5), pulse).fit(toy())

    assert (begun, saved) == ([1], [6])


def test_a_step_may_ask_whether_it_should_return_early() -> None:
    assert Pulse(max_time=timedelta()).is_asked_to_stop
    assert not Pulse().is_asked_to_stop


def test_after_sigusr1_a_job_of_slurms_is_queued_once_more(
    trainer: MakeTrainer, toy: ToyType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scontrol").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n')
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("SLURM_JOB_ID", "12")

    with pytest.raises(Preempted):
        trainer(1, Sender(signal.SIGUSR1, step=1), Pulse(), accelerator="cpu", devices=1).fit(toy())

    assert (tmp_path / "asked").read_text() == "requeue 12\n"


def test_what_was_heard_before_and_stopped_nobody_stops_the_training(trainer: MakeTrainer, toy: ToyType) -> None:
    class Deaf:
        def __del__(self) -> None:  # out of which Python lets nothing be raised
            os.kill(os.getpid(), signal.SIGTERM)

    training = trainer(3, Pulse())

    def hear_and_train() -> None:
        with stops_raise():
            Deaf()
            training.fit(toy())

    with pytest.raises(Preempted):
        hear_and_train()

    assert training.global_step == 0
