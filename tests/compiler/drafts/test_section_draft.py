"""A draft of a compiled configuration: what follows, what is checked at once, what is checked when it is locked."""

import copy
import pickle
from typing import Annotated, Any, Literal, Self

import pytest
from annotated_types import Gt
from pydantic import SecretStr, model_validator

from typedcfg import Config, ConfigTemplate, derived, section
from typedcfg.compiler.drafts.draft import Draft
from typedcfg.errors import ConfigError, Frozen, MissingKey


class Loader(ConfigTemplate):
    batch_size: Annotated[int, Gt(0)] = 128
    workers: int = 2


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.9


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = derived(lambda c: c.root.loader.batch_size / 128 * 0.01)


class Params(ConfigTemplate):
    loader: Loader
    optimizer: AdamW | Sgd = section(AdamW)
    layers: list[Loader] = []
    groups: dict[str, Loader] = {}
    tags: list[str] = ["a"]
    option: Loader | None = None
    low: int = 0
    high: int = 9
    token: SecretStr = SecretStr("hunter2")

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


def config(**overrides: Any) -> Config[Params]:
    return Params.compile(overrides=overrides)


# --- following ------------------------------------------------------------------------------------------------------


def test_formulas_follow_until_they_are_set_by_hand() -> None:
    draft = config().unlock()

    draft.loader.batch_size = 256
    assert draft.optimizer.lr == 0.02
    draft["optimizer.lr"] = 1
    draft["loader.batch_size"] = 512
    assert draft.optimizer.lr == 1.0
    del draft.optimizer.lr
    assert draft.lock().optimizer.lr == 0.04


def test_references_follow_and_may_be_assigned() -> None:
    draft = config(low="${loader.workers}").unlock()

    draft.loader.workers = 4
    draft.high = "${loader.workers + 3}"

    assert draft.lock().low == 4
    assert draft.lock().high == 7


def test_an_explanation_names_the_line_that_assigned() -> None:
    draft = config(**{"loader.batch_size": 64}).unlock()
    draft.loader.batch_size = 32

    told = draft.lock().explain("loader.batch_size")

    assert "wins      32   tests/compiler/drafts/test_section_draft.py:" in told
    assert "over      64   overrides['loader.batch_size']" in told
    assert "because   an edit of a draft wins over an override in code" in told


def test_deleting_goes_back_below_files_and_overrides_to_the_template() -> None:
    draft = config(**{"loader.batch_size": 64, "groups": {"a": {}, "b": {}}}).unlock()

    del draft.loader.batch_size
    del draft.groups["a"]

    assert draft.lock() == config(groups={"b": {}})


# --- sections -------------------------------------------------------------------------------------------------------


def test_a_section_that_is_assigned_is_all_there_is() -> None:
    draft = config(optimizer={"kind": "sgd", "lr": 5}).unlock()

    draft.optimizer = Sgd(momentum=0.5)

    assert draft.lock().params.optimizer == Sgd(momentum=0.5)


def test_a_kind_keeps_what_was_said_for_it() -> None:
    draft = config(optimizer={"kind": "sgd", "lr": 5}).unlock()

    draft.optimizer = "adamw"
    assert draft.optimizer.lr == 0.01
    draft.optimizer.kind = "sgd"
    draft.optimizer.momentum = 0.5
    draft.optimizer = "sgd"

    assert draft.lock().params.optimizer == Sgd(lr=5, momentum=0.5)


def test_lists_and_mappings_of_sections_are_edited_in_place() -> None:
    draft = config(layers=[{}, {"workers": 3}, {}]).unlock()

    draft.layers[-1].batch_size = 7
    del draft.layers[0]
    draft.layers = [*draft.layers, Loader(workers=5)]
    draft.groups["a.b"] = {"workers": 6}
    draft["groups.c"] = Loader()
    draft.option = {}

    params = draft.lock().params
    assert params.layers == [Loader(workers=3), Loader(batch_size=7), Loader(workers=5)]
    assert params.groups == {"a.b": Loader(workers=6), "c": Loader()}
    assert params.option == Loader()


def test_what_is_put_elsewhere_keeps_its_formulas() -> None:
    one, other = config(**{"loader.batch_size": 256}), config().unlock()

    other.optimizer = one.optimizer
    other.loader = one.unlock().loader

    assert other.lock().params == one.params
    other.unlock().loader.batch_size = 512
    assert other.optimizer.lr == 0.04


def test_several_keys_are_assigned_together_or_not_at_all() -> None:
    draft = config().unlock()

    draft.update({"loader.workers": 5, "low": 1}, high=3)
    with pytest.raises(ConfigError, match="high = 'x' is wrong"):
        draft.update(low=2, high="x")

    assert (draft.loader.workers, draft.low, draft.high) == (5, 1, 3)


