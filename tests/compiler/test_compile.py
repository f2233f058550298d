"""Everything given at once: every problem of every stage, raised together; and nothing left behind."""

import warnings
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Gt

from typedcfg import ConfigError, ConfigTemplate, RenamedFrom, derived, section
from typedcfg.compiler.compile import compile_sources
from typedcfg.errors import DeprecatedName, Problem
from typedcfg.sources.base import Layer
from typedcfg.sources.mapping import MappingSource


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: Annotated[float, Gt(0)] = 0.1
    momentum: float = 0.0


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = derived(lambda c: c.root.batch_size / 1000)


class Params(ConfigTemplate):
    batch_size: int = 128
    optimizer: AdamW | Sgd = section(AdamW)
    maybe: AdamW | Sgd | None = None
    tags: list[str] = []
    rates: dict[str, float] = {}


def caught(*files: str, **given: Any) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as error:
        Params.compile(*files, **given)
    return error.value.problems


def test_all_problems_of_all_sources_and_stages_come_at_once(
    write: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        base="batch_sise: 1\nbatch_size: few\nrates: {a: '${nope}'}",
        wide="$extends: missing.yaml\ntags: 3",
        twice="tags: [a]\ntags: [b]",
    )
    monkeypatch.setenv("P__OPTIMISER", "sgd")
    monkeypatch.setenv("P__OPTIMIZER", "[sgd]")

    found = caught("base.yaml", "wide.yaml", "twice.yaml", env_prefix="P__", overrides=["rates.b=x", "a b=1"])

    assert {(p.what, p.where.partition("\n")[0]) for p in found} == {
        ("no file 'missing.yaml'", "wide.yaml:1:1"),
        ("key 'tags' stands twice in one mapping", "twice.yaml:2:1"),
        ("P__OPTIMISER sets no key of Params", "variable P__OPTIMISER"),
        ("'a b' is not a key path from column 2 on", "overrides[1]"),
        ("unknown key 'batch_sise'", "base.yaml:1:1"),
        ("batch_size = 'few' is wrong", "base.yaml:2:1"),
        ("tags = 3 is wrong", "wide.yaml:2:1"),
        ("optimizer = ['sgd'] is no section", "variable P__OPTIMIZER"),
        ("rates.b = 'x' is wrong", "overrides[0]"),
    }


def test_what_an_unread_source_may_put_right_is_not_complained_of(write: Callable[..., None]) -> None:
    write(broken="optimizer: {kind: sgd", base="tagz: [a]")
    doubtful = ["optimizer.momentum=1", "tags[0]=x", "batch_size=${rates.a}", "maybe.lr=3"]

    found = caught("base.yaml", "broken.yaml", overrides=doubtful)

    assert [p.what.partition(":")[0] for p in found] == ["invalid YAML", "unknown key 'tagz'"]


def test_problems_of_merging_resolving_and_validating_come_at_once(write: Callable[..., None]) -> None:
    write(base="batch_sise: 1\nbatch_size: few\nrates: {a: '${nope}'}\ntags: 3")

    found = caught("base.yaml", overrides=["optimizer=sdg", "rates.b=x"])

    assert [(p.what, p.where) for p in found] == [
        ("unknown key 'batch_sise'", "base.yaml:1:1"),
        ("unknown kind 'sdg' for optimizer", "overrides[0]"),
        ("the reference to nope leads nowhere", "base.yaml:3:9"),
        ("batch_size = 'few' is wrong", "base.yaml:2:1"),
        ("tags = 3 is wrong", "base.yaml:4:1"),
        ("rates.b = 'x' is wrong", "overrides[1]"),
    ]


def test_an_error_says_how_many_problems_there_are(write: Callable[..., None]) -> None:
    write(base="batch_size: few\ntags: 3")

    with pytest.raises(ConfigError) as error:
        Params.compile("base.yaml")

    assert str(error.value) == (
        "2 problems in the configuration\n"
        "\n"
        "batch_size = 'few' is wrong\n"
        "  at            base.yaml:1:1\n"
        "  expected      integer\n"
        "\n"
        "tags = 3 is wrong\n"
        "  at            base.yaml:2:1\n"
        "  expected      list of texts"
    )


def test_a_prefix_is_needed_to_read_variables() -> None:
    with pytest.raises(ConfigError, match='pass env_prefix="PARAMS__"'):
        Params.compile(dotenv=".env")


