import pickle

import pytest

from typedcfg.compiler.expressions.variables import Variables


def test_a_variable_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.delenv("NOWHERE", raising=False)
    variables = Variables()

    assert (variables.text("WORLD_SIZE"), variables.text("NOWHERE")) == ("8", None)
    monkeypatch.setenv("WORLD_SIZE", "9")
    monkeypatch.setenv("NOWHERE", "found")

    assert pickle.loads(pickle.dumps(variables)).read == {"WORLD_SIZE": "8", "NOWHERE": None}
    assert (variables.text("WORLD_SIZE"), variables.text("NOWHERE")) == ("8", None)


def test_another_environment_is_read_and_not_pickled() -> None:
    variables = Variables(environ={"TOKEN": "hunter2", "HOST": "here"})

    assert (variables.text("HOST"), variables.anew().text("HOST")) == ("here", "here")
    assert variables.anew().read == {}
    assert b"hunter2" not in pickle.dumps(variables)
