"""Two configurations as one: whose settings count, and what follows from them."""

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcfg import Config, ConfigTemplate, derived, section
from typedcfg.errors import ConfigError


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.9


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = derived(lambda c: c.root.loader.batch_size / 128 * 0.01)


class Loader(ConfigTemplate):
    batch_size: int = 128
    workers: int = 2


class Params(ConfigTemplate):
    loader: Loader
    optimizer: AdamW | Sgd = section(AdamW)
    layers: list[Loader] = []
    tags: list[str] = []
    groups: dict[str, Loader] = {}


def compiled(**overrides: Any) -> Config[Params]:
    return Params.compile(overrides={key.replace("__", "."): value for key, value in overrides.items()})


def test_the_settings_of_the_other_stand_above_and_formulas_follow() -> None:
    config = compiled(loader__batch_size=256, loader__workers=4).merge(compiled(loader__batch_size=512))

    assert config.params.loader == Loader(batch_size=512, workers=4)
    assert config["optimizer.lr"] == 0.04


def test_what_exists_is_kept_if_that_is_wanted() -> None:
    config = compiled(loader__batch_size=256).merge(
        compiled(loader__batch_size=512, loader__workers=4), keep_existing=True
    )

    assert config.params.loader == Loader(batch_size=256, workers=4)


def test_an_explanation_says_who_won_by_merging() -> None:
    strong, weak = compiled(loader__batch_size=256), compiled(loader__batch_size=512)

    assert "what was merged on top wins over an override in code" in strong.merge(weak).explain("loader.batch_size")
    below = strong.merge(weak, keep_existing=True)
    assert "an override in code wins over what was merged below it" in below.explain("loader.batch_size")


@pytest.mark.parametrize("other", [{"loader": {"batch_size": 512}}, Params(loader=Loader(batch_size=512))])
def test_a_mapping_and_a_section_can_be_merged(other: Any) -> None:
    config = compiled().merge(other)

    assert config["loader.batch_size"] == 512
    assert "test_merged.py:" in config.origin("loader.batch_size")


def test_a_section_is_merged_in_its_place() -> None:
    config = compiled().loader.merge({"batch_size": 512, "workers": "${batch_size}"})

    assert config.params == Loader(batch_size=512, workers=512)
    assert config.explain("batch_size").startswith("loader.batch_size = 512")


def test_a_section_of_another_configuration_brings_what_was_set_in_it() -> None:
    other = Params.compile(presets=[{"loader": {"workers": "${layers[0].workers}"}, "layers": [{"workers": 5}]}])
    base = compiled(loader__batch_size=7, layers=[{"workers": 6}])

    config = base.loader.merge(other.loader)

    assert config.params == Loader(batch_size=7, workers=6)


@pytest.mark.parametrize("other", [3, None, "base.yaml", ["a"]])
def test_what_is_no_configuration_cannot_be_merged(other: Any) -> None:
    with pytest.raises(ConfigError, match="cannot be merged"):
        compiled().merge(other)


def test_a_key_that_the_template_does_not_know_is_told_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"unknown key 'loader.bach'(.|\n)*test_merged.py"):
        compiled().merge({"loader": {"bach": 1}})


SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "loader.batch_size": st.integers(1, 9),
        "loader.workers": st.integers(1, 9) | st.just("${loader.batch_size}"),
        "optimizer": st.sampled_from(["adamw", "sgd", {"kind": "sgd", "momentum": 0.5}, {"kind": "adamw", "lr": 7}]),
        "layers": st.lists(st.just({"workers": 3}), max_size=2),
        "tags": st.lists(st.sampled_from("ab"), max_size=2),
        "groups": st.dictionaries(st.sampled_from(["a", "b.c"]), st.just({"workers": 5}), max_size=2),
    },
)


@given(one=SETTINGS, two=SETTINGS, three=SETTINGS, keep_existing=st.booleans())
def test_merging_is_associative(one: Any, two: Any, three: Any, *, keep_existing: bool) -> None:
    a, b, c = (Params.compile(overrides=settings) for settings in (one, two, three))

    stepwise = a.merge(b, keep_existing=keep_existing).merge(c, keep_existing=keep_existing)
    at_once = a.merge(b.merge(c, keep_existing=keep_existing), keep_existing=keep_existing)

    assert stepwise == at_once
    assert stepwise.fingerprint == at_once.fingerprint
