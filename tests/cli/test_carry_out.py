import json
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch.callbacks.progress.tqdm_progress import Tqdm

from typedcfg import Experiment, Runner
from typedcfg.cli.carry_out import carry_out
from typedcfg.errors import RecordError
from typedcfg.runner import run
from typedcfg.runner.failure import Preempted, exit_code_of


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt, 130), (Preempted, 143)])
def test_who_is_stopped_before_there_is_a_folder_is_told_so_and_no_more(
    error: type[BaseException],
    code: int,
    command: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stop(_: object) -> None:
        raise error

    monkeypatch.setattr(run, "check_machine", stop)

    assert command("run", "APP") == code

    assert capsys.readouterr().err == "stopped\n"
    assert not Path("experiments").exists()


def _at_its_first_epoch(tiny: type[Experiment], deed: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    build = tiny.build_model

    def build_model(experiment: Experiment) -> Any:
        model = build(experiment)
        model.on_train_epoch_start = deed  # type: ignore[method-assign]
        return model

    monkeypatch.setattr(tiny, "build_model", build_model)


def _remove(record: Path) -> None:
    record.unlink()


def _damage(record: Path) -> None:
    record.write_text('{"ha')


def _forget(record: Path) -> None:
    record.write_text(json.dumps({**json.loads(record.read_text()), "attempts": []}))


@pytest.mark.parametrize("harm", [_remove, _damage, _forget])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), Preempted(), ValueError("the model broke")], ids=repr)
def test_how_a_training_ended_is_told_also_where_its_record_was_lost(
    error: BaseException,
    harm: Callable[[Path], None],
    tiny: type[Experiment],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def end() -> None:
        harm(folder.record)
        raise error

    runner = Runner(tiny.compile())
    folder = runner.make()
    _at_its_first_epoch(tiny, end, monkeypatch)

    if isinstance(error, ValueError):
        with pytest.raises(ValueError, match="the model broke"):
            carry_out(runner)
    else:
        assert carry_out(runner) == exit_code_of(error)
        assert "stopped" in capsys.readouterr().err


def test_a_training_whose_folder_is_moved_ends_and_writes_no_other(
    tiny: type[Experiment], monkeypatch: pytest.MonkeyPatch
) -> None:
    def move() -> None:
        folder.path.rename("moved")

    runner = Runner(tiny.compile())
    folder = runner.make()
    _at_its_first_epoch(tiny, move, monkeypatch)

    with pytest.raises(RecordError, match="the run's folder is gone"):
        carry_out(runner)

    assert not folder.path.exists()


def test_what_is_told_does_not_stand_behind_a_progress_bar(
    tiny: type[Experiment], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def tell(_: object) -> None:
        with Tqdm(total=3, file=sys.stdout, ncols=40):
            logging.getLogger("typedcfg").info("the time is over")
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "check_machine", tell)

    carry_out(Runner(tiny.compile()))

    assert "\r \rthe time is over\n" in re.sub(" +", " ", capsys.readouterr().out)
