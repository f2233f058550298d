"""Migrations as they are declared: one from each version, in a chain without gaps."""

from typing import Any

import pytest

from typedcfg import ConfigTemplate, migrates
from typedcfg.errors import TemplateError
from typedcfg.template.migrations import Values, migrations_of, schema_version


@pytest.fixture
def template() -> type[ConfigTemplate]:
    class Params(ConfigTemplate):
        epochs: int = 1

    return Params


def same(values: Values) -> Values:
    return values


def test_the_first_version_needs_no_migration(template: type[ConfigTemplate]) -> None:
    assert schema_version(template) == 1
    assert migrations_of(template) == ()


def test_every_migration_makes_one_version_more_in_whatever_order_they_are_declared(
    template: type[ConfigTemplate],
) -> None:
    @migrates(template, from_version=2)
    def later(values: Values) -> Values:
        return values

    @migrates(template, from_version=1)
    def first(values: Values) -> Values:
        return values

    assert schema_version(template) == 3
    assert [str(step) for step in migrations_of(template)] == ["first (1 -> 2)", "later (2 -> 3)"]


def test_the_decorated_function_is_left_as_it_is(template: type[ConfigTemplate]) -> None:
    assert migrates(template, from_version=1)(same) is same


def test_one_function_may_migrate_several_templates(template: type[ConfigTemplate]) -> None:
    class Other(ConfigTemplate):
        epochs: int = 1

    migrates(template, from_version=1)(migrates(Other, from_version=1)(same))

    assert (schema_version(template), schema_version(Other)) == (2, 2)


def test_a_template_does_not_inherit_migrations(template: type[ConfigTemplate]) -> None:
    migrates(template, from_version=1)(same)

    class Derived(template):  # type: ignore[misc, valid-type]  # a class made by a fixture
        more: int = 1

    assert schema_version(Derived) == 1


def test_two_migrations_from_one_version_are_refused_with_both_places(template: type[ConfigTemplate]) -> None:
    @migrates(template, from_version=1)
    def first(values: Values) -> Values:
        return values

    with pytest.raises(TemplateError, match="migrated from version 1 by both first and second") as caught:

        @migrates(template, from_version=1)
        def second(values: Values) -> Values:
            return values

    [problem] = caught.value.problems
    assert problem.where.count("test_migrations.py:") == 2
    assert problem.fix == "let the later one migrate from version 2"


def test_a_module_may_be_loaded_again(template: type[ConfigTemplate]) -> None:
    for _ in range(2):

        @migrates(template, from_version=1)
        def first(values: Values) -> Values:
            return values

    assert schema_version(template) == 2


def test_a_gap_is_told_with_the_places_of_what_there_is(template: type[ConfigTemplate]) -> None:
    migrates(template, from_version=1)(same)

    @migrates(template, from_version=3)
    def third(values: Values) -> Values:
        return values

    with pytest.raises(TemplateError, match="leads from version 2 to 3") as caught:
        schema_version(template)

    [problem] = caught.value.problems
    assert "same (1 -> 2) at " in problem.where
    assert "third (3 -> 4) at " in problem.where
    assert problem.fix == "declare one: @migrates(Params, from_version=2)".replace("Params", template.__qualname__)


@pytest.mark.parametrize("version", [0, -1, True, "1", 1.0])
def test_a_version_is_a_whole_number_from_1(version: Any, template: type[ConfigTemplate]) -> None:
    with pytest.raises(TemplateError, match=r"there is no version .* to migrate from"):
        migrates(template, from_version=version)


def test_what_is_no_template_is_refused() -> None:
    with pytest.raises(TemplateError, match="which is no ConfigTemplate"):
        migrates(dict, from_version=1)  # type: ignore[arg-type]  # on purpose
