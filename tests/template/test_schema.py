from typing import Annotated, Any, Literal, Optional

import pytest
from annotated_types import Gt, Len
from pydantic import AfterValidator, BeforeValidator, JsonValue, ValidationError, model_validator
from typing_extensions import TypeAliasType

from typedcfg.template.base import ConfigTemplate
from typedcfg.template.derived import derived, section
from typedcfg.template.marks import Kind
from typedcfg.template.schema import fields_schema, items_schema


class Adam(ConfigTemplate):
    kind: Literal["adam"] = "adam"
    lr: float = 0.1


class Sgd(ConfigTemplate):
    kind: Annotated[Literal["sgd"], Kind(renamed_from="msgd")] = "sgd"
    lr: float = 0.2
    momentum: float = 0.9


class Loader(ConfigTemplate):
    batch_size: Annotated[int, Gt(0)] = 128
    workers: int = 2


class Path_(ConfigTemplate):  # noqa: N801  # pathlib has the other
    path: str


def refusal(template: type[ConfigTemplate], value: dict[str, Any]) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        template.model_validate(value)
    return caught.value


# --- sections fill themselves ---------------------------------------------------------------------------------------


def test_a_section_is_filled_from_its_own_defaults() -> None:
    class Params(ConfigTemplate):
        loader: Loader

    assert Params.model_validate({}).loader == Loader()


def test_sections_are_filled_however_deep() -> None:
    class Middle(ConfigTemplate):
        loader: Loader

    class Params(ConfigTemplate):
        middle: Middle

    assert Params.model_validate({}).middle.loader.batch_size == 128


def test_what_is_truly_required_is_reported_at_the_leaf() -> None:
    class Params(ConfigTemplate):
        section: Path_

    (error,) = refusal(Params, {}).errors()

    assert (error["type"], error["loc"]) == ("missing", ("section", "path"))


def test_an_optional_section_stays_null_until_something_is_set_below_it() -> None:
    class Params(ConfigTemplate):
        loader: Loader | None = None

    assert Params().loader is None
    assert Params.model_validate({"loader": {}}).loader == Loader()


def test_an_optional_section_without_a_default_is_required() -> None:
    class Params(ConfigTemplate):
        loader: Loader | None

    assert refusal(Params, {}).errors()[0]["type"] == "missing"


def test_a_section_s_default_counts_before_its_own_defaults() -> None:
    class Params(ConfigTemplate):
        loader: Loader = section(Loader, batch_size=64)
        instance: Loader = Loader(workers=0)

    assert Params().loader == Loader(batch_size=64)
    assert Params().instance == Loader(workers=0)


def test_a_section_with_a_validator_around_it_is_filled_too() -> None:
    class Params(ConfigTemplate):
        loader: Annotated[Loader, AfterValidator(lambda loader: loader)]

    assert Params.model_validate({}).loader == Loader()


def test_a_wrong_default_is_found_when_it_is_used() -> None:
    class Params(ConfigTemplate):
        batch_size: Annotated[int, Gt(0)] = -1

    assert refusal(Params, {}).errors()[0]["loc"] == ("batch_size",)


# --- variants go by kind --------------------------------------------------------------------------------------------


class Momentum(ConfigTemplate):
    kind: Literal["nesterov", "heavy_ball"] = "nesterov"
    beta: float = 0.9


Either = TypeAliasType("Either", Adam | Sgd)
Several = TypeAliasType("Several", list[Either])


class Aliased(ConfigTemplate):
    one: Either = section(Adam)
    perhaps: Either | None = None
    many: Several = []
    wider: Either | Momentum = section(Momentum)
    again: Either = section(Sgd)


class Choices(ConfigTemplate):
    one: Adam | Sgd = section(Adam)
    perhaps: Adam | Sgd | None = None
    many: list[Adam | Sgd] = []
    named: dict[str, Adam | Sgd] = {}
    row: tuple[Adam | Sgd, ...] = ()
    bounded: Annotated[list[Adam | Sgd], Len(0, 2)] = []
    nested: list[list[Optional[Adam | Sgd]]] = []  # noqa: UP045  # the older spelling is to work too