def test_clearing_goes_back_to_what_the_template_says() -> None:
    draft = config(optimizer={"kind": "sgd", "lr": 5}, groups={"a": {}}, low=3).unlock()
    draft.loader.workers = 5

    draft.groups.clear()
    draft.optimizer.clear()
    assert draft.lock() == config(optimizer="sgd", groups={}, low=3, **{"loader.workers": 5})
    draft.unlock().clear()

    assert draft.lock() == config()


def test_keys_of_a_template_stay_and_those_of_a_mapping_go() -> None:
    draft = config(groups={"a": {}, "b": {"workers": 5}}).unlock()

    with pytest.raises(ConfigError, match="'low' cannot be popped: a section has the keys"):
        draft.pop("low")
    with pytest.raises(ConfigError, match="the last key cannot be popped"):
        draft.popitem()
    assert draft.groups.pop("c", None) is None
    with pytest.raises(MissingKey):
        draft.groups.pop("c")
    name, held = draft.groups.popitem()
    assert (name, held.workers, list(draft.groups)) == ("b", 5, ["a"])
    assert draft.groups.setdefault("d", {"workers": 7}).workers == 7
    assert draft.setdefault("low", 4) == 0


def test_lists_of_sections_are_changed_like_lists() -> None:
    draft = config(layers=[{"workers": 1}, {"workers": "${low}"}]).unlock()

    draft.layers.append(Loader(workers=3))
    draft.layers += [{"workers": 4}]
    draft.low = 9
    assert [layer.workers for layer in draft.layers] == [1, 9, 3, 4]
    assert draft.layers.pop(1).workers == 9
    draft.layers[1:] = [*draft.layers[2:], {}]
    draft.layers.sort(key=lambda layer: -layer.workers)
    draft.layers.remove(Loader(workers=2).to_config())
    del draft.layers[:1]

    assert draft.lock().params.layers == [Loader(workers=1)]


def test_items_are_added_or_none_of_them() -> None:
    draft = config(layers=[{}]).unlock()

    with pytest.raises(ConfigError, match=r"unknown key 'layers\[2\].wrkers'"):
        draft.layers.extend([{}, {"wrkers": 3}])

    assert len(draft.layers) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda draft: draft.layers.__delitem__(0),
        lambda draft: draft.layers.__delitem__(1),
        lambda draft: draft.__delitem__("layers"),
        lambda draft: draft.clear(),
        lambda draft: draft.layers.reverse(),
        lambda draft: draft.layers.__setitem__(1, {}),
        lambda draft: draft.update(layers=[{}, {}, {}]),
    ],
)
def test_a_draft_whose_item_moved_or_was_replaced_says_so(change: Any) -> None:
    draft = config(layers=[{}, {"workers": 1}, {}]).unlock()
    item, other = draft.layers[1], draft.loader
    change(draft)

    with pytest.raises(MissingKey, match=r"what was taken as layers\[1\] has gone, moved or been replaced") as caught:
        item.workers = 5
    assert caught.value.problems[0].fix == "take it from the draft again: draft.layers[1]"
    assert repr(item) == "Draft(layers[1] has gone)"
    other.workers = 5


def test_what_is_before_a_change_or_beside_it_stays_where_it_is() -> None:
    draft = config(layers=[{}, {}, {}]).unlock()
    first, layers, optimizer = draft.layers[0], draft.layers, draft.optimizer

    del layers[2]
    layers.append({})
    draft.optimizer = "sgd"
    first.workers, layers[1].workers, optimizer.momentum = 5, 6, 0.5

    assert [layer.workers for layer in draft.layers] == [5, 6, 2]
    assert draft.optimizer.momentum == 0.5


def test_sections_cannot_change_places_silently() -> None:
    draft = config(layers=[{"workers": 1}, {"workers": 2}]).unlock()

    with pytest.raises(MissingKey, match="has gone, moved or been replaced"):
        draft.layers[0], draft.layers[1] = draft.layers[1], draft.layers[0]


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("loader.batch_size", 0, "loader.batch_size = 0 is wrong"),
        ("loader.batch_sise", 1, "did you mean  loader.batch_size"),
        ("lodder.batch_size", 1, "did you mean  loader"),
        ("optimizer", "sdg", "did you mean  sgd"),
        ("optimizer", {"momentum": 1}, "optimizer has no kind"),
        ("optimizer", Sgd(), None),
        ("optimizer.momentum", 1, "it is a key of kind sgd"),
        ("loader", 3, "loader = 3 is no section"),
        ("loader", Sgd(), r"loader = Sgd\(...\) is no Loader"),
        ("optimizer", Loader(), r"optimizer = Loader\(...\) is no AdamW or Sgd"),
        ("layers", Loader(), "is one section, and several belong there"),
        ("layers", [Sgd()], r"layers\[0\] = Sgd\(...\) is no Loader"),
        ("option", {"wrkers": 1}, "did you mean  option.workers"),
        ("layers", [{"workers": "x"}], r"layers\[0\].workers = 'x' is wrong"),
        ("layers[0].workers", 1, r"there is no key 'layers\[0\]'"),
        ("token", 3, "token is wrong"),
    ],
)
def test_a_wrong_value_is_refused_at_once_and_changes_nothing(key: str, value: Any, told: str | None) -> None:
    draft = config().unlock()

    if told is not None:
        with pytest.raises(ConfigError, match=told) as caught:
            draft[key] = value
        assert "test_section_draft.py:" in caught.value.problems[0].where
        assert draft.lock() == config()


