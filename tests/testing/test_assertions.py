from pathlib import Path
from typing import Annotated

import pytest
from pydantic import SecretStr

from typedcfg import ConfigTemplate, NotInIdentity
from typedcfg.testing import assert_round_trips, assert_same_identity


class Params(ConfigTemplate):
    lr: float = 0.1
    folder: Path = Path("data")
    token: SecretStr
    workers: Annotated[int, NotInIdentity()] = 2


def test_what_is_read_back_as_it_was_round_trips() -> None:
    assert_round_trips(Params.compile(overrides={"token": "hunter2", "lr": 1e-5}))


def test_what_is_read_back_otherwise_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Params.compile(overrides={"token": "hunter2"})
    monkeypatch.setattr(type(config), "to_yaml", lambda _: "lr: 0.2\n")

    with pytest.raises(AssertionError, match=r"YAML .* read back as another\n  lr: 0\.1 -> 0\.2"):
        assert_round_trips(config)


def test_one_identity_may_have_two_values_that_do_not_bear_on_it() -> None:
    one, other = (Params.compile(overrides={"token": "a", "workers": workers}) for workers in (1, 2))

    assert_same_identity(one, other)


def test_what_makes_two_identities_is_shown_and_nothing_else() -> None:
    one, other = (Params.compile(overrides={"token": "a", "workers": n, "lr": n}) for n in (1, 2))

    with pytest.raises(AssertionError) as caught:
        assert_same_identity(one, other)

    assert "lr: 1.0 -> 2.0" in str(caught.value)
    assert "workers" not in str(caught.value)


def test_a_field_of_another_name_is_shown() -> None:
    class Renamed(ConfigTemplate):
        rate: float = 0.1

    class Before(ConfigTemplate):
        lr: float = 0.1

    with pytest.raises(AssertionError, match=r"rate: absent -> 0\.1"):
        assert_same_identity(Before.compile(), Renamed.compile())
