import re

import pytest
import torch

from typedcfg import Experiment, Runner
from typedcfg.cli.main import call
from typedcfg.errors import RunError, RunFailed
from typedcfg.records.checkpoint_record import committed
from typedcfg.runner.run_dir import AttemptDir

TinyType = type[Experiment]


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


@pytest.mark.parametrize("progress", ["lines", "bar"])
def test_a_training_that_was_told_to_stop_is_shown_and_recorded_as_that(
    progress: str, tiny: TinyType, capsys: pytest.CaptureFixture[str]
) -> None:
    class Brief(tiny):  # type: ignore[misc, valid-type]  # loaded by the test
        def build_model(self) -> object:
            model = super().build_model()
            model.on_train_epoch_end = lambda: setattr(model.trainer, "should_stop", True)
            return model

    runner = Runner(Brief.compile(overrides=[f"logging.progress={progress}"]))
    runner.fit()

    assert call(["runs", "show", str(runner.dir)]) == 0
    stopped = r"stopped early: (.+)\n(?:.*\n)*  stopped early  \1\n"
    assert re.search(stopped, capsys.readouterr().out)


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
