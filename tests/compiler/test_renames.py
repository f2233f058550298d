"""Settings under the names that fields used to have, beside and from the top."""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Annotated, Any, Literal

import pytest
from pydantic import SecretStr

from typedcfg import ConfigError, ConfigTemplate, RenamedFrom, section
from typedcfg.compiler.descent import Descent
from typedcfg.compiler.renames import Move, moves_of
from typedcfg.errors import DeprecatedName, MissingKey
from typedcfg.sources.mapping import MappingSource


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: Annotated[float, RenamedFrom("train.lr")] = 0.1


class Loader(ConfigTemplate):
    batch_size: Annotated[int, RenamedFrom("bs", "data.loader.bs", "samples")] = 1
    token: Annotated[SecretStr, RenamedFrom("data.token")] = SecretStr("")


class Params(ConfigTemplate):
    loader: Annotated[Loader, RenamedFrom("reader")]
    loaders: dict[str, Loader] = {}
    optimizer: Sgd = section(Sgd)
    epochs: int = 1
    data: dict[str, int] | None = None


class Top(ConfigTemplate):
    loader: Annotated[Loader, RenamedFrom("reader")]
    loaders: dict[str, Loader] = {}
    optimizer: Sgd = section(Sgd)


def compiled(*overrides: str, match: str, **presets: Any) -> Any:
    with pytest.warns(DeprecatedName, match=match):
        return Top.compile(overrides=overrides, presets=[presets])


def test_an_old_name_beside_is_accepted_with_its_place(write: Callable[..., None]) -> None:
    write(base="loader:\n  bs: 7")

    with pytest.warns(DeprecatedName, match=r"^base.yaml:2:3: loader.bs is now called loader.batch_size$"):
        config = Top.compile("base.yaml")

    assert config.params.loader.batch_size == 7
    assert "base.yaml:2:3" in config.explain("loader.batch_size")


def test_every_old_name_is_accepted_wherever_the_section_stands() -> None:
    config = compiled(
        "loaders.a.samples=7", match=r"overrides\[0\]: loaders.a.samples is now called loaders.a.batch_size"
    )

    assert config.params.loaders["a"].batch_size == 7


def test_an_old_name_of_a_section_is_accepted() -> None:
    assert compiled("reader.batch_size=7", match="reader is now called loader").params.loader.batch_size == 7


def test_an_old_path_from_the_top_is_accepted_with_its_place(write: Callable[..., None]) -> None:
    write(base="data:\n  loader:\n    bs: 7\ntrain: {lr: 3}")

    with pytest.warns(DeprecatedName) as warned:
        config = Top.compile("base.yaml")

    assert [str(w.message) for w in warned] == [
        "base.yaml:3:5: data.loader.bs is now called loader.batch_size",
        "base.yaml:4:9: train.lr is now called optimizer.lr",
    ]
    assert (config.params.loader.batch_size, config.params.optimizer.lr) == (7, 3)


def test_an_old_path_is_as_strong_as_its_layer() -> None:
    found = compiled("data.loader.bs=7", match="data.loader.bs", loader={"batch_size": 5})

    assert found.params.loader.batch_size == 7
    assert (
        compiled("loader.batch_size=7", match="data.loader.bs", data={"loader": {"bs": 5}}).params.loader.batch_size
        == 7
    )


def test_what_stands_beside_an_old_path_is_still_unknown() -> None:
    with pytest.raises(ConfigError, match="unknown key 'data'"):
        Top.compile(presets=[{"data": {"loader": {"bs": 5, "oops": 1}}}])


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"loader": {"bs": 1, "batch_size": 2}}, "loader.bs and loader.batch_size"),
        ({"reader": {}, "loader": {}}, "reader and loader"),
        ({"data": {"loader": {"bs": 1}}, "loader": {"batch_size": 2}}, "data.loader.bs and loader.batch_size"),
    ],
)
def test_two_names_of_one_field_in_one_place_are_a_problem(settings: dict[str, Any], names: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Top.compile(presets=[settings])

    [problem] = caught.value.problems
    assert problem.what == f"{names} are two names of one field, and both are set"
    assert problem.where == "presets[0] and presets[0]"


def test_a_name_that_another_field_has_by_now_means_that_field() -> None:
    class Swapped(ConfigTemplate):
        rate: Annotated[float, RenamedFrom("lr")] = 1
        lr: Annotated[float, RenamedFrom("learning_rate")] = 2

    config = Swapped.compile(overrides=["lr=5"])

    assert (config.params.rate, config.params.lr) == (1, 5)


def test_a_path_that_is_still_declared_is_not_moved() -> None:
    assert Move(("data", "loader", "bs"), ("loader", "batch_size")) in moves_of(Top)
    assert all(move.old[0] != "data" for move in moves_of(Params))


def test_a_secret_under_its_old_name_is_not_shown() -> None:
    with pytest.warns(DeprecatedName) as warned:
        config = Top.compile(overrides=["data.token=hunter2"])

    assert "hunter2" not in str(warned[0].message)
    assert "hunter2" not in config.explain("loader.token")


def test_layers_are_left_as_they_were() -> None:
    [layer] = MappingSource("p", {"data": {"loader": {"bs": 5}}, "reader": {}}).read()
    before = deepcopy(layer)

    place = Descent(Top, [layer]).place(("loader", "batch_size"))

    assert place is not None
    assert [c.value for c in place.live] == [5]
    assert layer == before


def test_a_section_that_replaces_what_is_weaker_does_so_under_old_names() -> None:
    config = compiled("loader={$replace: true, bs: 3}", match="loader.bs is now", loader={"token": "hunter2"})

    assert config.params.loader.batch_size == 3
    assert config.params.loader.token.get_secret_value() == ""


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("~loader.bs", "loader.bs is now called loader.batch_size"),
        ("~data.loader.bs", "data.loader.bs is now called loader.batch_size"),
        ("loader={bs: 4}", "loader.bs is now called loader.batch_size"),
    ],
)
def test_an_old_name_is_accepted_however_an_override_writes_it(
    override: str, told: str, write: Callable[..., None]
) -> None:
    write(base="loader: {batch_size: 7}")

    with pytest.warns(DeprecatedName, match=rf"^overrides\[0\]: {re.escape(told)}$"):
        config = Top.compile("base.yaml", overrides=[override])

    assert config.params.loader.batch_size == (4 if "=" in override else 1)


