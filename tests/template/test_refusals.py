import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import pytest
from annotated_types import Gt
from pydantic import (
    AliasChoices,
    ConfigDict,
    Field,
    InstanceOf,
    computed_field,
    create_model,
    model_validator,
)
from typing_extensions import TypeAliasType

from typedcfg.errors import TemplateError
from typedcfg.template.base import CONFIG_VERBS, ConfigTemplate, _reserved_names
from typedcfg.template.catalog import catalog_of
from typedcfg.template.derived import derived
from typedcfg.template.marks import AddedIn, Deprecated, Kind, Mark, NotInIdentity, RenamedFrom, Unit


def refusal(declare: Callable[[], object]) -> str:
    with pytest.raises(TemplateError) as caught:
        declare()
    return str(caught.value)


def template(**fields: Any) -> type[ConfigTemplate]:
    return create_model("Params", __base__=ConfigTemplate, **fields)


class Tensor:
    """A class that pydantic knows nothing of."""


def test_a_type_that_pydantic_does_not_know_is_refused_with_its_field() -> None:
    class Inner(ConfigTemplate):
        size: int = 1
        weights: dict[str, Tensor] = {}

    class Params(ConfigTemplate):
        inner: Inner

    text = refusal(Params.compile)

    assert "Inner: weights is of a type that no file could hold: dict[str, Tensor]" in text
    assert "size" not in text


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="pydantic takes the type from Python 3.12 on")
def test_a_type_that_pydantic_refuses_is_told_with_its_field_and_what_to_write() -> None:
    class Size(TypedDict):
        width: int

    text = refusal(template(size=(Size, {"width": 1})).compile)

    assert "Params: size is declared as Size" in text
    assert "declare a section, or import TypedDict from typing_extensions" in text


def test_a_formula_that_is_a_text_is_refused_where_the_class_is_written() -> None:
    with pytest.raises(TemplateError, match=r"the formula of width is 'y\*2', which is no function"):
        template(width=(int, derived("y*2")))  # type: ignore[arg-type]  # which is the point


def test_a_type_is_welcome_once_pydantic_is_told_of_it() -> None:
    class Params(ConfigTemplate):
        weights: Annotated[Tensor, InstanceOf()] | None = None

    assert Params.compile().params.weights is None


def test_a_name_that_pydantic_only_warns_of_is_refused() -> None:
    def declare() -> None:
        class Params(ConfigTemplate):
            copy: int = 3  # type: ignore[assignment]  # what is refused here

    assert "'copy' is the name of something that every configuration has" in refusal(declare)


# --- where the class is written -------------------------------------------------------------------------------------


def test_a_model_validator_that_runs_before_is_refused() -> None:
    def declare() -> None:
        class Params(ConfigTemplate):
            @model_validator(mode="before")
            @classmethod
            def fill(cls, values: Any) -> Any:
                return values

    text = refusal(declare)

    assert "fill is a model validator of mode 'before', which sees settings before they are merged" in text
    assert 'use mode="after", a field validator, or derived(...)' in text


def test_a_model_validator_that_wraps_is_refused() -> None:
    def declare() -> None:
        class Params(ConfigTemplate):
            @model_validator(mode="wrap")
            @classmethod
            def fill(cls, values: Any, handler: Any) -> Any:
                return handler(values)

    assert "fill is a model validator of mode 'wrap'" in refusal(declare)


def test_a_model_validator_that_runs_after_is_welcome() -> None:
    class Params(ConfigTemplate):
        low: int = 0
        high: int = 1

        @model_validator(mode="after")
        def check(self) -> "Params":
            if self.low > self.high:
                raise ValueError("low is above high")
            return self

    with pytest.raises(ValueError, match="low is above high"):
        Params(low=2)


def test_a_computed_field_is_refused_in_favour_of_a_formula() -> None:
    def declare() -> None:
        class Params(ConfigTemplate):
            @computed_field  # type: ignore[prop-decorator]  # pydantic's own spelling
            @property
            def total(self) -> int:
                return 1

    text = refusal(declare)

    assert "total is a computed field, which no file could set and no formula read" in text
    assert "use derived(...)" in text


@pytest.mark.parametrize("extra", ["allow", "ignore"])
def test_keys_that_nobody_declared_cannot_be_let_in(extra: Any) -> None:
    def declare() -> None:
        class Params(ConfigTemplate):
            model_config = ConfigDict(extra=extra)

    text = refusal(declare)

    assert f"extra='{extra}' would let a typo pass" in text
    assert "declare a dict field for free keys" in text


def test_a_template_cannot_be_thawed() -> None:
    def declare() -> None:
        class Params(ConfigTemplate):
            model_config = ConfigDict(frozen=False)

    assert "frozen=False would let a configuration change under its identity" in refusal(declare)


