import os
from pathlib import Path
from typing import Annotated, Any

import pytest
from annotated_types import Gt
from pydantic import field_validator

from typedcfg import ConfigError, ConfigTemplate
from typedcfg.sources.mapping import MappingSource
from typedcfg.testing import compile_for_test, problems_of


class Params(ConfigTemplate):
    name: str = ""
    lr: Annotated[float, Gt(0)] = 0.1
    width: int = 8
    widths: list[int] = []

    @field_validator("width")
    @classmethod
    def _is_even(cls, width: int) -> int:
        if width % 2:
            raise ValueError("a width is even")
        return width


def test_files_are_given_as_texts_weakest_first() -> None:
    config = compile_for_test(Params, {"base.yaml": "lr: 0.2\nwidth: 4\n", "wide.json": '{"width": 16}'})

    assert (config["lr"], config["width"]) == (0.2, 16)
    assert config.origin("lr") == "base.yaml:1:1"
    assert "wide.json comes after base.yaml" in config.explain("width")


@pytest.mark.parametrize("name", ["../a.toml", "parts/../../a.toml", "/a.toml", "", "."])
def test_nothing_is_written_outside_of_the_folder(name: str) -> None:
    with pytest.raises(ValueError, match="would be written outside of the folder of the test"):
        compile_for_test(Params, {"base.yaml": ""}, beside={name: "lr = 0.2"})


@pytest.mark.parametrize("files", ["lr: 0.2", ["base.yaml"], {"base.yaml": {"lr": 0.2}}])
def test_files_that_are_no_texts_by_name_are_refused(files: Any) -> None:
    with pytest.raises(TypeError, match="the text of each file is given by its name"):
        compile_for_test(Params, files)


def test_a_file_may_extend_what_stands_beside() -> None:
    config = compile_for_test(
        Params, {"a.yaml": "$extends: parts/b.yaml\nlr: 0.3"}, beside={"parts/b.yaml": "width: 2"}
    )

    assert (config["lr"], config["width"]) == (0.3, 2)
    assert config.origin("width") == f"parts{os.sep}b.yaml:1:1"


def test_places_within_lists_and_below_aliases_are_short() -> None:
    config = compile_for_test(Params, {"a.yaml": "widths: &w [1, 2]\n"}, overrides=["widths[0]=3"])

    assert "overrides[0]" in config.explain("widths")
    assert "a.yaml:1:" in config.explain("widths[1]")
    assert "typedcfg-test" not in config.explain("widths[1]") + config.explain("widths")


def test_the_process_is_neither_read_nor_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T__WIDTH", "2")
    before = (Path.cwd(), dict(os.environ))

    config = compile_for_test(Params, env_prefix="T__", environ={"T__LR": "0.5"})

    assert (config["lr"], config["width"]) == (0.5, 8)
    assert (Path.cwd(), dict(os.environ)) == before


def test_expressions_read_the_variables_that_are_given_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "of the process")
    files = {"a.yaml": """name: ${env("HOST", "nobody's")}"""}

    given = compile_for_test(Params, files, environ={"HOST": "of the test"})

    changed = [given, given.merge({"lr": 0.5}), given.unlock().lock()]
    assert [config["name"] for config in changed] == ["of the test"] * 3
    assert compile_for_test(Params, files)["name"] == "nobody's"


def test_sources_stand_where_compile_puts_them() -> None:
    config = compile_for_test(
        Params,
        {"base.yaml": "lr: 0.2\nwidth: 4\n"},
        presets=[{"lr": 0.5, "widths": [1]}],
        overrides=["width=6"],
        sources=[MappingSource("mine", {"width": 2, "lr": 0.3}, strength="files")],
    )

    assert (config["lr"], config["width"], config["widths"]) == (0.3, 6, [1])


def test_an_environment_without_a_prefix_is_a_mistake_of_the_test() -> None:
    with pytest.raises(ValueError, match="env_prefix"):
        compile_for_test(Params, environ={"LR": "1"})


def test_what_is_wrong_is_raised_or_returned() -> None:
    with pytest.raises(ConfigError, match="a width is even"):
        compile_for_test(Params, overrides=["width=3"])

    [even, positive] = problems_of(Params, {"base.yaml": "width: 3\nlr: -1\n"})[::-1]
    assert (even.what, even.where) == ("width: a width is even", "base.yaml:1:1")
    assert positive.where == "base.yaml:2:1"


def test_what_cannot_be_read_is_placed_in_the_file_as_it_was_named() -> None:
    [problem] = problems_of(Params, {"base.yaml": "$extends: nobody.yaml\n"})

    assert (problem.what, problem.where) == ("no file 'nobody.yaml'", "base.yaml:1:1")


def test_what_compiles_has_no_problems() -> None:
    assert problems_of(Params, {"base.yaml": "width: 2\n"}, overrides=["lr=1"]) == ()
