"""Configurations without a template."""

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

from typedcfg import Config, ConfigTemplate, Draft
from typedcfg.errors import ConfigError, Frozen, MissingKey, UnsupportedValue
from typedcfg.identity.fingerprint import Fingerprint

VALUES: dict[str, Any] = {
    "loader": {"batch_size": 128, "items": 3},
    "lr": 0.1,
    "a.b": {"$x": 1, "text": "${no}"},
    "layers": [{"width": 4}],
    "empty": {},
}


def config() -> Config[Any]:
    return Config.from_dict(VALUES)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("loader.batch_size", 128),
        ("loader.items", 3),
        ("lr", 0.1),
        ('["a.b"].text', "${no}"),
        ('["a.b"]["$x"]', 1),
        ("layers[0].width", 4),
    ],
)
def test_an_item_is_a_key_or_a_key_path(key: str, value: object) -> None:
    assert config()[key] == value
    assert config().get(key) == value
    assert key in config()


def test_attributes_are_keys_or_verbs() -> None:
    one = config()

    assert one.loader.batch_size == one["loader"]["batch_size"] == 128
    assert callable(one.loader.items)
    assert one["a.b"].text == "${no}"
    assert not hasattr(one, "nope")
    assert not hasattr(one, "params")
    with pytest.raises(MissingKey, match=r"did you mean  loader\.batch_size"):
        one["loader.batch_sise"]


def test_it_is_a_mapping_that_cannot_change() -> None:
    one = config()

    assert list(one) == list(VALUES)
    assert {**one.loader} == {"batch_size": 128, "items": 3}
    assert [key for key, _ in one.walk()] == ["", "loader", '["a.b"]', "empty"]
    assert dict(one.leaves())["layers"] == [{"width": 4}]
    with pytest.raises(Frozen):
        one.lr = 1
    with pytest.raises(Frozen):
        one["layers"].append(1)


def test_equality_and_copies_go_by_value() -> None:
    one = config()

    assert one == config()
    assert hash(one) == hash(config())
    assert one != Config.from_dict({**VALUES, "lr": 1})
    assert Config.from_dict({"a": 1}) != Config.from_dict({"a": 1.0})
    assert copy.deepcopy(one) is one
    assert pickle.loads(pickle.dumps(one.loader)) == one.loader


def test_a_fingerprint_is_marked_and_there_is_no_run() -> None:
    fingerprint = config().fingerprint

    assert str(fingerprint).startswith("untyped-v1-")
    assert Fingerprint.parse(str(fingerprint)) == fingerprint
    with pytest.raises(ConfigError, match="is no run"):
        _ = config().run_uuid


def test_what_is_given_may_hold_drafts_and_configurations() -> None:
    class Params(ConfigTemplate):
        epochs: int = 3

    one = Config.from_dict({"typed": Params.compile(), "draft": Draft(a=1), "untyped": config().loader})

    assert one.plain() == {"typed": {"epochs": 3}, "draft": {"a": 1}, "untyped": VALUES["loader"]}


@pytest.mark.parametrize(
    ("values", "told"),
    [({1: 2}, "has the key 1"), ({"a": {None: 2}}, "a has the key None"), ({"a": {"b": object()}}, r"a\.b")],
)
def test_what_has_no_text_is_refused_with_its_key(values: Any, told: str) -> None:
    with pytest.raises((ConfigError, UnsupportedValue), match=told):
        Config.from_dict(values)


def test_a_mapping_that_holds_itself_is_refused() -> None:
    values: dict[str, Any] = {}
    values["again"] = values

    with pytest.raises(ConfigError, match="lie within one another"):
        Config.from_dict(values)


def test_merging_goes_key_by_key_and_is_explained() -> None:
    merged = config().merge({"loader": {"batch_size": 256}})
    kept = config().merge({"lr": 9, "new": 1}, keep_existing=True)

    assert merged["loader"].plain() == {"batch_size": 256, "items": 3}
    assert "what was merged on top wins over a preset" in merged.explain("loader.batch_size")
    assert "test_untyped.py:" in merged.origin("loader.batch_size")
    assert (kept.lr, kept.new) == (0.1, 1)
    assert config().explain("lr").endswith("because   nothing else sets it")
    assert "loader.items" in config().explain()


def test_the_origin_of_a_missing_key_is_an_error() -> None:
    with pytest.raises(MissingKey, match="there is no key 'lrr'"):
        config().origin("lrr")


def test_a_diff_compares_value_by_value() -> None:
    told = [str(difference) for difference in config().diff(config().merge({"lr": 1, "x": {"y": 2}}))]

    assert [text.partition("  ")[0] for text in told] == ["lr: 0.1 -> 1", "x.y: absent -> 2"]


def test_it_is_written_as_yaml_and_as_plain_values() -> None:
    one = Config.from_dict({"folder": Path("data"), "pair": (1, 2), "nan": float("inf")})

    assert one.plain() == {"folder": "data", "pair": [1, 2], "nan": float("inf")}
    assert one.to_yaml() == "folder: data\npair: [1, 2]\nnan: .inf\n"


def test_a_draft_of_it_is_locked_again() -> None:
    with config().unlocked() as draft:
        draft.loader.batch_size = 512

    assert draft.lock()["loader.batch_size"] == 512
