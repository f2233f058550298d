"""Which variant is in force, and which settings belong to it: every layer is one voice."""

from itertools import permutations
from typing import Annotated, Any, Literal

import pytest
from networks import AdamW, Sgd
from refusals import refusal

from typedcfg import ConfigTemplate, Kind, section
from typedcfg.errors import DeprecatedName


class Params(ConfigTemplate):
    optimizer: AdamW | Sgd = section(AdamW)
    maybe: AdamW | Sgd | None = None


def values(*overrides: str, **presets: Any) -> Any:
    return Params.compile(overrides=overrides, presets=[presets]).params


@pytest.mark.parametrize("order", list(permutations(["optimizer=sgd", "optimizer.momentum=0.9", "optimizer.lr=3"])))
def test_within_one_layer_a_kind_and_its_settings_come_in_any_order(order: tuple[str, ...]) -> None:
    assert values(*order).optimizer == Sgd(momentum=0.9, lr=3)


def test_an_inline_mapping_merges_as_in_a_file() -> None:
    assert values("optimizer=sgd", "optimizer.lr=3", "optimizer={momentum: 0.9}").optimizer == Sgd(lr=3, momentum=0.9)


def test_an_inline_mapping_chooses_a_kind() -> None:
    assert values("optimizer={kind: sgd, lr: 3}").optimizer == Sgd(lr=3)


def test_a_layer_without_a_kind_speaks_for_the_one_below() -> None:
    assert values("optimizer.lr=3").optimizer == AdamW(lr=3)
    assert values("optimizer.lr=3", optimizer={"kind": "sgd"}).optimizer == Sgd(lr=3)


def test_a_switch_drops_everything_that_belonged_to_the_other_kind() -> None:
    config = Params.compile(overrides=["optimizer=sgd"], presets=[{"optimizer": {"lr": 3, "betas": [0.1, 0.2]}}])

    assert config.params.optimizer == Sgd()
    assert config.notes == (
        "optimizer.lr (presets[0]) does not count: it belongs to kind 'adamw', and overrides[0] chose kind 'sgd'",
        "optimizer.betas (presets[0]) does not count: it belongs to kind 'adamw', and overrides[0] chose kind 'sgd'",
    )


def test_switching_away_and_back_revives_what_belonged() -> None:
    presets: list[dict[str, Any]] = [
        {"optimizer": {"lr": 3}},
        {"optimizer": {"kind": "sgd", "momentum": 0.9}},
        {"optimizer": {"kind": "adamw", "betas": [0.1, 0.2]}},
    ]

    config = Params.compile(presets=presets)

    assert config.params.optimizer == AdamW(lr=3, betas=(0.1, 0.2))
    assert config.notes == (
        "optimizer.momentum (presets[1]) does not count: it belongs to kind 'sgd', and presets[2] chose kind 'adamw'",
    )


def test_naming_the_kind_that_is_in_force_drops_nothing() -> None:
    config = Params.compile(overrides=["optimizer=adamw"], presets=[{"optimizer": {"lr": 3}}])

    assert (config.params.optimizer.lr, config.notes) == (3, ())


def test_an_unknown_kind_lists_the_known() -> None:
    assert refusal(Params, "optimizer=sdg") == (
        "unknown kind 'sdg' for optimizer\n"
        "  at            overrides[0]\n"
        "  expected      adamw or sgd\n"
        "  did you mean  sgd"
    )


def test_a_kind_is_literal_text() -> None:
    text = refusal(Params, "optimizer.kind=${count}")

    assert "optimizer.kind = '${count}': a kind is literal text" in text


def test_an_optional_variant_without_a_default_needs_a_kind() -> None:
    assert "maybe has no kind" in refusal(Params, "maybe.lr=3")
    assert values("maybe=sgd", "maybe.lr=3").maybe == Sgd(lr=3)


def test_null_empties_an_optional_variant_and_no_other() -> None:
    assert values("maybe=null", maybe={"kind": "sgd"}).maybe is None
    assert refusal(Params, "optimizer=null") == (
        "optimizer = null is no section\n"
        "  at            overrides[0]\n"
        "  expected      a kind, adamw or sgd, or a mapping\n"
        "  fix           write what it holds below it, indented; or optimizer: {}; or leave it out"
    )


def test_an_old_kind_is_accepted_with_a_warning() -> None:
    class Step(ConfigTemplate):
        kind: Literal["step"] = "step"

    class Renamed(ConfigTemplate):
        kind: Annotated[Literal["linear"], Kind(renamed_from="ramp")] = "linear"
        warmup: int = 1

    class Root(ConfigTemplate):
        schedule: Step | Renamed = section(Step)

    with pytest.warns(DeprecatedName, match=r"overrides\[0\]: schedule.kind 'ramp' is now called 'linear'"):
        config = Root.compile(overrides=["schedule=ramp", "schedule.warmup=5"])

    assert config.plain() == {"schedule": {"kind": "linear", "warmup": 5}}
