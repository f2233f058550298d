"""What Config and ConfigTemplate of pyhectiqlab can do, and how it is done here."""

import json
from collections.abc import Callable
from typing import Annotated

import pytest
from pydantic import Field

from typedcfg import Config, ConfigError, ConfigTemplate, Draft, Unit, section
from typedcfg.errors import Frozen, MissingKey

Write = Callable[..., None]


class Dataset(ConfigTemplate):
    """What is trained on."""

    batch_size: Annotated[int, Unit("samples")] = 128
    """Samples per step."""


class Params(ConfigTemplate):
    strides: list[int] = Field([2, 4], description="One for each stage.")
    path: str = "data"
    dataset: Dataset = section(Dataset)


def test_a_tree_without_a_schema_is_made_of_keywords() -> None:
    draft = Draft(a=5, dataset=Draft(batch_size=128), free={"deep": [1]})

    draft.dataset.batch_size = 256
    draft["dataset"]["shuffle"] = True
    draft.free.deep = 3

    config = draft.lock()
    assert config.plain() == {"a": 5, "dataset": {"batch_size": 256, "shuffle": True}, "free": {"deep": 3}}
    assert (config.dataset.batch_size, config["dataset.shuffle"]) == (256, True)


def test_a_nested_mapping_becomes_a_configuration() -> None:
    config = Config.from_dict({"a": 5, "dataset": {"batch_size": 128}})

    assert config.dataset.batch_size == 128
    assert config == Draft(a=5, dataset=Draft(batch_size=128)).lock()


def test_a_tree_without_a_schema_is_a_mapping() -> None:
    draft = Draft(a=5, dataset=Draft(batch_size=128))

    assert (list(draft), len(draft), "a" in draft, "b" in draft) == (["a", "dataset"], 2, True, False)
    assert dict(**draft.dataset) == {"batch_size": 128}
    assert [(key, type(value)) for key, value in draft.items()] == [("a", int), ("dataset", Draft)]


def test_a_missing_key_is_none_for_those_who_rely_on_it() -> None:
    draft = Draft.from_dict({"a": 5, "dataset": {}}, on_missing="none")

    assert (draft.nope, draft["nope"], draft.dataset.nope) == (None, None, None)
    with pytest.raises(MissingKey):
        _ = Draft(a=5)["nope"]
    assert Draft(a=5).get("nope", 7) == 7


def test_a_locked_tree_is_locked_all_the_way_down() -> None:
    draft = Draft(a=5, dataset=Draft(sizes=[1]))
    draft.lock()

    with pytest.raises(Frozen, match=r"batch_size cannot change: the draft is locked"):
        draft.dataset.batch_size = 1
    with pytest.raises(Frozen):
        draft.dataset.sizes.append(2)

    draft.unlock()
    draft.dataset.sizes.append(2)
    assert draft.dataset.sizes == [1, 2]


def test_a_tree_without_a_schema_is_kept_as_code() -> None:
    config = Draft(a=5, dataset=Draft(lr=1.0, strides=(2, 4), sizes={3}, name="1e-3", lock=None)).lock()
    namespace: dict[str, object] = {}

    exec(config.to_python(), namespace)

    assert namespace["config"] == config


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".toml"])
def test_a_tree_without_a_schema_is_saved_and_loaded(write: Write, suffix: str) -> None:
    write()
    config = Draft(a=5, dataset=Draft(lr=1.0, strides=[2, 4], name="1e-3", alias="${a}")).lock()

    config.save(f"config{suffix}")

    assert Config.load(f"config{suffix}") == config


def test_help_is_returned_with_types_units_and_descriptions() -> None:
    text, told = Params.help(), json.loads(Params.help(format="json"))

    assert "dataset.batch_size  integer [samples]  default 128" in text
    assert "One for each stage." in text
    assert [field["key"] for field in told["fields"]] == ["strides", "path", "dataset"]


def test_help_is_kept_beside_the_values_on_demand() -> None:
    plain = Params(strides=[2]).to_config(store_description=True).plain()

    assert "One for each stage." in plain["__help__"]["strides"]
    assert plain["strides"] == [2]
    assert "__help__" not in Params(strides=[2]).to_config().plain()


def test_an_instance_becomes_a_configuration() -> None:
    config = Params(strides=[2, 4, 8]).to_config()

    assert config.strides == [2, 4, 8]
    assert config.dataset.batch_size == 128


def test_a_template_reads_what_was_kept_without_a_schema(write: Write) -> None:
    write()
    draft = Draft(path="here", dataset=Draft(batch_size=64))
    draft.lock().save("config.yaml")

    for config in (Params.compile("config.yaml"), Params.compile(presets=[draft.lock()])):
        assert config.params == Params(path="here", dataset=Dataset(batch_size=64))
    with pytest.raises(ConfigError, match=r"unknown key 'pth'(.|\n)*did you mean  path"):
        Params.compile(presets=[Draft(pth="there").lock()])