@pytest.mark.parametrize(
    "aliased",
    [Field(1, alias="bs"), Field(1, validation_alias="bs"), Field(1, serialization_alias="bs")],
    ids=["alias", "validation_alias", "serialization_alias"],
)
def test_an_alias_is_refused_in_favour_of_an_old_name(aliased: Any) -> None:
    text = refusal(lambda: template(batch_size=(int, aliased)))

    assert "batch_size has an alias" in text
    assert 'use Annotated[..., RenamedFrom("bs")]' in text


def test_a_choice_of_aliases_is_refused_too() -> None:
    aliased = Field(1, validation_alias=AliasChoices("bs", "batch"))

    assert "RenamedFrom(...)" in refusal(lambda: template(batch_size=(int, aliased)))


def test_aliases_made_by_a_generator_are_refused() -> None:
    def declare() -> None:
        class Params(ConfigTemplate):
            model_config = ConfigDict(alias_generator=str.upper)
            lr: float = 0.1

    assert "lr has an alias" in refusal(declare)


@pytest.mark.parametrize("name", sorted({"copy", "json", "items", "root", "parent", "here", "help"} | CONFIG_VERBS))
def test_a_field_cannot_take_the_name_of_what_every_configuration_has(name: str) -> None:
    text = refusal(lambda: template(**{name: (int, 1)}))

    assert f"'{name}' is the name of something that every configuration has" in text
    assert f"call it {name}_, or by a word that says what it holds" in text


def test_the_page_names_every_name_that_is_taken() -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "declare-sections.md"
    _, _, taken = page.read_text(encoding="utf-8").partition("### Names that are taken")
    lists = "".join(re.findall(r"^\* (?:.|\n  )+", taken, re.MULTILINE))
    told = set(re.findall(r"`(\w+)`", lists))

    assert told - {"model", "model_width"} == set(_reserved_names())


@pytest.mark.parametrize("name", ["model", "kind", "data", "run", "name", "seed", "type", "id"])
def test_the_names_that_training_needs_are_free(name: str) -> None:
    assert catalog_of(template(**{name: (int, 1)})).names == {name}


def test_a_name_with_a_dollar_cannot_be_written_as_a_key() -> None:
    assert "'a$' cannot be written as a key" in refusal(lambda: template(**{"a$": (int, 1)}))


def test_all_that_is_wrong_with_a_class_is_said_at_once() -> None:
    text = refusal(lambda: template(root=(int, 1), lr=(float, Field(0.1, alias="rate"))))

    assert len(re.findall("fix", text)) == 2


# --- when the catalog is made ---------------------------------------------------------------------------------------


class Inner(ConfigTemplate):
    lr: float = 0.1


class Adam(ConfigTemplate):
    kind: Literal["adam"] = "adam"


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"


@pytest.mark.parametrize("annotation", [Inner, Adam | Sgd, Inner | None, list[Inner], dict[str, Inner]], ids=str)
def test_a_formula_cannot_make_sections(annotation: Any) -> None:
    params = template(inner=(annotation, derived(lambda c: c.root.inner)))

    text = refusal(lambda: catalog_of(params))

    assert "Params.inner: a formula cannot make a section" in text
    assert "write section(...), and give its fields formulas" in text


def test_a_formula_cannot_choose_a_variant() -> None:
    params = template(kind=(Literal["adam"], derived(lambda _: "adam")))

    assert "Params.kind: a formula cannot choose a variant" in refusal(lambda: catalog_of(params))


def test_a_field_called_kind_that_chooses_nothing_may_have_a_formula() -> None:
    params = template(kind=(str, derived(lambda _: "adam")))

    assert catalog_of(params).formulas


@pytest.mark.parametrize("old", ["", ".", "a..b", "a b", "a.", "${x}", 3])
def test_an_old_name_must_be_one(old: Any) -> None:
    params = template(lr=(Annotated[float, RenamedFrom("rate", old)], 0.1))

    text = refusal(lambda: catalog_of(params))

    assert f"Params.lr: RenamedFrom({old!r}) is no key path" in text


def test_an_old_name_cannot_lie_in_a_list() -> None:
    params = template(lr=(Annotated[float, RenamedFrom("groups[0].lr")], 0.1))

    assert "RenamedFrom('groups[0].lr') leads into a list" in refusal(lambda: catalog_of(params))


def test_a_first_name_cannot_be_the_present_name_of_a_field_beside() -> None:
    params = template(lr=(Annotated[float, RenamedFrom("rate")], 0.1), rate=(float, 0.2))

    assert "Params.lr: 'rate' is also a name of Params.rate" in refusal(lambda: catalog_of(params))


