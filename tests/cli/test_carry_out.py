from collections.abc import Callable
from pathlib import Path

import pytest

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
