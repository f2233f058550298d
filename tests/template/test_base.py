import copy
import json
import pickle
import subprocess
import sys
from typing import Annotated, Any, Literal

import orjson
import pytest
from annotated_types import Gt
from pydantic import ValidationError, create_model, field_validator

from typedcfg.errors import Frozen, MissingKey, Pending
from typedcfg.template.base import CONFIG_VERBS, ConfigTemplate
from typedcfg.template.derived import derived, section
from typedcfg.template.frozen import FrozenDict, FrozenList, FrozenSet


class Loader(ConfigTemplate):
    batch_size: Annotated[int, Gt(0)] = 128
    strides: list[list[int]] = [[2, 4]]
    tags: dict[str, list[int]] = {"a": [1]}
    names: set[str] = {"x"}
    pair: tuple[list[int], int] = ([1], 2)


class BigLoader(Loader):
    shards: int = 4


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1
    betas: list[float] = [0.9]
    warmup: int = derived(lambda _: 5)


class Params(ConfigTemplate):
    loader: Loader = Loader()
    optimizer: Sgd = Sgd()
    loaders: list[Loader] = [Loader(), Loader(batch_size=1)]


# --- what is written is checked -------------------------------------------------------------------------------------


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="batch_siz"):
        Loader.model_validate({"batch_siz": 3})


def test_a_default_is_validated_like_any_value() -> None:
    template = create_model("Params", __base__=ConfigTemplate, lr=(float, "fast"))

    with pytest.raises(ValidationError, match="lr"):
        template()


def test_a_field_validator_sees_and_makes_the_value() -> None:
    class Named(ConfigTemplate):
        name: str = " a "

        @field_validator("name")
        @classmethod
        def _trim(cls, value: str) -> str:
            return value.strip()

    assert Named().name == "a"
    assert Named(name="b ").name == "b"


def test_a_subclass_does_not_stand_for_its_base() -> None:
    with pytest.raises(ValidationError) as caught:
        Params(loader=BigLoader())

    assert "Input should be a Loader itself, not its subclass BigLoader" in str(caught.value)


def test_a_subclass_does_not_stand_for_its_base_in_a_list() -> None:
    with pytest.raises(ValidationError, match="not its subclass BigLoader"):
        Params(loaders=[BigLoader()])


# --- pending values -------------------------------------------------------------------------------------------------


def test_a_derived_value_is_absent_from_an_instance() -> None:
    assert "warmup" not in vars(Sgd())
    assert "warmup" not in Sgd().model_fields_set


def test_reading_a_pending_value_says_how_to_get_it() -> None:
    with pytest.raises(Pending) as caught:
        _ = Sgd().warmup

    assert "Sgd.warmup is derived, and not evaluated yet: 5" in str(caught.value)
    assert "section.to_config().params.warmup" in str(caught.value)


def test_asking_politely_does_not_hide_that_a_value_is_pending() -> None:
    with pytest.raises(Pending):
        hasattr(Sgd(), "warmup")
    with pytest.raises(Pending):
        getattr(Sgd(), "warmup", 0)


def test_a_wrong_name_is_an_attribute_error_as_everywhere() -> None:
    assert not hasattr(Sgd(), "nope")
    with pytest.raises(AttributeError, match="nope"):
        _ = Sgd().nope  # type: ignore[attr-defined]  # there is none, which is the point


def test_sections_with_pending_values_compare_copy_and_print() -> None:
    assert Sgd() == Sgd()
    assert Sgd() != Sgd(warmup=5)
    assert copy.deepcopy(Sgd()) == Sgd()
    assert pickle.loads(pickle.dumps(Sgd())) == Sgd()
    assert "lr=0.1" in repr(Sgd())


def test_a_pending_value_stays_pending_within_a_section() -> None:
    with pytest.raises(Pending):
        _ = Params().optimizer.warmup


# --- nothing changes ------------------------------------------------------------------------------------------------


def test_a_field_cannot_be_assigned_or_deleted() -> None:
    loader = Loader()

    with pytest.raises(Frozen) as caught:
        loader.batch_size = 3  # type: ignore[misc]  # frozen, which is the point
    with pytest.raises(Frozen):
        del loader.batch_size
    assert "Loader.batch_size cannot be assigned: a configuration never changes" in str(caught.value)
    assert "draft = config.unlock(), assign there, draft.lock()" in str(caught.value)
    assert loader.batch_size == 128


def test_a_pending_value_cannot_be_assigned_either() -> None:
    with pytest.raises(Frozen):
        Sgd().warmup = 3  # type: ignore[misc]  # frozen, which is the point


def test_a_name_that_is_no_field_cannot_be_assigned() -> None:
    with pytest.raises((ValueError, TypeError)):
        Loader().nope = 3


def test_containers_are_frozen_however_deep() -> None:
    loader = Loader()

    assert (type(loader.strides), type(loader.strides[0])) == (FrozenList, FrozenList)
    assert (type(loader.tags), type(loader.tags["a"])) == (FrozenDict, FrozenList)
    assert type(loader.names) is FrozenSet
    assert (type(loader.pair), type(loader.pair[0])) == (tuple, FrozenList)
    assert type(Params().loaders) is FrozenList


