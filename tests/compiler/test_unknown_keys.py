"""What is said to somebody who names a key that no section declares."""

from collections.abc import Callable

import pytest
from networks import Params
from refusals import refusal

from typedcfg import ConfigError


def test_an_unknown_key_suggests_the_nearest_as_the_source_would_write_it(write: Callable[..., None]) -> None:
    write(base="model:\n  layers:\n  - {width: 3, widht: 4}")

    with pytest.raises(ConfigError) as caught:
        Params.compile("base.yaml", overrides=["model.layers[0].wdth=3"])

    in_file, on_line = caught.value.problems
    assert (in_file.what, in_file.where, in_file.suggestion) == (
        "unknown key 'model.layers[0].widht'",
        "base.yaml:3:16",
        "width",
    )
    assert (on_line.where, on_line.suggestion) == ("overrides[0]", "model.layers[0].width")


def test_an_unknown_key_that_exists_elsewhere_says_where() -> None:
    assert "fix           there is loader.batch_size" in refusal(Params, "model.batch_size=3")


def test_the_same_unknown_key_is_reported_wherever_it_was_written() -> None:
    text = refusal(Params, "loader.bs=3", loader={"bs": 1})

    assert text.count("unknown key 'loader.bs'") == 2
    assert "at            presets[0]" in text
    assert "at            overrides[0]" in text


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("optimizer: {momentum: 1}", "it is a key of kind sgd: optimizer=sgd"),
        ("loader.batch_size: 2", "nest it: loader: {batch_size: ...}"),
        ("defaults: [base]", "write $extends: [base.yaml], with paths relative to this file"),
        ("loader: {_target_: torch.Loader}", "no file names a class: write kind: and one of the kinds that the field"),
    ],
)
def test_a_file_that_almost_fits_is_told_how(write: Callable[..., None], text: str, fix: str) -> None:
    write(base=text)

    with pytest.raises(ConfigError) as caught:
        Params.compile("base.yaml")

    assert caught.value.problems[0].fix.startswith(fix)


def test_a_habit_of_another_tool_is_told_what_to_write_here() -> None:
    text = refusal(Params, "multirun=3")

    assert "fix           one command is one configuration: for several, loop in the shell: " in text


def test_a_name_with_a_dot_is_shown_in_quotes() -> None:
    with pytest.raises(ConfigError) as caught:
        Params.compile(overrides=["model.groups.net.emb.wdht=2"])

    assert caught.value.problems[0].fix.endswith("""'model.groups["net.emb"]'""")


def test_a_key_with_dashes_or_a_colon_is_told_how_it_is_written() -> None:
    assert "did you mean  rates" in refusal(Params, "--ra-tes=1")
    assert "write a space after the colon: loader: ..." in refusal(Params, **{"loader:batch_size": 8})
