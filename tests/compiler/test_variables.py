import pickle

import pytest

from typedcfg.compiler.variables import Variables


def test_a_variable_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.delenv("NOWHERE", raising=False)
    variables = Variables()

    assert (variables.text("WORLD_SIZE"), variables.text("NOWHERE")) == ("8", None)
    monkeypatch.setenv("WORLD_SIZE", "9")
    monkeypatch.setenv("NOWHERE", "found")

    assert pickle.loads(pickle.dumps(variables)).read == {"WORLD_SIZE": "8", "NOWHERE": None}
    assert (variables.text("WORLD_SIZE"), variables.text("NOWHERE")) == ("8", None)
