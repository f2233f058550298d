"""What went wrong with configurations of pyhectiqlab: a test for each, that would see it here."""

import copy
import datetime as dt
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from typedcfg import Config, ConfigError, ConfigTemplate, Draft, section
from typedcfg.errors import Frozen, UnsupportedValue

Write = Callable[..., None]


class Dataset(ConfigTemplate):
    shuffle: bool = True
    """Whether samples are drawn in a new order each time."""


class Params(ConfigTemplate):
    strides: list[int] = [2, 4]
    path: str = "data"
    since: dt.date = dt.date(2026, 1, 31)
    shape: tuple[int, ...] = (1, 2)
    dataset: Dataset = section(Dataset)


def both() -> list[Config[Any]]:
    """A configuration with a schema, and one without."""
    return [Params.compile(), Draft(strides=[2, 4], dataset=Draft(shuffle=True)).lock()]


def test_a_missing_key_is_missing_unless_one_asked_for_none() -> None:
    for tree in [*both(), Draft(a=1), Params.compile().unlock()]:
        assert not hasattr(tree, "nope")
        assert "nope" not in tree
        with pytest.raises(KeyError):
            _ = tree["nope"]


def test_a_lock_holds_for_everything_within() -> None:
    for config in both():
        draft = config.unlock()
        draft.lock()
        with pytest.raises(Frozen):
            draft.dataset.shuffle = False
        with pytest.raises(Frozen):
            config.strides.append(8)
        with pytest.raises(Frozen):
            config.dataset.shuffle = False


def test_what_is_copied_and_pickled_is_whole() -> None:
    for tree in [*both(), Draft(a=Draft(b=[1]))]:
        assert copy.deepcopy(tree) == copy.copy(tree) == pickle.loads(pickle.dumps(tree)) == tree


@pytest.mark.parametrize("key", ["_state", "_lock", "lock", "items", "keys", "__class__", "save", "_values"])
def test_no_key_gets_in_the_way(key: str) -> None:
    draft = Draft(**{key: 5}, a=1)

    config = draft.lock()

    assert (draft[key], config[key], config.a) == (5, 5, 1)
    assert (list(draft), callable(draft.items), draft.is_locked) == ([key, "a"], True, True)
    with pytest.raises(ConfigError, match=f"unknown key '{key}'"):
        Params.compile(presets=[{key: 5}])


def test_equality_length_and_deletion_are_those_of_a_mapping() -> None:
    draft, other = Draft(a=1, b=Draft(c=2)), Draft(b=Draft(c=2), a=1)

    assert (draft == other, len(draft), draft.lock() == other.lock()) == (True, 2, True)
    assert [config == config.merge({"strides": [8]}) for config in both()] == [False, False]
    del other.unlock().b["c"]
    assert (draft == other, len(other.b)) == (False, 0)


@pytest.mark.parametrize("value", [{1, 2}, object, dt.date(2026, 1, 31), (1, 2), Path("a")])
def test_json_gives_back_what_was_saved_or_is_not_written(tmp_path: Path, value: object) -> None:
    class Free(ConfigTemplate):
        value: Any = None

    with pytest.raises(UnsupportedValue, match="value"):
        Free.compile(presets=[{"value": value}]).save(tmp_path / "run.json")
    with pytest.raises(UnsupportedValue, match=r"would come back as|no canonical text"):
        Draft(value=value).lock().save(tmp_path / "run.json")

    assert not list(tmp_path.iterdir())


def test_json_gives_back_what_has_a_type(write: Write) -> None:
    write()
    config = Params.compile(overrides=["shape=[3, 4, 5]", "since=2026-12-24"])

    config.save("run.json")

    assert Params.load("run.json").params == config.params
    assert json.loads(Path("run.json").read_text())["since"] == "2026-12-24"


def test_help_is_a_text_and_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    told = Params.help(format="json")

    assert json.loads(told)["template"] == "Params"
    assert "Whether samples are drawn in a new order each time." in Params.help()
    assert capsys.readouterr().out == ""


def test_what_is_not_declared_is_refused_everywhere(write: Write) -> None:
    write(file="pth: there")

    with pytest.raises(ConfigError, match="unknown key 'pth'"):
        Params.compile("file.yaml")
    with pytest.raises(ConfigError, match="unknown key 'pth'"):
        Params.compile(overrides=["pth=x"])
    with pytest.raises(ValidationError, match="pth"):
        Params(pth="there")  # type: ignore[call-arg]  # the mistake


def test_values_are_checked_after_they_became_a_configuration() -> None:
    draft = Params().to_config().unlock()

    with pytest.raises(ConfigError, match="strides = 'oops' is wrong"):
        draft.strides = "oops"
    with pytest.raises(ConfigError, match="strides = 'oops' is wrong"):
        Params().to_config().merge({"strides": "oops"})


def test_a_dollar_sign_is_text_and_a_reference_has_braces(write: Write) -> None:
    write(file="path: $USD 5")

    assert Params.compile("file.yaml").path == Params.compile(overrides=["path=$USD 5"]).path == "$USD 5"
    assert Params(path="${nope}").to_config().path == "${nope}"
    assert Draft(path="$USD 5", price="${path}").lock().price == "${path}"


def test_a_reference_to_itself_is_named() -> None:
    with pytest.raises(ConfigError, match="values wait for each other: path -> path"):
        Params.compile(overrides=["path=${path}"])


def test_a_reference_within_a_section_begins_at_the_top() -> None:
    class Inner(ConfigTemplate):
        path: str = "own"

    class Outer(ConfigTemplate):
        path: str = "top"
        inner: Inner

    assert Outer.compile(overrides=["inner.path=${path}/x"]).inner.path == "top/x"
