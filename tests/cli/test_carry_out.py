import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from lightning.pytorch.callbacks.progress.tqdm_progress import Tqdm

from typedcfg import Experiment, Runner
from typedcfg.cli.carry_out import carry_out
from typedcfg.runner import run
from typedcfg.runner.failure import Preempted


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