def test_an_old_name_in_a_variable_is_told_with_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOP__READER__BS", "5")

    with pytest.warns(DeprecatedName) as warned:
        config = Top.compile(env_prefix="TOP__")

    assert config.params.loader.batch_size == 5
    assert [str(w.message) for w in warned] == ["variable TOP__READER__BS: reader.bs is now called loader.batch_size"]


def test_old_names_of_one_place_are_told_as_they_are_written() -> None:
    with pytest.warns(DeprecatedName) as warned:
        Top.compile(presets=[{"reader": {"bs": 5, "token": "t"}}], overrides=["reader.bs=6", "loader.samples=7"])

    assert [str(w.message) for w in warned] == [
        "presets[0]: reader.bs is now called loader.batch_size",
        "overrides[0]: reader.bs is now called loader.batch_size",
        "overrides[1]: loader.samples is now called loader.batch_size",
    ]


def test_an_old_name_that_a_file_deletes_is_told_with_its_place(write: Callable[..., None]) -> None:
    write(base="loader: {batch_size: 7}", wide="loader:\n  $delete: [bs]")

    with pytest.warns(DeprecatedName, match=r"^wide.yaml:2:13: loader.bs is now called loader.batch_size$"):
        config = Top.compile("base.yaml", "wide.yaml")

    assert config.params.loader.batch_size == 1


def test_a_reference_by_an_old_name_is_told_the_new_one() -> None:
    with pytest.raises(ConfigError) as caught:
        Top.compile(presets=[{"optimizer": {"lr": "${loader.bs}"}}])

    assert [problem.suggestion for problem in caught.value.problems] == ["loader.batch_size"]


class Data(ConfigTemplate):
    batch_size: Annotated[int, RenamedFrom("bs")] = 1


class Moved(ConfigTemplate):
    loader: Annotated[Data, RenamedFrom("data.loader")]
    lr: Annotated[float, RenamedFrom("rate", "opt.lr")] = 1.0


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("data.loader.bs=3", "data.loader.bs is now called loader.batch_size"),
        ("data.loader={bs: 3}", "data.loader.bs is now called loader.batch_size"),
        ("data={loader: {bs: 3}}", "data.loader.bs is now called loader.batch_size"),
        ("data={loader: {batch_size: 3}}", "data.loader is now called loader"),
    ],
)
def test_a_section_that_moved_may_be_written_inline(override: str, told: str) -> None:
    with pytest.warns(DeprecatedName) as warned:
        config = Moved.compile(overrides=[override])

    assert [str(w.message) for w in warned] == [f"overrides[0]: {told}"]
    assert config.params.loader.batch_size == 3


def test_what_else_an_inline_mapping_holds_is_no_key() -> None:
    with pytest.raises(ConfigError, match="unknown key 'data'"):
        Moved.compile(overrides=["data={loader: {bs: 3}, more: 1}"])


@pytest.mark.parametrize("name", ["DATA__LOADER__BS", "DATA__LOADER__BATCH_SIZE", "LOADER__BS"])
def test_a_variable_below_a_section_that_moved_is_understood(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"M__{name}", "3")

    with pytest.warns(DeprecatedName):
        config = Moved.compile(env_prefix="M__")

    assert config.params.loader.batch_size == 3


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [("RATE", "LR", "lr"), ("OPT__LR", "LR", "lr"), ("DATA__LOADER__BS", "LOADER__BATCH_SIZE", "loader.batch_size")],
)
def test_two_names_of_one_field_are_not_both_set_by_variables(
    old: str, new: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"M__{old}", "3")
    monkeypatch.setenv(f"M__{new}", "4")

    with pytest.raises(ConfigError, match=f"both set {key}"):
        Moved.compile(env_prefix="M__")


@pytest.mark.parametrize(
    ("old", "today"), [("rate", "lr"), ("opt.lr", "lr"), ("loader.bs", "loader.batch_size"), ("data.loader", "loader")]
)
def test_who_asks_by_an_old_name_is_told_the_new_one(old: str, today: str) -> None:
    config = Moved.compile()

    for ask in (config.__getitem__, config.explain, config.unlock().__getitem__):
        with pytest.raises(MissingKey) as caught:
            ask(old)
        assert caught.value.problems[0].suggestion == today
    with pytest.raises(AttributeError, match="did you mean 'lr'"):
        _ = config.rate


def test_a_script_is_warned_at_its_own_line() -> None:
    # Of a script that is run by its path, Python sets no package.
    script = {"__name__": "__main__", "__package__": None, "Moved": Moved}

    with pytest.warns(DeprecatedName) as warned:
        exec(compile("Moved.compile(overrides=['rate=3'])", "train.py", "exec"), script)

    assert warned[0].filename == "train.py"


def test_a_draft_suggests_the_present_name_where_an_old_one_is_assigned() -> None:
    draft = Params.compile().unlock()

    for key, today in {"loader.bs": "loader.batch_size", "reader.bs": "loader.batch_size"}.items():
        with pytest.raises(ConfigError) as caught:
            draft[key] = 3
        assert caught.value.problems[0].suggestion == today
