"""What is said to somebody who writes a value, an edit or a removal where it does not fit."""

import pytest
from networks import Params
from refusals import refusal


@pytest.mark.parametrize(
    ("override", "what", "expected"),
    [
        ("model=3", "model = 3 is no section", "a mapping"),
        ("model=[1]", "model = [1] is no section", "a mapping"),
        ("optimizer=3", "optimizer = 3 is no section", "a kind, adamw or sgd, or a mapping"),
        ("model.layers=3", "model.layers = 3 is no list", "a list of sections"),
        ("model.layers={a: 1}", "model.layers = {a: 1} is no list", "a list of sections"),
        ("model.layers=[x]", "model.layers[0] = 'x' is no section", "a mapping"),
        ("model.groups=[1]", "model.groups = [1] is no mapping", "a mapping of sections, each by its name"),
        ("model.groups.a=x", "model.groups.a = 'x' is no section", "a mapping"),
    ],
)
def test_a_value_where_sections_belong_is_refused(override: str, what: str, expected: str) -> None:
    assert refusal(Params, override) == f"{what}\n  at            overrides[0]\n  expected      {expected}"


@pytest.mark.parametrize(
    ("override", "fix"),
    [
        ("model=null", "write what it holds below it, indented; or model: {}; or leave it out"),
        ("model.layers=null", "write what it holds below it, indented; or layers: []; or leave it out"),
        ("model.layers.1.width=3", "a position stands in brackets: model.layers[1]"),
        ("model=???", "leave it out: a field without a default is required anyway"),
        ("loader.batch_size+=3", "write it whole: loader.batch_size=...; += adds an item to a list, -= takes one out"),
        ("model=layers:3", "write a space after the colon: layers: ..."),
    ],
)
def test_what_does_not_fit_is_told_what_to_write_here(override: str, fix: str) -> None:
    assert f"fix           {fix}" in refusal(Params, override)


def test_a_mapping_is_not_edited_as_a_list() -> None:
    told = refusal(Params, "rates+=x", rates={"a": 1})

    assert "rates is a mapping, and cannot be edited as a list" in told
    assert "loader is a section" in refusal(Params, "loader+=x", loader={"batch_size": 3})


def test_taking_an_item_out_behind_the_end_does_not_propose_to_add_one() -> None:
    written = refusal(Params, "model.layers[7].width=3")

    assert "+=" not in refusal(Params, "~model.layers[7]")
    assert "fix           add an item behind the others: model.layers+=..." in written


@pytest.mark.parametrize("position", [2, -3])
def test_a_position_beyond_a_list_is_refused(position: int) -> None:
    assert refusal(Params, f"model.layers[{position}].width=3") == (
        f"model.layers[{position}] does not exist\n"
        "  at            overrides[0]\n"
        "  expected      a position from 0 to 1\n"
        "  fix           add an item behind the others: model.layers+=..."
    )


def test_an_empty_list_has_no_positions() -> None:
    assert "expected      a list that has items" in refusal(Params, "model.layers[0].width=3", model={"layers": []})


def test_what_was_written_where_a_secret_may_stand_is_not_shown() -> None:
    text = refusal(Params, "loader=swordfish")

    assert "swordfish" not in text
    assert "loader = a secret, not shown is no section" in text