@pytest.mark.parametrize("name", ["adam", "sgd"])
@pytest.mark.parametrize(
    ("field", "wrap", "unwrap"),
    [
        ("one", lambda v: v, lambda v: v),
        ("perhaps", lambda v: v, lambda v: v),
        ("many", lambda v: [v], lambda v: v[0]),
        ("named", lambda v: {"a": v}, lambda v: v["a"]),
        ("row", lambda v: [v], lambda v: v[0]),
        ("bounded", lambda v: [v], lambda v: v[0]),
        ("nested", lambda v: [[v]], lambda v: v[0][0]),
    ],
)
def test_kind_chooses_the_variant_wherever_a_choice_stands(name: str, field: str, wrap: Any, unwrap: Any) -> None:
    choices = Choices.model_validate({field: wrap({"kind": name, "lr": 0.5})})

    chosen = unwrap(getattr(choices, field))
    assert chosen == {"adam": Adam(lr=0.5), "sgd": Sgd(lr=0.5)}[name]


@pytest.mark.parametrize("kind", ["nesterov", "heavy_ball"])
def test_a_variant_may_answer_to_several_kinds(kind: str) -> None:
    class Params(ConfigTemplate):
        momentum: Momentum | Sgd = section(Sgd)

    chosen = Params.model_validate({"momentum": {"kind": kind}}).momentum

    assert type(chosen) is Momentum
    assert chosen.kind == kind


@pytest.mark.parametrize("field", ["one", "perhaps", "wider", "again"])
def test_variants_behind_an_alias_go_by_kind(field: str) -> None:
    chosen = getattr(Aliased.model_validate({field: {"kind": "sgd", "lr": 0.5}}), field)

    assert chosen == Sgd(lr=0.5)
    for wrong in ({}, {"kind": "adan"}):
        (error,) = refusal(Aliased, {field: wrong}).errors()
        assert error["loc"] == (field,)


def test_variants_in_a_list_behind_an_alias_go_by_kind() -> None:
    assert Aliased.model_validate({"many": [{"kind": "sgd"}, {"kind": "adam"}]}).many == [Sgd(), Adam()]
    assert refusal(Aliased, {"many": [{}]}).errors()[0]["type"] == "union_tag_not_found"


def test_a_union_by_an_alias_may_be_a_member_of_another() -> None:
    assert Aliased.model_validate({"wider": {"kind": "heavy_ball"}}).wider == Momentum(kind="heavy_ball")
    assert Aliased.compile().params.wider == Momentum()


def test_an_alias_that_holds_itself_ends() -> None:
    class Params(ConfigTemplate):
        data: JsonValue = None

    assert Params(data=[{"a": [1]}]).data == [{"a": [1]}]


@pytest.mark.parametrize("field", ["one", "perhaps"])
def test_an_unknown_kind_is_answered_with_the_known_ones(field: str) -> None:
    (error,) = refusal(Choices, {field: {"kind": "adan"}}).errors()

    assert error["type"] == "union_tag_invalid"
    assert error["ctx"]["expected_tags"] == "'adam', 'sgd'"


def test_only_the_chosen_variant_complains() -> None:
    errors = refusal(Choices, {"one": {"kind": "sgd", "momentum": "fast", "nope": 1}}).errors()

    assert [error["loc"] for error in errors] == [("one", "sgd", "momentum"), ("one", "sgd", "nope")]


def test_an_instance_of_a_variant_is_taken_as_it_is() -> None:
    sgd = Sgd(lr=0.5)

    assert Choices(one=sgd).one == sgd
    assert Choices(many=[sgd, Adam()]).many == [sgd, Adam()]


def test_a_choice_without_a_default_is_required() -> None:
    class Params(ConfigTemplate):
        optimizer: Adam | Sgd

    (error,) = refusal(Params, {}).errors()

    assert (error["type"], error["loc"]) == ("missing", ("optimizer",))


