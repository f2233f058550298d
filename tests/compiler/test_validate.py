"""Complaints of pydantic, brought back to the key and the place that they are about."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pytest
from annotated_types import Gt, Len, Predicate
from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationInfo, field_validator, model_validator

from typedcfg import ConfigError, ConfigTemplate, Unit, derived, section
from typedcfg.errors import Problem
from typedcfg.template.catalog import catalog_of
from typedcfg.template.type_text import type_text


class Layer(ConfigTemplate):
    width: Annotated[int, Gt(0), Unit("features")] = 1


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: Annotated[float, Gt(0)] = 0.1


class Params(ConfigTemplate):
    count: int = 1
    layers: list[Layer] = []
    groups: dict[str, Layer] = {}
    optimizer: AdamW | Sgd = section(AdamW)
    betas: tuple[float, float] = (0.9, 0.999)
    rates: dict[str, float] = {}
    table: dict[int, list[float]] = {}
    devices: int | Literal["auto"] | list[int] = "auto"
    names: Annotated[list[str], Len(1, 2)] = ["a"]
    token: SecretStr = SecretStr("")


def problems(template: type[ConfigTemplate], *overrides: str, **presets: Any) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        template.compile(overrides=overrides, presets=[presets])
    return caught.value.problems


@pytest.mark.parametrize(
    ("override", "what", "expected"),
    [
        ("count=x", "count = 'x' is wrong", "integer"),
        ("count=null", "count = null is wrong", "integer"),
        ("count=1.5", "count = 1.5 is wrong", "integer"),
        ("layers=[{}, {width: 0}]", "layers[1].width = 0 is wrong", "integer > 0 [features]"),
        (
            'groups={"a.b": {width: x}}',
            "groups[\"a.b\"].width = 'x' is wrong",
            "integer > 0 [features]",
        ),
        ("optimizer.lr=-1", "optimizer.lr = -1 is wrong", "number > 0"),
        ("betas=[0.9, x]", "betas[1] = 'x' is wrong", "number"),
        ("rates={a: 1, b: x}", "rates.b = 'x' is wrong", "number"),
        ("rates=[1]", "rates = [1] is wrong", "mapping of texts to numbers"),
        ("table={a: [1]}", "table.a = 'a' is wrong", "integer"),
        ("table={1: [x]}", "table[\"1\"][0] = 'x' is wrong", "number"),
    ],
)
def test_a_complaint_names_the_key_the_value_and_what_was_expected(override: str, what: str, expected: str) -> None:
    [problem] = problems(Params, override)

    assert (problem.what, problem.where, problem.expected) == (what, "overrides[0]", expected)


@pytest.mark.parametrize("value", ["x", "[a]", "null", "1.5"])
def test_members_of_a_union_make_one_complaint(value: str) -> None:
    [problem] = problems(Params, f"devices={value}")

    assert problem.what.startswith("devices = ")
    assert problem.expected == type_text(catalog_of(Params).entries["devices"])


def test_no_message_speaks_of_pydantic() -> None:
    text = "\n".join(map(str, problems(Params, "count=x", "devices=x", "names=[]", "betas=[1]", "layers=[{width: x}]")))

    assert "pydantic" not in text
    assert "http" not in text
    assert "Input should" not in text


def test_every_place_is_exact(write: Callable[..., None]) -> None:
    write(
        base=(
            "count: x\n"
            "layers:\n"
            "- {width: 1}\n"
            "- &wide\n"
            "  width: -1\n"
            "- *wide\n"
            "rates: {a: 1, b: [2]}\n"
            "groups:\n"
            "  'a.b': {width: no}\n"
            "optimizer:\n"
            "  kind: sgd\n"
            "  lr: fast\n"
            "names: [a, b, c]\n"
            "betas: [0.9, x]\n"
        )
    )

    with pytest.raises(ConfigError) as caught:
        Params.compile("base.yaml")

    assert {p.what.partition(" ")[0]: p.where.removeprefix("base.yaml:") for p in caught.value.problems} == {
        "count": "1:1",
        "layers[1].width": "5:3",
        "layers[2].width": "5:3",
        "rates.b": "7:15",
        'groups["a.b"].width': "9:11",
        "optimizer.lr": "12:3",
        "names": "13:1",
        "betas[1]": "14:14",
    }


def test_the_place_is_that_of_the_setting_that_won(write: Callable[..., None]) -> None:
    write(base="layers: [{width: 1}]", wide="layers: [{width: 2}]")

    with pytest.raises(ConfigError) as caught:
        Params.compile("base.yaml", "wide.yaml", overrides=["layers[0].width=-1"])

    assert [p.where for p in caught.value.problems] == ["overrides[0]"]


def test_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P__LAYERS", "[{width: 0}]")

    with pytest.raises(ConfigError) as caught:
        Params.compile(env_prefix="P__")

    assert [(p.what, p.where) for p in caught.value.problems] == [
        ("layers[0].width = 0 is wrong", "variable P__LAYERS")
    ]


def test_a_wrong_default_is_told_as_one() -> None:
    class Root(ConfigTemplate):
        count: int = "x"  # type: ignore[assignment]  # what the test is about
        layer: Layer = section(Layer, width=0)

    count, width = problems(Root)

    assert (count.what, count.where) == ("count = 'x' is wrong", f"default of {Root.__qualname__}.count")
    assert (width.what, width.where) == ("layer.width = 0 is wrong", f"default of {Root.__qualname__}.layer")


# --- what is required -----------------------------------------------------------------------------------------------


class Data(ConfigTemplate):
    path: Path
    layer: Layer


class Needs(ConfigTemplate):
    data: Data
    optimizer: AdamW | Sgd
    sets: list[Data] = []


def test_what_is_required_is_reported_at_the_leaf() -> None:
    path, optimizer = problems(Needs)

    assert str(path) == (
        "data.path is required\n"
        "  at            nothing sets it\n"
        "  expected      path\n"
        "  fix           write it in a file, or pass data.path=..."
    )
    assert str(optimizer) == (
        "optimizer is required\n"
        "  at            nothing sets it\n"
        "  expected      one of the kinds adamw or sgd\n"
        "  fix           choose one: optimizer=adamw"
    )


def test_what_an_item_requires_names_the_item(write: Callable[..., None]) -> None:
    write(base="sets:\n- path: a\n- layer: {width: 3}\noptimizer: {kind: sgd}\ndata: {path: x}")

    with pytest.raises(ConfigError) as caught:
        Needs.compile("base.yaml")

    [problem] = caught.value.problems
    assert (problem.what, problem.where) == ("sets[1].path is required", "the section at base.yaml:3:3")


def test_what_a_file_that_cannot_be_read_may_have_set_is_not_missed(write: Callable[..., None]) -> None:
    write(broken="data: {path: x\n")

    with pytest.raises(ConfigError) as caught:
        Needs.compile("broken.yaml", overrides=["optimizer=sgd", "sets=3"])

    assert [p.what.partition(":")[0] for p in caught.value.problems] == ["invalid YAML", "sets = 3 is no list"]


# --- validators -----------------------------------------------------------------------------------------------------


class Checked(ConfigTemplate):
    low: int = 0
    high: int = 10

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


class HasChecked(ConfigTemplate):
    checked: Checked
    more: list[Checked] = []


def test_a_section_that_refuses_itself_is_named_with_its_words() -> None:
    [problem] = problems(HasChecked, "checked.low=20")

    assert str(problem) == "checked: low 20 is above high 10\n  at            overrides[0]"


def test_each_item_that_refuses_itself_is_named() -> None:
    found = problems(HasChecked, "more=[{low: 20}, {}, {high: -1}]")

    assert [p.what for p in found] == [
        "more[0]: low 20 is above high 10",
        "more[2]: low 0 is above high -1",
    ]


def test_a_section_does_not_complain_of_a_value_that_is_not_known() -> None:
    class Named(ConfigTemplate):
        name: str = "a"

        @model_validator(mode="after")
        def _short(self) -> Self:
            if len(self.name) > 1:
                raise ValueError(f"{self.name} is too long")
            return self

    class Root(ConfigTemplate):
        named: Named

    [problem] = problems(Root, "named.name=${nope}")

    assert "the reference to nope leads nowhere" in problem.what
    assert [p.what for p in problems(Root, "named.name=bc")] == ["named: bc is too long"]


def test_a_validators_own_words_are_kept() -> None:
    class Root(ConfigTemplate):
        even: int = 0

        @field_validator("even")
        @classmethod
        def _even(cls, value: int) -> int:
            if value % 2:
                raise ValueError(f"{value} is odd")
            return value

    assert [p.what for p in problems(Root, "even=3")] == ["even: 3 is odd"]


def test_a_validators_words_about_a_secret_are_not() -> None:
    def check(value: Any) -> Any:
        raise ValueError(f"{value} is too short")

    class Root(ConfigTemplate):
        token: Annotated[SecretStr, BeforeValidator(check)] = SecretStr("")
        tokens: dict[str, Annotated[SecretStr, BeforeValidator(check)]] = {}

    text = "\n".join(map(str, problems(Root, "token=hunter2", "tokens.a=hunter2")))

    assert "hunter2" not in text
    assert "token is wrong (a secret, not shown)\n  at            overrides[0]" in text


def test_a_validator_that_changes_its_own_result_is_refused() -> None:
    class Root(ConfigTemplate):
        count: Annotated[int, AfterValidator(lambda value: value + 1)] = 0

    [problem] = problems(Root, "count=5")

    assert (problem.what, problem.where) == ("count changes when it is validated again", "overrides[0]")


def test_a_validator_within_a_container_is_looked_at_too() -> None:
    class Root(ConfigTemplate):
        counts: list[Annotated[int, AfterValidator(lambda value: value + 1)]] = []

    assert [p.what for p in problems(Root, "counts=[5]")] == ["counts changes when it is validated again"]


def test_a_validator_that_refuses_its_own_result_is_refused() -> None:
    def once(value: Any) -> Any:
        if isinstance(value, Path):
            raise ValueError("a path already")  # noqa: TRY004  # what pydantic reports
        return Path(value)

    class Root(ConfigTemplate):
        path: Annotated[Any, BeforeValidator(once)] = "a"

    assert [p.what for p in problems(Root, "path=b")] == [
        "path does not pass its own validator a second time: a path already"
    ]


def test_a_formula_sees_what_a_validator_makes_of_several_fields() -> None:
    class Root(ConfigTemplate):
        factor: int = 3
        count: int = 1
        twice: int = derived(lambda c: c.count * 2)

        @field_validator("count")
        @classmethod
        def _scaled(cls, value: int, info: ValidationInfo) -> int:
            return int((info.data or {}).get("factor", 1)) if value < 10 else value

    assert Root.compile(overrides=["count=5"]).params.twice == 6


def test_a_validator_that_only_looks_at_others_is_fine() -> None:
    class Root(ConfigTemplate):
        low: int = 0
        high: int = 5
        twice: int = derived(lambda c: c.high * 2)

        @field_validator("high")
        @classmethod
        def _above(cls, value: int, info: ValidationInfo) -> int:
            if value <= info.data["low"]:
                raise ValueError("high is not above low")
            return value

    assert Root.compile().params.twice == 10
    assert [p.what for p in problems(Root, "low=7")] == ["high: high is not above low"]


def test_a_formula_that_saw_another_value_than_came_out_is_told() -> None:
    numbers = iter(range(10))

    class Root(ConfigTemplate):
        count: Annotated[int, AfterValidator(lambda _: next(numbers))] = 1
        twice: int = derived(lambda c: c.count * 2)

    first, *_ = problems(Root, "count=5")

    assert (first.what, first.where) == ("count is 2, and a formula saw 1", "overrides[0]")


def test_a_list_that_lacks_its_brackets_is_shown_with_them() -> None:
    [problem] = problems(Params, "names=ast")

    assert problem.fix == "a list is written in brackets: [ast]"


def test_a_text_that_was_read_as_a_number_is_to_be_quoted() -> None:
    class Named(ConfigTemplate):
        name: str = ""

    [problem] = problems(Named, name=7)

    assert problem.fix == "put it in quotes: without them it is no text"


def test_what_a_user_demands_is_told_in_the_users_words() -> None:
    class Even(ConfigTemplate):
        width: Annotated[int, Predicate(lambda n: n % 2 == 0)] = 2

    [problem] = problems(Even, "width=3")

    assert problem.expected.startswith("Predicate")


def test_of_a_tuple_that_lacks_an_item_the_whole_is_shown() -> None:
    [problem] = problems(Params, "betas=[0.9]")

    assert (problem.what, problem.expected) == ("betas = [0.9] is wrong", "list of 2: number, number")
