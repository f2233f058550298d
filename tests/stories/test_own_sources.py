"""A source that a user wrote, all the way to a configuration."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from typedcfg import ConfigError, ConfigTemplate
from typedcfg.origin import Origin
from typedcfg.sources.base import Layer, Source, branch_at, branch_from
from typedcfg.sources.mapping import MappingSource


class Params(ConfigTemplate):
    lr: float = 0.1
    width: int = 8
    name: str = ""


class Vault:
    """Settings from a table."""

    def __init__(self, strength: str, **values: object) -> None:
        self.strength = strength
        self.values = values

    def read(self) -> Iterator[Layer]:
        origin = Origin("the vault")
        yield Layer("vault", self.strength, (branch_from(self.values, origin),))
        if "lr" not in self.values:
            raise ConfigError("the vault has no lr")


def test_a_source_stands_where_its_strength_says() -> None:
    config = Params.compile(
        presets=[{"lr": 1, "width": 1}], overrides={"width": 3}, sources=[Vault("files", lr=2, width=2)]
    )

    assert (config["lr"], config["width"]) == (2, 3)
    assert config.origin("lr") == "the vault"


def test_of_one_strength_a_source_stands_above_what_compile_was_given(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("lr: 1\nwidth: 1\n")

    config = Params.compile(
        tmp_path / "base.yaml", sources=[Vault("files", lr=2), MappingSource("last", {"lr": 3}, strength="files")]
    )

    assert (config["lr"], config["width"]) == (3, 1)


def test_what_a_source_gives_takes_part_in_references() -> None:
    config = Params.compile(sources=[Vault("files", lr=2, name="at ${lr} and ${width}")], overrides=["width=4"])

    assert config["name"] == "at 2.0 and 4"


def test_a_source_may_edit() -> None:
    class Narrow:
        def read(self) -> list[Layer]:
            return [Layer("narrow", "overrides", (branch_at(("width",), 2, Origin("narrow")),))]

    assert Params.compile(sources=[Narrow()])["width"] == 2


def test_what_is_wrong_in_a_source_is_told_with_the_rest() -> None:
    with pytest.raises(ConfigError) as caught:
        Params.compile(sources=[Vault("files", width="wide")])

    assert [problem.what for problem in caught.value.problems] == ["the vault has no lr", "width = 'wide' is wrong"]


@pytest.mark.parametrize("strength", ["file", "defaults", "draft"])
def test_a_strength_that_no_source_has_is_refused(strength: str) -> None:
    with pytest.raises(ConfigError, match=f"'vault' is of strength '{strength}', which is none") as caught:
        Params.compile(sources=[Vault(strength, lr=1)])

    assert "files" in caught.value.problems[0].expected


def test_what_is_no_source_is_refused() -> None:
    wrong: list[Source] = [{"lr": 1}]  # type: ignore[list-item]

    with pytest.raises(ConfigError, match=r"sources\[0\] is a mapping, which has no read\(\)"):
        Params.compile(sources=wrong)
