from pathlib import Path
from typing import Literal

import pytest

from typedcfg import ConfigTemplate, section
from typedcfg.cli.completion.keys import Keys
from typedcfg.sources.mapping import MappingSource


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = 0.1
    """The highest rate."""


class Sgd(ConfigTemplate):
    """Plain descent."""

    kind: Literal["sgd"] = "sgd"
    lr: float = 0.2
    momentum: float = 0.9


class Layer(ConfigTemplate):
    width: int


class Ema(ConfigTemplate):
    decay: float = 0.9


class App(ConfigTemplate):
    path: Path
    optimizer: AdamW | Sgd = section(AdamW)
    second: AdamW | Sgd
    layers: list[Layer] = []
    groups: dict[str, Sgd] = {}
    ema: Ema | None = None
    activation: Literal["relu", "gelu"] | None = None
    shuffle: bool = True
    clip: float | None = None


def keys(start: str, settings: dict[str, object] | None = None, *, end: str = "=") -> list[str]:
    found = Keys(App, [MappingSource("settings", settings)] if settings else ())
    return [candidate.text for candidate in found.keys(start, end=end)]


def values(key: str, start: str = "") -> list[str]:
    return [candidate.text for candidate in Keys(App).values(key, start)]


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("o", ["optimizer."]),
        ("optimizer", ["optimizer."]),
        ("optimizer.", ["optimizer.kind=", "optimizer.lr="]),
        ("optimizer.l", ["optimizer.lr="]),
        ("optimizer.lr", ["optimizer.lr="]),
        ("optimizer.lr.", []),
        ("nope", []),
        ("nope.a", []),
    ],
)
def test_a_key_is_completed_step_by_step(start: str, found: list[str]) -> None:
    assert keys(start) == found


def test_a_section_has_the_keys_of_the_kind_that_is_chosen() -> None:
    assert keys("optimizer.m") == []
    assert keys("optimizer.m", {"optimizer": {"kind": "sgd"}}) == ["optimizer.momentum="]


def test_a_section_of_no_kind_yet_has_the_keys_of_all() -> None:
    assert keys("second.") == ["second.kind=", "second.lr=", "second.momentum="]


def test_a_section_that_is_not_there_yet_has_its_keys() -> None:
    assert keys("ema.") == ["ema.decay="]


def test_lists_and_mappings_are_completed_by_what_they_hold() -> None:
    settings: dict[str, object] = {"layers": [{"width": 8}, {}], "groups": {"big": {}, "a.b": {}}}

    assert keys("layers", settings) == ["layers[0].", "layers[1]."]
    assert keys("layers[1].", settings) == ["layers[1].width="]
    assert keys("gr", settings) == ["groups.big.", 'groups["a.b"].']


def test_an_empty_list_can_be_set_whole() -> None:
    assert keys("lay") == ["layers="]


def test_a_key_alone_is_followed_by_nothing() -> None:
    assert keys("optimizer.l", end="") == ["optimizer.lr"]


def test_a_key_says_what_it_is() -> None:
    found = {candidate.text: candidate.about for candidate in Keys(App).keys("optimizer.", end="=")}

    assert found == {"optimizer.kind=": "one of: adamw, sgd", "optimizer.lr=": "number: The highest rate."}


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("optimizer", ["adamw", "sgd"]),
        ("optimizer.kind", ["adamw", "sgd"]),
        ("activation", ["relu", "gelu", "null"]),
        ("shuffle", ["true", "false"]),
        ("clip", ["null"]),
        ("ema", ["null"]),
        ("optimizer.lr", []),
        ("nope", []),
    ],
)
def test_values_that_can_be_listed_are(key: str, found: list[str]) -> None:
    assert values(key) == found


def test_values_begin_as_they_were_begun() -> None:
    assert values("optimizer", "s") == ["sgd"]


def test_a_path_is_completed_by_files(tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_text("")

    assert values("path", f"{tmp_path}/d") == [f"{tmp_path}/data.bin"]