def test_a_union_of_values_is_left_to_pydantic() -> None:
    class Params(ConfigTemplate):
        width: int | str = 1

    assert Params(width="auto").width == "auto"
    assert Params(width=3).width == 3


class Both(ConfigTemplate):
    kind: Literal["both"] = "both"
    left: "Both | One"
    right: "Both | One | None" = None


class One(ConfigTemplate):
    kind: Literal["one"] = "one"
    value: int = 0


def test_variants_that_hold_each_other_go_by_kind() -> None:
    tree = Both.model_validate(
        {"left": {"kind": "both", "left": {"kind": "one", "value": 1}}, "right": {"kind": "one", "value": 2}}
    )

    assert type(tree.left) is Both
    assert tree.left.left == One(value=1)
    assert tree.right == One(value=2)


# --- what reads a pending value waits -------------------------------------------------------------------------------


class Schedule(ConfigTemplate):
    epochs: int = 10
    warmup: int = derived(lambda c: c.epochs // 5)

    @model_validator(mode="after")
    def _fits(self) -> "Schedule":
        if self.warmup >= self.epochs:
            raise ValueError("warmup takes all epochs")
        return self


def fits(schedule: Schedule) -> Schedule:
    if schedule.warmup > 3:
        raise ValueError("too long a warmup")
    return schedule


def test_a_model_validator_that_reads_a_pending_value_is_put_off() -> None:
    assert Schedule().epochs == 10


def test_it_runs_when_the_value_is_given() -> None:
    with pytest.raises(ValidationError, match="warmup takes all epochs"):
        Schedule(epochs=3, warmup=5)


def test_it_runs_when_the_value_is_computed() -> None:
    class Always(ConfigTemplate):
        a: int = derived(lambda _: 3)

        @model_validator(mode="after")
        def _never(self) -> "Always":
            raise ValueError(f"a is {self.a}")

    assert isinstance(Always(), Always)
    with pytest.raises(Exception, match="a is 3"):
        Always().to_config()


def test_a_validator_beside_a_section_s_type_is_put_off_too() -> None:
    class Params(ConfigTemplate):
        schedule: Annotated[Schedule, AfterValidator(fits)]

    assert Params.model_validate({}).schedule.epochs == 10
    with pytest.raises(ValidationError, match="too long a warmup"):
        Params.model_validate({"schedule": {"warmup": 4}})


def test_a_validator_of_another_failure_is_not_put_off() -> None:
    class Params(ConfigTemplate):
        lr: Annotated[float, BeforeValidator(lambda value: value["lr"])] = 0.1

    with pytest.raises(KeyError):
        Params.model_validate({"lr": {}})


def test_a_section_is_settled_once_however_many_templates_have_it() -> None:
    class Part(ConfigTemplate):
        size: int = 1

    Part.model_validate({})  # from now on pydantic keeps what it made of the section

    def times_settled() -> int:
        class Params(ConfigTemplate):
            part: Part

        fields, definitions, _ = fields_schema(Params)
        return str([fields, definitions]).count("function-after")

    assert [times_settled() for _ in range(3)] == [1, 1, 1]


# --- what the catalog asks ------------------------------------------------------------------------------------------


def test_the_schemas_of_a_template_s_fields_are_found_behind_validators_and_definitions() -> None:
    for template, names in ((Schedule, {"epochs", "warmup"}), (Both, {"kind", "left", "right"})):
        fields, _, config = fields_schema(template)

        assert set(fields) == names
        assert config is not None


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (list[int], "int"),
        (dict[str, float], "float"),
        (set[str], "str"),
        (list[int] | None, "int"),
        (int, None),
        (list[int] | dict[str, int], None),
        (tuple[int, ...], None),
    ],
    ids=str,
)
def test_the_schema_of_one_item_is_found_where_all_are_of_one_type(annotation: Any, kind: str | None) -> None:
    class Params(ConfigTemplate):
        value: annotation = None

    fields, _, _ = fields_schema(Params)
    item = items_schema(fields["value"]["schema"])

    assert (item["type"] if item is not None else None) == kind
