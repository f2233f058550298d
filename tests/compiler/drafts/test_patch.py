"""A diff applied: whatever two configurations differ in, the one becomes the other."""

from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from typedcfg import Config, ConfigTemplate, derived, section
from typedcfg.errors import ConfigError, Frozen


class Layer(ConfigTemplate):
    width: int = 8
    double: int = derived(lambda c: c.width * 2)


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.9


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = derived(lambda c: c.root.batch_size / 128 * 0.01)
    inner: Layer


class Params(ConfigTemplate):
    batch_size: int = 128
    optimizer: AdamW | Sgd = section(AdamW)
    layers: list[Layer] = [Layer(), Layer(width=2)]
    groups: dict[str, Layer] = {"a.b": Layer(width=3)}
    option: Layer | None = None
    either: list[AdamW | Sgd] = []
    tags: list[str] = []
    rates: dict[str, float] = {}
    folder: Path = Path("data")
    anything: Any = None
    token: SecretStr = SecretStr("a")


LAYERS = st.fixed_dictionaries({}, optional={"width": st.integers(1, 3), "double": st.integers(2, 6)})
OPTIMIZERS = st.one_of(
    st.fixed_dictionaries({"kind": st.just("sgd")}, optional={"lr": st.sampled_from([0.1, 0.5])}),
    st.fixed_dictionaries({"kind": st.just("adamw")}, optional={"lr": st.sampled_from([0.01, 0.5]), "inner": LAYERS}),
)
NAMES = st.sampled_from(["a", "a.b", "$x"])
SETTINGS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "batch_size": st.sampled_from([64, 128]),
        "optimizer": OPTIMIZERS,
        "layers": st.lists(LAYERS, max_size=3),
        "groups": st.dictionaries(NAMES, LAYERS, max_size=2),
        "option": st.none() | LAYERS,
        "either": st.lists(OPTIMIZERS, max_size=2),
        "tags": st.lists(st.sampled_from(["x", "$${y}"]), max_size=2),
        "rates": st.dictionaries(NAMES, st.sampled_from([0.0, -0.0, float("nan"), 1.0]), max_size=2),
        "folder": st.just(Path("elsewhere")),
        "anything": st.sampled_from([1, 1.0, True, None, [], {}, [1], {"a": [{}]}, "$${z}"]),
        "token": st.sampled_from(["a", "b"]),
    },
)


def compiled(settings: dict[str, Any]) -> Config[Params]:
    return Params.compile(presets=[settings])


@given(one=SETTINGS, other=SETTINGS)
def test_a_diff_applied_to_the_one_gives_the_other(one: Any, other: Any) -> None:
    a, b = compiled(one), compiled(other)

    with a.unlocked() as draft:
        draft.apply(a.diff(b))
    config = draft.lock()

    assert config == b
    assert config.diff(b) == ()
    assert config.fingerprint == b.fingerprint
    assert config.params.token == b.params.token


def test_a_formula_is_left_to_itself() -> None:
    a, b = compiled({}), compiled({"batch_size": 256})
    draft = a.unlock()

    draft.apply(a.diff(b))

    assert draft.optimizer.lr == 0.02
    draft.batch_size = 512
    assert draft.optimizer.lr == 0.04


def test_a_section_is_patched_in_its_place() -> None:
    a, b = compiled({"layers": [{"width": 1}]}), compiled({"layers": [{"width": 2}]})
    draft = a["layers[0]"].unlock()

    draft.apply(a["layers[0]"].diff(b["layers[0]"]))

    assert draft.lock() == b["layers[0]"]


def test_a_change_that_does_not_fit_leaves_the_draft_as_it_was() -> None:
    class Other(ConfigTemplate):
        batch_size: int = 1
        nothing_like_it: int = 1

    a = compiled({})
    draft = a.unlock()

    with pytest.raises(ConfigError, match="nothing_like_it"):
        draft.apply(a.diff(Other.compile()))

    assert draft.lock() == a


@pytest.mark.parametrize("what", [[1], 1, compiled({}), compiled({}).diff(compiled({"batch_size": 1}))[0]], ids=str)
def test_what_is_no_diff_is_refused(what: Any) -> None:
    with pytest.raises(ConfigError, match="is no diff"):
        compiled({}).unlock().apply(what)


def test_a_locked_draft_takes_no_patch() -> None:
    a, b = compiled({}), compiled({"batch_size": 256})
    draft = a.unlock()
    draft.lock()

    with pytest.raises(Frozen):
        draft.apply(a.diff(b))
