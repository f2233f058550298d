import pytest

from typedcfg.cli import main
from typedcfg.runner.launchers.base import ATTEMPT_VARIABLE, RUN_VARIABLE


def test_a_worker_that_nobody_launched_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.call(["worker", "somewhere"]) == 2

    assert "a worker is started by a launcher" in capsys.readouterr().err


def test_variables_for_a_worker_are_not_left_to_what_it_starts(monkeypatch: pytest.MonkeyPatch, tiny_app: str) -> None:
    monkeypatch.setenv(RUN_VARIABLE, tiny_app)
    monkeypatch.setenv(ATTEMPT_VARIABLE, tiny_app)

    assert main.call(["worker"]) == 2

    import os

    assert not {RUN_VARIABLE, ATTEMPT_VARIABLE} & set(os.environ)