@pytest.mark.parametrize("first", ["rate", "optimizer.rate"])
def test_two_fields_cannot_have_had_one_name(first: str) -> None:
    params = template(
        lr=(Annotated[float, RenamedFrom(first)], 0.1), speed=(Annotated[float, RenamedFrom("pace", first)], 0.2)
    )

    assert f"Params.speed: '{first}' is also a name of Params.lr" in refusal(lambda: catalog_of(params))


def test_a_field_may_take_over_a_name_when_it_keeps_its_own_first_one() -> None:
    params = template(
        lr=(Annotated[float, RenamedFrom("rate")], 0.1), rate=(Annotated[float, RenamedFrom("frame_rate")], 0.2)
    )

    assert set(catalog_of(params).renamed) == {"rate", "frame_rate"}


SECONDS = TypeAliasType("SECONDS", Annotated[float, Unit("s")])


@pytest.mark.parametrize(
    ("annotation", "spelling"),
    [
        (Annotated[float, Unit("s")] | None, "Annotated[float | None, Unit('s')]"),
        (Annotated[float, Gt(0), Unit("s")] | None, "Annotated[Annotated[float, Gt(gt=0)] | None, Unit('s')]"),
        (list[Annotated[float, Unit("s")]], "Annotated[list[float], Unit('s')]"),
        (dict[str, Annotated[float, Unit("s")]], "Annotated[dict[str, float], Unit('s')]"),
        (SECONDS, "Annotated[float, Unit('s')]"),
        (Annotated[Inner, NotInIdentity()] | None, "Annotated[Inner | None, NotInIdentity()]"),
        (list[Annotated[Inner, NotInIdentity()]], "Annotated[list[Inner], NotInIdentity()]"),
        (Annotated[Adam, Deprecated("go", since="1")] | Sgd, "Annotated[Adam | Sgd, Deprecated('go', since='1')]"),
        (Annotated[int, AddedIn(was=False)] | str, "Annotated[int | str, AddedIn(was=False)]"),
        (Annotated[int, RenamedFrom("a", "b.c")] | str, "Annotated[int | str, RenamedFrom('a', 'b.c')]"),
    ],
    ids=str,
)
def test_a_mark_that_would_be_lost_is_refused_with_the_right_spelling(annotation: Any, spelling: str) -> None:
    params = template(value=(annotation, None))

    text = refusal(lambda: catalog_of(params))

    assert "stands inside another type, where it does not reach the field" in text
    assert f"write {spelling}: around the whole type" in text


@pytest.mark.parametrize("mark", [Unit, NotInIdentity, Deprecated, RenamedFrom, AddedIn, Kind])
def test_a_mark_without_parentheses_is_refused_where_the_class_is_written(mark: type[Mark]) -> None:
    text = refusal(lambda: template(value=(Annotated[int, mark], 1)))

    assert f"value is marked with the class {mark.__name__}, which marks nothing" in text
    assert f"write {mark.example}" in text


def test_a_mark_without_parentheses_is_refused_inside_another_type_too() -> None:
    params = template(value=(list[Annotated[int, Unit]], []))

    assert "value is marked with the class Unit" in refusal(lambda: catalog_of(params))


# --- where it is written --------------------------------------------------------------------------------------------


def line_of(text: str) -> int:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return 1 + next(i for i, line in enumerate(lines) if line.strip() == text)


@pytest.mark.parametrize(
    ("declare", "line"),
    [
        ("with_a_formula_for_a_section", "loader: Loader = derived(lambda c: c.size)"),
        ("with_a_taken_name", "parent: int = 1"),
        ("with_a_validator_before", "class Validates(ConfigTemplate):"),
        ("with_an_unknown_type", "weights: Tensor  # no file could hold it"),
    ],
)
def test_what_is_refused_is_told_with_its_line(declare: str, line: str) -> None:
    text = refusal(globals()[declare])

    assert f"test_refusals.py:{line_of(line)}\n" in text


class Loader(ConfigTemplate):
    size: int = 1


def with_a_formula_for_a_section() -> None:
    class Derives(ConfigTemplate):
        size: int = 1
        loader: Loader = derived(lambda c: c.size)

    catalog_of(Derives)


def with_a_taken_name() -> None:
    class Named(ConfigTemplate):
        parent: int = 1


def with_a_validator_before() -> None:
    class Validates(ConfigTemplate):
        @model_validator(mode="before")
        @classmethod
        def fill(cls, values: Any) -> Any:
            return values


def with_an_unknown_type() -> None:
    class Types(ConfigTemplate):
        size: int = 1
        weights: Tensor  # no file could hold it

    Types.compile()