def test_what_was_given_stays_free_and_apart() -> None:
    strides = [[1]]

    loader = Loader(strides=strides)
    strides[0].append(2)

    assert loader.strides == [[1]]


def test_what_is_frozen_still_passes_for_what_it_is() -> None:
    loader = Loader()

    assert isinstance(loader.strides, list)
    assert isinstance(loader.tags, dict)
    assert isinstance(loader.names, set)
    assert json.loads(json.dumps(loader.tags)) == {"a": [1]}
    assert orjson.loads(orjson.dumps(loader.strides)) == [[2, 4]]
    assert json.loads(loader.model_dump_json())["strides"] == [[2, 4]]


def test_a_section_is_hashable_and_equal_by_value() -> None:
    assert hash(Params()) == hash(Params())
    assert len({Loader(), Loader(), Loader(batch_size=1)}) == 2


def test_a_section_survives_pickle_frozen() -> None:
    params = pickle.loads(pickle.dumps(Params(loader=Loader(batch_size=7))))

    assert params == Params(loader=Loader(batch_size=7))
    assert params.model_fields_set == {"loader"}
    with pytest.raises(Frozen):
        params.loader.strides.append([1])


def test_a_copy_of_what_cannot_change_is_the_thing_itself() -> None:
    params = Params()

    assert copy.copy(params) is params
    assert copy.deepcopy(params) is params
    assert params.model_copy() is params
    assert params.model_copy(deep=True) is params


# --- copies are validated -------------------------------------------------------------------------------------------


def test_a_copy_with_changes_is_validated() -> None:
    assert Loader().model_copy(update={"batch_size": "3"}).batch_size == 3
    with pytest.raises(ValidationError, match="greater than 0"):
        Loader().model_copy(update={"batch_size": -1})
    with pytest.raises(ValidationError, match="batch_siz"):
        Loader().model_copy(update={"batch_siz": 3})


def test_a_copy_with_changes_remembers_what_was_set() -> None:
    loader = Loader(names={"y"}).model_copy(update={"batch_size": 3})

    assert loader.names == {"y"}
    assert loader.model_fields_set == {"names", "batch_size"}


def test_replace_is_a_validated_copy() -> None:
    replaced = Loader().__replace__(batch_size=3)

    assert replaced == Loader(batch_size=3)
    with pytest.raises(ValidationError):
        Loader().__replace__(batch_size=0)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="copy.replace came with 3.13")
def test_copy_replace_is_a_validated_copy() -> None:
    replace: Any = copy.replace  # type: ignore[attr-defined,unused-ignore]  # from 3.13 on

    assert replace(Loader(), batch_size=3) == Loader(batch_size=3)


def test_a_copy_leaves_pending_values_pending() -> None:
    with pytest.raises(Pending):
        _ = Sgd().model_copy(update={"lr": 0.5}).warmup
    assert Sgd(warmup=3).model_copy(update={"lr": 0.5}).warmup == 3


# --- arguments ------------------------------------------------------------------------------------------------------


def test_arguments_are_the_values_without_the_kind() -> None:
    assert Sgd(warmup=1).arguments() == {"lr": 0.1, "betas": [0.9], "warmup": 1}


def test_arguments_may_be_dropped() -> None:
    assert Sgd().arguments("warmup", "betas") == {"lr": 0.1}


def test_arguments_are_ordinary_containers() -> None:
    arguments = Loader().arguments()

    arguments["strides"][0].append(8)

    assert type(arguments["strides"]) is list
    assert type(arguments["names"]) is set
    assert arguments["strides"] == [[2, 4, 8]]


def test_sections_within_arguments_are_dicts_of_their_own() -> None:
    class Group(ConfigTemplate):
        lr: float = 0.1
        betas: list[float] = [0.9]

    class Optimizer(ConfigTemplate):
        first: Group = section(Group)
        listed: list[Group] = [Group()]
        named: dict[str, Group] = {"head": Group(lr=1)}

    group = {"lr": 0.1, "betas": [0.9]}
    arguments = Optimizer().arguments()

    assert arguments == {"first": group, "listed": [group], "named": {"head": {**group, "lr": 1}}}
    assert type(arguments["listed"][0]["betas"]) is list


def test_a_pending_argument_is_not_passed_on() -> None:
    with pytest.raises(Pending):
        Sgd().arguments()


def test_only_a_field_can_be_dropped() -> None:
    with pytest.raises(MissingKey) as caught:
        Sgd(warmup=1).arguments("lrr", "nope")

    assert [problem.suggestion for problem in caught.value.problems] == ["lr", None]


# --- names and imports ----------------------------------------------------------------------------------------------


def test_every_verb_of_a_configuration_is_known_as_taken() -> None:
    from typedcfg.compiler.config import Config

    public = {name for name in dir(Config) if not name.startswith("_")}

    # Instances have `params`; `load` is kept free for the class.
    assert public | {"params", "load"} == CONFIG_VERBS


def test_declaring_a_section_loads_neither_help_nor_the_compiler() -> None:
    script = """
import sys
from typedcfg.template.base import ConfigTemplate
class Loader(ConfigTemplate):
    batch_size: int = 1
heavy = ("typedcfg.template.help", "typedcfg.template.descriptions", "typedcfg.template.type_text")
heavy += ("typedcfg.compiler", "typedcfg.sources", "yaml", "torch", "numpy", "rich")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