def test_nothing_is_read_that_was_not_named(write: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    write(params="batch_size: 1")
    Path(".env").write_text("P__BATCH_SIZE=2", encoding="utf-8")
    monkeypatch.setenv("P__BATCH_SIZE", "3")
    monkeypatch.setattr("sys.argv", ["prog", "batch_size=4"])

    assert Params.compile().params.batch_size == 128


def test_overrides_may_be_values_by_key_path() -> None:
    given: dict[str, Any] = {"optimizer": Sgd(lr=3), "rates.a": 1, "tags": ("x",), "batch_size": "${rates.a}"}

    config = Params.compile(overrides=given)

    assert config.plain() == {
        "batch_size": 1,
        "optimizer": {"kind": "sgd", "lr": 3.0, "momentum": 0.0},
        "maybe": None,
        "tags": ["x"],
        "rates": {"a": 1.0},
    }


def test_a_value_in_a_mapping_of_overrides_is_no_bare_text() -> None:
    with pytest.raises(ConfigError, match=r"tags = '\[a\]' is wrong"):
        Params.compile(overrides={"tags": "[a]"})


def test_a_preset_may_hold_sections_and_references() -> None:
    config = Params.compile(presets=[{"optimizer": Sgd(lr=3), "batch_size": "${rates.a}", "rates": {"a": 5}}])

    assert (
        config.params
        == Params.compile(overrides=["optimizer=sgd", "optimizer.lr=3", "batch_size=5", "rates.a=5"]).params
    )


def test_an_instance_is_a_configuration_with_itself_at_the_top() -> None:
    assert Params(batch_size=500).to_config()["optimizer.lr"] == 0.5
    with pytest.raises(ConfigError, match="lr cannot be derived: there is no key batch_size"):
        AdamW().to_config()


def test_texts_of_an_instance_are_no_references() -> None:
    assert Params(tags=["${batch_size}"]).to_config().params.tags == ["${batch_size}"]


@pytest.mark.parametrize("order", list(permutations(["a.yaml", "b.yaml", "c.yaml"])))
def test_files_about_different_things_may_come_in_any_order(order: tuple[str, ...], write: Callable[..., None]) -> None:
    write(a="batch_size: 5\nrates: {x: 1}", b="optimizer: {lr: '${rates.x}'}\nrates: {y: 2}", c="tags: [t]")

    config = Params.compile(*order)

    assert config == Params.compile("a.yaml", "b.yaml", "c.yaml")
    assert config.plain() == {
        "batch_size": 5,
        "optimizer": {"kind": "adamw", "lr": 1.0},
        "maybe": None,
        "tags": ["t"],
        "rates": {"x": 1.0, "y": 2.0},
    }


def test_compiling_twice_gives_equals_that_share_nothing_that_can_change(write: Callable[..., None]) -> None:
    write(base="rates: {a: 1}\ntags: [x]")

    first, second = Params.compile("base.yaml"), Params.compile("base.yaml", overrides=["rates.a=2"])

    assert first.params.rates == {"a": 1}
    assert second.params.rates == {"a": 2}
    assert first == Params.compile("base.yaml")


def test_a_factory_of_defaults_is_called_for_each_compilation() -> None:
    from pydantic import Field

    numbers = iter(range(100))

    class Root(ConfigTemplate):
        values_: dict[str, int] = Field(default_factory=lambda: {"n": next(numbers)})

    assert [Root.compile(overrides=["values_.x=0"]).params.values_["n"] for _ in range(2)] == [0, 1]


def test_a_source_that_fails_keeps_what_it_gave_so_far() -> None:
    class Broken:
        def read(self) -> Any:
            yield from MappingSource("first", {"batch_size": "few"}).read()
            raise ConfigError("the rest is lost")

    with pytest.raises(ConfigError) as error:
        compile_sources(Params, [Broken()])

    assert [p.what for p in error.value.problems] == ["the rest is lost", "batch_size = 'few' is wrong"]


def test_a_source_of_ones_own_needs_a_read_and_nothing_else() -> None:
    class Mine:
        def read(self) -> list[Layer]:
            return MappingSource("mine", {"batch_size": 3}, strength="files").read()

    assert compile_sources(Params, [Mine()]).explain("batch_size").splitlines()[1].split() == ["wins", "3", "mine"]


# --- arguments in the wrong place -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "given", "fix"),
    [
        ([], {"overrides": "batch_size=3"}, "overrides=['batch_size=3']"),
        ([], {"presets": {"batch_size": 3}}, "presets=[...]"),
        ([{"batch_size": 3}], {}, "pass settings as presets=[...]"),
        ([["base.yaml", "wide.yaml"]], {}, "pass each file as an argument of its own: compile(*files)"),
        ([], {"env_prefix": "PARAMS"}, "write PARAMS__"),
        ([], {"sources": "base.yaml"}, "sources=[...]"),
        ([], {"presets": 3}, "presets=[...]"),
    ],
)
def test_an_argument_in_the_wrong_place_is_one_problem(arguments: list[Any], given: dict[str, Any], fix: str) -> None:
    with pytest.raises(ConfigError) as error:
        Params.compile(*arguments, **given)

    [problem] = error.value.problems
    assert problem.fix.startswith(fix)


@pytest.mark.parametrize(
    ("given", "expected"),
    [({"overrides": 3}, "a list of key=value"), ({"env_prefix": 3}, "what the names of variables")],
)
def test_an_argument_of_another_type_is_one_problem(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError) as error:
        Params.compile(**given)

    [problem] = error.value.problems
    assert problem.expected.startswith(expected)


# --- warnings -------------------------------------------------------------------------------------------------------


class Loader(ConfigTemplate):
    batch_size: Annotated[int, RenamedFrom("bs", "data.bs")] = 1


class Renamed(ConfigTemplate):
    loader: Annotated[Loader, RenamedFrom("reader")]


def test_a_warning_points_at_the_code_that_compiles() -> None:
    with warnings.catch_warnings(record=True) as caught_warnings:
        warnings.simplefilter("always")
        Renamed.compile(overrides=["loader.bs=2"])
        compile_sources(Renamed, [MappingSource("p", {"loader": {"bs": 2}})])
        Renamed.compile(presets=[{"reader": {}}])

    assert {w.filename for w in caught_warnings} == {__file__}
    assert {w.category for w in caught_warnings} == {DeprecatedName}
    assert len(caught_warnings) == 3
