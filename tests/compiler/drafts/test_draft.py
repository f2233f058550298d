"""Drafts without a schema: a tree of anything that can be locked."""

import copy
import pickle
from typing import Any

import pytest

from typedcfg import Config, Draft
from typedcfg.errors import ConfigError, Frozen, MissingKey, UnsupportedValue


def draft() -> Draft:
    return Draft(a=5, loader=Draft(batch_size=128), other={"x": {"y": 1}}, tags=["a"])


def test_values_are_read_and_set_by_attribute_item_and_key_path() -> None:
    one = draft()

    one.loader.batch_size = 256
    one["other.x.y"] = 2
    one["my key"] = 3
    one.other.x.z = {"deep": 4}

    assert (one["loader.batch_size"], one.other.x.y, one["my key"], one["other.x.z.deep"]) == (256, 2, 3, 4)


@pytest.mark.parametrize("key", ["lock", "items", "_values", "_is_locked", "self", "a.b", "update", ""])
def test_any_text_may_be_a_key(key: str) -> None:
    one = Draft(**{key: 1})

    one[key] = 2

    assert one[key] == 2
    assert {**one} == {key: 2}
    assert one.lock()[key] == 2
    one.unlock()
    del one[key]
    assert len(one) == 0


@pytest.mark.parametrize("name", ["lock", "items", "_values", "_lock"])
def test_the_names_of_verbs_are_no_attributes_to_set(name: str) -> None:
    with pytest.raises(AttributeError, match="as an attribute"):
        setattr(draft(), name, 1)


def test_a_missing_key_is_an_error_with_a_suggestion() -> None:
    one: Any = draft()

    assert not hasattr(one, "lodder")
    with pytest.raises(AttributeError, match="did you mean 'loader'"):
        _ = one.lodder
    with pytest.raises(MissingKey, match=r"did you mean  loader\.batch_size"):
        one["loader.batch_sise"]
    with pytest.raises(MissingKey):
        del one["nope"]
    assert one.get("loader.nope", 7) == 7
    assert "loader.nope" not in one


def test_none_may_stand_for_what_is_missing() -> None:
    one = Draft.from_dict({"a": {"b": 1}}, on_missing="none")

    assert one.nope is None
    assert one["a.nope"] is None
    assert one.a.nope is None
    assert "nope" not in one
    assert one.get("nope", 7) == 7
    with pytest.raises(ValueError, match="on_missing"):
        Draft.from_dict({}, on_missing="nothing")  # type: ignore[arg-type]  # the wrong word is the test


def test_locking_is_deep_and_in_place() -> None:
    one = draft()

    config = one.lock()

    assert isinstance(config, Config)
    assert config.plain() == {"a": 5, "loader": {"batch_size": 128}, "other": {"x": {"y": 1}}, "tags": ["a"]}
    assert one.loader.is_locked
    for change in (
        lambda: setattr(one.loader, "batch_size", 1),
        lambda: one.update(a=1),
        lambda: one.other.x.pop("y"),
        lambda: one.tags.append("b"),
    ):
        with pytest.raises(Frozen):
            change()
    one.unlock().tags.append("b")
    one.loader.batch_size = 1
    assert (one.tags, one.loader.batch_size, config.tags, config.loader.batch_size) == (["a", "b"], 1, ["a"], 128)


def test_a_draft_that_cannot_be_locked_stays_open() -> None:
    one = Draft(a=Draft(b=object()))

    with pytest.raises(UnsupportedValue, match=r"a\.b"):
        one.lock()

    assert not one.is_locked
    one.a.b = 1
    one.again = one
    assert "..." in repr(one)
    with pytest.raises(ConfigError, match="lie within one another"):
        one.lock()


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_is_equal_and_goes_its_own_way(twin_of: Any) -> None:
    one = draft()

    twin = twin_of(one)

    assert twin == one
    twin.loader.batch_size = 1
    assert twin != one
    assert one.loader.batch_size == 128


def test_a_shallow_copy_shares_what_lies_within() -> None:
    one = draft()

    twin = copy.copy(one)
    twin.a = 6

    assert one.a == 5
    assert twin.loader is one.loader


def test_a_mapping_is_no_argument_of_a_draft() -> None:
    with pytest.raises(ConfigError, match=r"takes values by name(.|\n)*Draft\.from_dict"):
        Draft({"a": 1})  # type: ignore[arg-type]  # which is the point


def test_keys_that_are_no_text_are_refused() -> None:
    with pytest.raises(ConfigError, match="keys are texts"):
        Draft.from_dict({"a": {1: 2}})


@pytest.mark.parametrize("on_missing", ["error", "none"])
def test_keys_are_popped_and_set_where_they_lack(on_missing: Any) -> None:
    draft = Draft.from_dict({"a": 1, "loader": {"workers": 2}}, on_missing=on_missing)

    assert draft.pop("nope", 7) == 7
    with pytest.raises(MissingKey):
        draft.pop("nope")
    assert draft.pop("loader.workers") == 2
    draft.setdefault("groups", {}).a = 3
    assert draft.setdefault("a", 5) == 1
    assert draft.popitem()[0] == "a"
    draft.clear()

    assert not draft
