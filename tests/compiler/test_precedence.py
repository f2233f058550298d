from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path

import pytest

from typedcfg import ConfigTemplate
from typedcfg.compiler.compile import compile_sources
from typedcfg.compiler.precedence import STRENGTHS, in_order, rule_between
from typedcfg.sources.base import Layer
from typedcfg.sources.mapping import MappingSource
from typedcfg.sources.overrides import split_arguments


class Params(ConfigTemplate):
    a: int = 0


def of(strength: str) -> Layer:
    return Layer(strength, strength, ())


def test_layers_are_put_in_order_of_strength() -> None:
    shuffled = [of(strength) for strength in reversed(STRENGTHS)]

    assert [layer.strength for layer in in_order(shuffled)] == list(STRENGTHS)


def test_layers_of_one_strength_keep_their_order() -> None:
    layers = [Layer("wide.yaml", "files", ()), Layer("base.yaml", "files", ())]

    assert in_order(layers) == layers


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_in_which_sources_are_named_does_not_matter(order: Sequence[int]) -> None:
    sources = [MappingSource(name, {"a": i}, strength=name) for i, name in enumerate(["presets", "files", "dotenv"])]

    config = compile_sources(Params, [sources[i] for i in order])

    assert config.params.a == 2


SOURCES = ["presets", "files", "secrets_dir", "dotenv", "environment", "overrides"]
"""Weakest first; each says a different number."""


@pytest.mark.parametrize("strongest", range(len(SOURCES)))
def test_each_source_wins_over_all_weaker_ones(
    strongest: int, write: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = SOURCES[: strongest + 1]
    write(base="a: 2")
    Path("secrets").mkdir()
    Path("secrets/P__A").write_text("3", encoding="utf-8")
    Path(".env").write_text("P__A=4", encoding="utf-8")
    if "environment" in given:
        monkeypatch.setenv("P__A", "5")

    config = Params.compile(
        *(["base.yaml"] if "files" in given else []),
        presets=[{"a": 1}],
        env_prefix="P__" if strongest > 1 else None,
        secrets_dir="secrets" if "secrets_dir" in given else None,
        dotenv=".env" if "dotenv" in given else None,
        overrides=["a=6"] if "overrides" in given else [],
    )

    assert config.params.a == strongest + 1


def test_the_command_line_wins_over_the_environment_and_loses_to_code() -> None:
    _, arguments = split_arguments([(1, "a=1")])
    environment = MappingSource("environment", {"a": 2}, strength="environment")
    code = MappingSource("overrides", {"a": 3}, strength="overrides")

    assert compile_sources(Params, [arguments, environment]).params.a == 1
    assert compile_sources(Params, [code, arguments, environment]).params.a == 3


def test_of_one_layer_the_last_setting_wins() -> None:
    config = Params.compile(overrides=["a=1", "a=2"])

    assert config.params.a == 2
    assert "the same source sets it again: the last one wins" in config.explain("a")


def test_a_file_stands_above_what_it_extends_and_above_files_before_it(write: Callable[..., None]) -> None:
    write(base="a: 1", patch="a: 2", wide="$extends: patch.yaml")

    assert Params.compile("base.yaml", "wide.yaml").params.a == 2
    assert Params.compile("wide.yaml", "base.yaml").params.a == 1


def test_a_file_that_two_others_extend_stands_at_its_first_place(write: Callable[..., None]) -> None:
    write(root="a: 1", left="$extends: root.yaml\na: 2", right="$extends: root.yaml")

    assert Params.compile("left.yaml", "right.yaml").params.a == 2


def test_later_presets_win_over_earlier_ones() -> None:
    assert Params.compile(presets=[{"a": 1}, Params(a=2)]).params.a == 2
    assert Params.compile(presets=[Params(a=2), {"a": 1}]).params.a == 1


def test_every_pair_of_strengths_has_its_rule() -> None:
    rules = {rule_between(of(strong), of(weak)) for strong in STRENGTHS for weak in STRENGTHS if strong != weak}

    assert len(rules) == len(STRENGTHS) * (len(STRENGTHS) - 1)
    assert "an override in code wins over the command line" in rules


def test_presets_are_told_apart_by_their_order() -> None:
    first, second = Layer("presets[0]", "presets", ()), Layer("presets[1]", "presets", ())

    assert rule_between(second, first) == "presets[1] comes after presets[0]: the later wins"
