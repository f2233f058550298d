"""What is said of a reference that leads nowhere: which keys and positions there are, and which was meant."""

import pytest
from refusals import refusal

from typedcfg import ConfigTemplate


class Layer(ConfigTemplate):
    width: int = 1


class Loader(ConfigTemplate):
    batch_size: int = 128


class Params(ConfigTemplate):
    loader: Loader
    lr: float = 0.1
    first: Loader
    second: Loader
    layers: list[Layer] = [Layer(), Layer(width=2)]
    rates: dict[str, float] = {}


@pytest.mark.parametrize(
    ("reference", "suggestion"),
    [
        ("loader.batch_sise", "loader.batch_size"),
        ("loadr.batch_size", "loader.batch_size"),
        ("rates.headd", "rates.head"),
        ("batch_size", "loader.batch_size"),
    ],
)
def test_a_reference_that_leads_nowhere_suggests_another(reference: str, suggestion: str) -> None:
    text = refusal(Params, "lr=${" + reference + "}", rates={"head": 1})

    assert f"the reference to {reference} leads nowhere\n  at            overrides[0]" in text
    assert f"did you mean  {suggestion}" in text


def test_a_reference_behind_the_end_of_a_list_says_which_positions_there_are() -> None:
    text = refusal(Params, "lr=${layers[7].width}")

    assert "expected      a position from 0 to 1 of layers" in text
    assert "did you mean" not in text


def test_a_copy_of_nothing_suggests_what_there_is() -> None:
    assert "did you mean  first" in refusal(Params, "second=${frist}")
    assert "expected      a position from 0 to 1 of layers" in refusal(Params, "second=${layers[4]}")