def test_what_concerns_several_values_is_told_at_the_lock() -> None:
    draft = config().unlock()

    draft.low = 20
    with pytest.raises(ConfigError, match="low is above high"):
        draft.lock()
    assert "1 problem to solve" in repr(draft)
    draft.high = 30

    assert draft.lock().low == 20


def test_a_name_that_is_not_there_is_told() -> None:
    draft: Any = config().unlock()

    assert not hasattr(draft, "lodder")
    with pytest.raises(AttributeError, match="Params has no key 'lodder'; did you mean 'loader'"):
        draft.lodder  # noqa: B018  # reading it is the test
    with pytest.raises(MissingKey, match=r"did you mean  loader\.workers"):
        draft["loader.wrkers"]
    with pytest.raises(AttributeError, match="write draft"):
        draft.update = 3
    with pytest.raises(ConfigError, match="unknown key"):
        del draft["loader.wrkers"]
    with pytest.raises(Frozen, match=r"draft.tags = \[\*draft.tags, x\]"):
        draft.tags.append("b")


# --- locking --------------------------------------------------------------------------------------------------------


def test_a_locked_draft_refuses_until_it_is_unlocked() -> None:
    draft = config().unlock()
    first = draft.lock()

    with pytest.raises(Frozen, match="the draft is locked"):
        draft.loader.workers = 3
    with pytest.raises(Frozen):
        del draft["loader.workers"]
    assert draft.is_locked
    draft.unlock().loader.workers = 3

    assert (first.loader.workers, draft.lock().loader.workers) == (2, 3)


def test_drafts_of_drafts_do_not_grow() -> None:
    settled = config()

    for number in range(1, 20):
        draft = settled.unlock()
        draft.loader.batch_size = number
        draft.optimizer = "sgd"
        settled = draft.lock()

    assert settled.loader.batch_size == 19
    assert settled.explain("loader.batch_size").count("\n") == 3
    del draft.unlock().loader.batch_size
    assert draft.lock().loader.batch_size == 128


def test_a_block_locks_its_draft_at_the_end() -> None:
    with config().unlocked() as draft:
        draft.low = 20
        draft.high = 30

    assert draft.lock().low == 20
    with pytest.raises(ConfigError, match="low is above high"), config().unlocked() as draft:
        draft.low = 20
    with pytest.raises(ZeroDivisionError), config().unlocked() as draft:
        draft.low = 20 // 0
    assert not draft.is_locked


def test_the_draft_of_a_section_is_part_of_the_whole() -> None:
    draft = config().optimizer.unlock()
    with pytest.raises(ConfigError):
        draft.batch_size = 1

    draft.lr = 7
    section_of_it = draft.lock()

    assert section_of_it.lr == 7.0
    assert section_of_it.explain("lr").startswith("optimizer.lr = 7")


# --- copies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("twin_of", [copy.copy, copy.deepcopy, lambda draft: pickle.loads(pickle.dumps(draft))])
def test_a_copy_of_a_draft_goes_its_own_way(twin_of: Any) -> None:
    draft = config(layers=[{}]).unlock()
    draft.low = 1

    twin, layers = twin_of(draft), twin_of(draft.layers)
    twin.low = 2
    layers.append({})

    assert (draft.lock().low, twin.lock().low) == (1, 2)
    assert (len(draft.layers), len(layers)) == (1, 2)
    assert isinstance(twin, Draft)


@pytest.mark.parametrize("position", [2, -3])
def test_an_item_that_is_not_there_is_told_with_the_positions_that_are(position: int) -> None:
    layers = config(layers=[{}, {}]).unlock().layers

    for use in (layers.__getitem__, layers.__delitem__, layers.pop, lambda at: layers.__setitem__(at, {})):
        with pytest.raises(IndexError, match=rf"no item layers\[{position}\]: expected a position from 0 to 1"):
            use(position)


def test_a_draft_is_a_mapping_of_its_keys() -> None:
    draft = config().unlock()

    assert list(draft) == list(Params.model_fields)
    assert len(draft.loader) == 2
    assert {**draft.loader} == {"batch_size": 128, "workers": 2}
    assert "loader.workers" in draft
    assert "loader.nope" not in draft
    assert draft.get("nope", 7) == 7
    assert draft.loader == config().unlock().loader
    assert "hunter2" not in repr(draft)
