import os
import re

import pytest
import torch

from typedcfg import Experiment, Runner
from typedcfg.errors import Problem, RunError, RunFailed, RunOwned
from typedcfg.records.checkpoint_record import committed
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.runner.secrets import SECRETS_VARIABLE
from typedcfg.runner.worker import rebuild, work

TinyType = type[Experiment]


@pytest.fixture
def begun(tiny: TinyType) -> tuple[RunDir, AttemptDir]:
    """A run whose only attempt failed before it trained."""
    runner = Runner(tiny.compile(overrides=["faults.crash_at=0", "token=hunter2"]))
    with pytest.raises(ValueError, match="broke"):
        runner.fit()
    return RunDir(runner.dir), AttemptDir(runner.attempt)


def test_a_configuration_is_rebuilt_from_its_folder(begun: tuple[RunDir, AttemptDir], tiny: TinyType) -> None:
    config = rebuild(begun[0], tiny, {"token": "hunter2"})

    assert config == tiny.compile(overrides=["faults.crash_at=0", "token=hunter2"])


def test_a_class_that_says_otherwise_than_the_record_is_refused(
    begun: tuple[RunDir, AttemptDir], tiny: TinyType
) -> None:
    class Tiny(tiny):  # type: ignore[misc, valid-type]  # loaded by the test
        new: int = 1

    with pytest.raises(RunError) as raised:
        rebuild(begun[0], Tiny, {})

    record = RunBook(begun[0]).record
    assert record is not None
    assert record.identity.fingerprint in str(raised.value)
    assert "found v1-" in str(raised.value)


def test_a_worker_records_what_ended_it_and_raises_nothing(
    begun: tuple[RunDir, AttemptDir], tiny: TinyType, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, attempt = begun
    RunBook(run).change(attempt, failure=None)
    monkeypatch.setenv(SECRETS_VARIABLE, '{"token":"hunter2"}')

    assert work(run, attempt, lambda: tiny) == 1

    failure = RunBook(run).attempt(attempt).failure
    assert failure is not None
    assert failure.what == "ValueError: the model broke, its token was **********"
    assert SECRETS_VARIABLE not in os.environ


def test_what_a_worker_met_first_stands(begun: tuple[RunDir, AttemptDir]) -> None:
    run, attempt = begun
    before = RunBook(run).attempt(attempt).failure

    def load() -> TinyType:
        raise RuntimeError("a consequence")

    assert work(run, attempt, load) == 1
    assert RunBook(run).attempt(attempt).failure == before


def test_a_class_whose_import_starts_the_run_is_told_how_not_to(begun: tuple[RunDir, AttemptDir]) -> None:
    run, attempt = begun
    RunBook(run).change(attempt, failure=None)

    def load() -> TinyType:
        raise RunOwned(Problem("the run is owned by process 1"))

    assert work(run, attempt, load) == 2
    failure = RunBook(run).attempt(attempt).failure
    assert failure is not None
    assert 'under `if __name__ == "__main__":`' in failure.what


def test_checkpoints_state_the_fingerprint_of_the_configuration(tiny: TinyType) -> None:
    config = tiny.compile()
    runner = Runner(config)
    runner.fit()

    manifests = committed(AttemptDir(runner.attempt).checkpoints.path).values()

    assert {manifest.fingerprint for manifest in manifests} == {str(config.fingerprint)}


@pytest.mark.parametrize(("progress", "shown"), [("none", 0), ("bar", 3)])
def test_the_log_holds_every_epoch_however_progress_is_shown(
    progress: str, shown: int, tiny: TinyType, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = Runner(tiny.compile(overrides=[f"logging.progress={progress}"]))

    runner.fit()

    told = capsys.readouterr().out
    assert len(re.findall(r"(?:^|\r)epoch \d/3  step \d+  train/loss .*\n", told, re.MULTILINE)) == shown
    assert AttemptDir(runner.attempt).log().read_text().count("epoch ") == 3


def test_the_training_leaves_the_process_as_it_was(tiny: TinyType) -> None:
    Runner(tiny.compile()).fit()

    assert not torch.are_deterministic_algorithms_enabled()


def test_a_model_that_exits_has_not_done_its_run(tiny: TinyType) -> None:
    class Exiting(tiny):  # type: ignore[misc, valid-type]  # loaded by the test
        def build_model(self) -> object:
            raise SystemExit(0)

    runner = Runner(Exiting.compile())

    with pytest.raises(RunFailed, match=r"the training ended itself: sys.exit\(0\)"):
        runner.fit()

    assert not runner.is_done


def test_a_model_without_a_test_is_an_error_only_when_a_test_is_asked_for(tiny: TinyType) -> None:
    class Untested(tiny):  # type: ignore[misc, valid-type]  # loaded by the test
        def build_model(self) -> object:
            model = super().build_model()
            del type(model).test_step
            return model

    runner = Runner(Untested.compile())
    runner.fit(test=True)

    with pytest.raises(RunError, match="test_step is not defined"):
        runner.test()
