"""Saved files of an older schema: migrated step by step, with the places of what was written kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import SecretStr

from typedcfg import Config, ConfigError, ConfigTemplate, Deprecated, RenamedFrom, migrates
from typedcfg.errors import DeprecatedName, TemplateError
from typedcfg.template.migrations import Values

Write = Callable[..., None]


class Model(ConfigTemplate):
    name: str = "cnn"
    width: int = 8
    depth: int = 2
    rates: list[float] = []


class Digits(ConfigTemplate):
    model: Model
    epochs: Annotated[int, RenamedFrom("rounds")] = 1
    title: str = ""


@migrates(Digits, from_version=1)
def gather_model(values: Values) -> Values:
    values["model"] = {"name": values.pop("name"), "width": values.pop("width")}
    return values


@migrates(Digits, from_version=2)
def deepen_model(values: Values) -> Values:
    return {**values, "model": {**values["model"], "depth": 2 * values["model"]["width"]}}


def load(text: str, write: Write) -> Config[Digits]:
    write(run=text)
    return Digits.load("run.yaml")


def migrated_by(migration: Callable[[Any], Any], text: str, write: Write, template: Any = None) -> Any:
    """What one migration makes of a file that version 1 of a template saved."""

    class Params(ConfigTemplate):
        loader: dict[str, Any] = {}
        tags: list[str] = []
        lr: float = 0.1

    migrates(template or Params, from_version=1)(migration)
    write(run="$version: 1\n" + text)
    return (template or Params).load("run.yaml")


def problem_of(migration: Callable[[Any], Any], text: str, write: Write, template: Any = None) -> Any:
    with pytest.raises(ConfigError) as caught:
        migrated_by(migration, text, write, template)
    [problem] = caught.value.problems
    return problem


def test_an_old_file_takes_every_step_to_todays_schema(write: Write) -> None:
    config = load("$version: 1\nname: resnet\nwidth: 300\nepochs: 7", write)

    assert config.plain() == {
        "model": {"name": "resnet", "width": 300, "depth": 600, "rates": []},
        "epochs": 7,
        "title": "",
    }
    assert config.notes == (
        "run.yaml is migrated by gather_model (1 -> 2)",
        "run.yaml is migrated by deepen_model (2 -> 3)",
    )


def test_a_younger_file_takes_the_steps_that_are_left(write: Write) -> None:
    config = load("$version: 2\nmodel: {width: 3}", write)

    assert config.params.model.depth == 6
    assert config.notes == ("run.yaml is migrated by deepen_model (2 -> 3)",)


@pytest.mark.parametrize("version", ["", "$version: 3\n"])
def test_a_file_of_today_takes_none(version: str, write: Write) -> None:
    config = load(f"{version}model: {{width: 3}}", write)

    assert config.params.model.depth == 2
    assert config.notes == ()


def test_what_a_migration_leaves_or_moves_keeps_its_place(write: Write) -> None:
    config = load("$version: 1\nname: resnet\nwidth: 300\nepochs: 7", write)

    assert config.origin("epochs") == "run.yaml:4:1"
    assert config.origin("model.name") == "run.yaml:2:1"
    assert config.origin("model.width") == "run.yaml:3:1"


def test_what_a_migration_makes_has_it_for_its_origin(write: Write) -> None:
    config = load("$version: 1\nname: resnet\nwidth: 300", write)

    assert config.origin("model.depth") == "run.yaml, migrated by deepen_model (2 -> 3)"
    assert "wins      600  run.yaml, migrated by deepen_model (2 -> 3)" in config.explain("model.depth")


def test_a_value_that_is_the_same_by_chance_is_not_taken_for_one_that_moved(write: Write) -> None:
    def migration(values: Values) -> Values:
        return {"lr": 2, "loader": {"depth": 2, "was": values["size"] and True}}

    config = migrated_by(migration, "size: 2\nflag: true", write)

    assert config.origin("lr") == "run.yaml, migrated by " + config.notes[0].rpartition(" by ")[2]
    assert config.origin("loader.was").startswith("run.yaml, migrated by ")


def test_what_moves_with_its_section_keeps_its_place(write: Write) -> None:
    def migration(values: Values) -> Values:
        values["loader"] = values.pop("data")["loader"]
        return values

    config = migrated_by(migration, "data:\n  loader:\n    size: 2\n    flag: true", write)

    assert config.origin("loader.size") == "run.yaml:4:5"
    assert config.origin("loader.flag") == "run.yaml:5:5"


def test_items_of_a_list_keep_their_places(write: Write) -> None:
    def migration(values: Values) -> Values:
        values["tags"] = [*values["tags"][1:], "new"]
        return values

    config = migrated_by(migration, "tags:\n- one\n- two\n- three", write)

    assert config.plain()["tags"] == ["two", "three", "new"]
    assert [config.origin(f"tags[{i}]") for i in (0, 1)] == ["run.yaml:4:3", "run.yaml:5:3"]
    assert config.origin("tags[2]").startswith("run.yaml, migrated by ")


def test_a_migration_sees_plain_values_of_its_own(write: Write) -> None:
    seen: list[Any] = []

    def migration(values: Values) -> Values:
        seen.append(values)
        return {}

    migrated_by(migration, 'loader: {a: [1, 2.5, {b: null}], "$$odd": x}', write)

    assert seen == [{"loader": {"a": [1, 2.5, {"b": None}], "$odd": "x"}}]
    assert type(seen[0]["loader"]) is dict
    assert type(seen[0]["loader"]["a"]) is list


def test_texts_with_references_pass_through_and_are_resolved_behind(write: Write) -> None:
    config = load("$version: 1\nname: net-${epochs}\nwidth: 300\ntitle: a $${x}", write)

    assert config.params.model.name == "net-1"
    assert config.params.title == "a ${x}"


def test_names_that_are_still_accepted_may_stand_in_an_old_file(write: Write) -> None:
    config = load("$version: 3\nrounds: 9", write)

    assert config.params.epochs == 9
    assert config.notes == ("run.yaml:2:1: rounds is now called epochs",)


def test_nobody_is_warned_of_a_field_that_a_saved_file_says_because_it_says_all(write: Write) -> None:
    class Params(ConfigTemplate):
        lr: Annotated[float, Deprecated("use rate", since="0.3")] = 0.1

    write(run="$version: 1\nlr: 1", base="lr: 1")

    assert Params.load("run.yaml").params.lr == 1
    with pytest.warns(DeprecatedName, match=r"^base.yaml:1:1: lr is deprecated since 0.3: use rate$"):
        Params.load("base.yaml")


def test_other_layers_are_of_today(write: Write) -> None:
    write(wide="model: {width: 500}", run="$version: 1\nname: resnet\nwidth: 300")

    config = Digits.compile("run.yaml", "wide.yaml", overrides=["model.depth=1"])

    assert (config.params.model.width, config.params.model.depth) == (500, 1)


def test_a_file_may_stand_above_a_saved_one(write: Write) -> None:
    write(wide="$extends: run.yaml\nepochs: 5", run="$version: 1\nname: resnet\nwidth: 300")

    assert Digits.compile("wide.yaml").params.model.name == "resnet"


def test_a_file_of_a_newer_schema_asks_for_newer_code(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load("$version: 4\nbroken: x", write)

    [problem] = caught.value.problems
    assert problem.what == "run.yaml was saved by version 4 of Digits, and this is version 3"
    assert problem.where == "run.yaml:1:1"
    assert problem.fix == "update the code of Digits, or import the module that declares its migrations"


def test_what_a_migration_raises_is_told_with_its_name_and_the_line(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load("$version: 1\nwidth: 300", write)

    [problem] = caught.value.problems
    assert problem.what == "run.yaml cannot be migrated by gather_model (1 -> 2): KeyError: 'name'"
    assert problem.where.startswith("run.yaml\n")
    assert problem.where.endswith("(in gather_model)")
    assert "test_migrate.py:" in problem.where


def test_a_migration_may_not_end_the_program(write: Write) -> None:
    def migration(values: Values) -> Values:
        raise SystemExit(values["lr"])

    assert "SystemExit" in problem_of(migration, "lr: 3", write).what


def test_what_is_raised_is_not_repeated_where_there_are_secrets(write: Write) -> None:
    class Params(ConfigTemplate):
        token: SecretStr = SecretStr("")

    def migration(values: Values) -> Values:
        raise ValueError(values["key"])

    problem = problem_of(migration, "key: hunter2", write, Params)

    assert "hunter2" not in str(problem)
    assert problem.what.endswith("ValueError")


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (None, "returned None"),
        ([1], "returned a list"),
        ({"tags": {"a"}}, "returned a set at tags"),
        ({"loader": {3: 1}}, "returned the key 3 at loader"),
        ({3: 1}, "returned the key 3 at the top"),
    ],
)
def test_what_no_file_could_hold_is_refused(returned: Any, told: str, write: Write) -> None:
    def migration(_: Values) -> Any:
        return returned

    problem = problem_of(migration, "lr: 1", write)

    assert problem.what.startswith("run.yaml cannot be migrated by ")
    assert problem.what.endswith(told)
    assert "(the migration)" in problem.where


def test_values_that_hold_themselves_are_refused(write: Write) -> None:
    def migration(values: Values) -> Values:
        values["loader"] = values
        return values

    assert "within one another" in problem_of(migration, "lr: 1", write).what


def test_a_gap_in_the_chain_is_told_when_a_saved_file_is_read(write: Write) -> None:
    class Params(ConfigTemplate):
        lr: float = 0.1

    migrates(Params, from_version=2)(gather_model)
    write(run="$version: 1\nlr: 1")

    with pytest.raises(TemplateError, match=r"no migration of .*Params leads from version 1 to 2"):
        Params.load("run.yaml")


def test_a_gap_in_the_chain_is_told_when_the_template_is_first_compiled() -> None:
    class Params(ConfigTemplate):
        lr: float = 0.1

    migrates(Params, from_version=5)(gather_model)

    with pytest.raises(TemplateError, match=r"no migration of .*Params leads from version 1 to 2"):
        Params.compile()


def test_the_steps_are_known_after_pickling(write: Write) -> None:
    import pickle

    config = load("$version: 2\nmodel: {width: 3}", write)

    assert pickle.loads(pickle.dumps(config)).notes == config.notes


@pytest.mark.usefixtures("write")  # it goes into a folder of its own
def test_a_mapping_that_was_saved_whole_stays_whole() -> None:
    class Params(ConfigTemplate):
        sizes: dict[str, int] = {"a": 1}
        lr: float = 0.1

    Params(sizes={"b": 2}).to_config().save("run.yaml")
    migrates(Params, from_version=1)(lambda values: {**values, "lr": 5.0})

    config = Params.load("run.yaml")

    assert config.plain() == {"sizes": {"b": 2}, "lr": 5.0}


def test_a_mapping_in_a_list_that_was_saved_whole_stays_whole(tmp_path: Path) -> None:
    class Layer(ConfigTemplate):
        sizes: dict[str, int] = {"a": 1, "b": 2}
        width: int = 1

    class Params(ConfigTemplate):
        layers: list[Layer] = []
        nested: list[list[Layer]] = []
        lr: float = 0.1

    layers = [Layer(sizes={"b": 3}, width=2), Layer(), Layer(sizes={})]
    config = Params(layers=layers, nested=[layers]).to_config()
    config.save(tmp_path / "run.yaml")
    assert Params.load(tmp_path / "run.yaml") == config

    migrates(Params, from_version=1)(lambda values: {**values, "lr": 5.0})

    migrated = Params.load(tmp_path / "run.yaml")
    assert migrated == config.merge({"lr": 5.0})
    assert migrated.origin("layers[0].sizes.b").endswith("run.yaml:5:7")
