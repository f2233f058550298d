"""References and formulas: what they read, in which order, and what they may not do."""

import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Secret, SecretBytes, SecretStr, create_model

from typedcfg import ConfigError, ConfigTemplate, NotInIdentity, derived, section
from typedcfg.compiler.values import Resolver


class Layer(ConfigTemplate):
    width: int = 1
    lr: float = 0.5


class Loader(ConfigTemplate):
    batch_size: int = 128
    name: str = "mnist"
    folder: Path = Path("data/raw")
    workers: Annotated[int, NotInIdentity()] = 2
    token: SecretStr = SecretStr("hunter2")


class Params(ConfigTemplate):
    loader: Loader
    any: Any = None
    name: str = "run"
    lr: float = 0.1
    flag: bool = True
    betas: tuple[float, float] = (0.9, 0.999)
    layers: list[Layer] = [Layer(), Layer(width=2)]
    groups: dict[str, Layer] = {"a.b": Layer(width=3)}
    rates: dict[str, float] = {}
    password: SecretStr | None = None
    note: Annotated[str, NotInIdentity()] = ""
    option: Layer | None = None


def compiled(*overrides: str, **presets: Any) -> Any:
    return Params.compile(overrides=overrides, presets=[presets])


def refusal(template: type[ConfigTemplate], *overrides: str, **presets: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        template.compile(overrides=overrides, presets=[presets])
    return str(caught.value)


# --- references -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("loader.batch_size", 128),
        ("flag", True),
        ("lr", 0.1),
        ("loader.name", "mnist"),
        ("loader.folder", Path("data/raw")),
        ("betas", (0.9, 0.999)),
        ("betas[1]", 0.999),
        ("layers[1].width", 2),
        ("layers[-1].width", 2),
        ('groups["a.b"].width', 3),
        ("option", None),
    ],
)
def test_a_whole_reference_keeps_the_type(key: str, value: object) -> None:
    found = compiled(any="${" + key + "}").params.any

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-05, "1e-05"),
        (1.0, "1.0"),
        (1e16, "1e+16"),
        (math.inf, "Infinity"),
        (10**30, "1" + "0" * 30),
        (-3, "-3"),
        (True, "true"),
        (False, "false"),
        ("text", "text"),
        (Path("a") / "b", "a/b"),
    ],
)
def test_within_a_text_values_print_as_in_json(value: object, text: str) -> None:
    assert compiled(any=value, name="x-${any}-y").params.name == f"x-{text}-y"


@pytest.mark.parametrize(
    ("value", "found"), [(None, "null"), ([1], "a list"), ({"a": 1}, "a mapping"), (b"x", "bytes")]
)
def test_what_is_no_text_has_no_place_within_one(value: object, found: str) -> None:
    assert f"any is {found}, which has no place within a text" in refusal(Params, any=value, name="x-${any}")


def test_paths_begin_at_the_top_beside_or_above() -> None:
    layers = [{"width": 5, "lr": "${here.width}"}, {"width": "${parent.lr}", "lr": "${root.lr}"}]

    found = compiled(layers=layers, lr=2).params.layers

    assert found == [Layer(width=5, lr=5), Layer(width=2, lr=2)]


def test_beside_within_a_free_mapping_means_the_same_mapping() -> None:
    assert compiled(rates={"a": 1, "b": "${here.a}", "my-key": "${here.b}"}).params.rates == {
        "a": 1,
        "b": 1,
        "my-key": 1,
    }


def test_an_escaped_reference_is_text() -> None:
    assert compiled(name="$${lr}").params.name == "${lr}"
    assert compiled(name="$${lr} is ${lr}").params.name == "${lr} is 0.1"


def test_references_read_defaults_overrides_and_each_other() -> None:
    found = compiled("lr=${layers[0].lr}", "layers[0].lr=${rates.x}", "rates.x=${rates.y}", "rates.y=3").params

    assert (found.lr, found.layers[0].lr) == (3, 3)


def test_a_reference_into_a_default_mapping_or_list_reads_the_merged_one() -> None:
    assert compiled("any=${betas[0]}", "betas[0]=0.5").params.any == 0.5
    assert compiled("any=${groups['a.b'].lr}", "groups['a.b'].lr=7").params.any == 7


def test_a_whole_free_mapping_waits_for_everything_in_it() -> None:
    found = compiled(any="${rates}", rates={"a": "${lr}", "b": "${here.a}"}).params.any

    assert found == {"a": 0.1, "b": 0.1}


def test_a_part_of_a_free_value_waits_for_what_lies_around_and_below() -> None:
    class Root(ConfigTemplate):
        tree: dict[str, Any] = {}
        deep: Any = None

    tree = {"a": {"b": "${tree.c}"}, "c": {"d": "${tree.e}"}, "e": 5}
    deep = {"er": {"still": {"whole": "${tree.a}", "part": "${tree.a.b.d}"}}}
    found = Root.compile(presets=[{"tree": tree, "deep": deep}]).params.deep["er"]["still"]

    assert found == {"whole": {"b": {"d": 5}}, "part": 5}


def test_an_alias_shares_a_reference_and_not_its_value(write: Callable[..., None]) -> None:
    write(base="layers:\n- &x {width: 3, lr: '${here.width}'}\n- *x")

    found = Params.compile("base.yaml", overrides=["layers[1].width=9"]).params.layers

    assert found == [Layer(width=3, lr=3), Layer(width=9, lr=9)]


def test_a_reference_through_an_absent_section_leads_nowhere() -> None:
    assert "the reference to option.lr leads nowhere" in refusal(Params, "lr=${option.lr}")


def test_a_value_cannot_be_a_section() -> None:
    assert "lr refers to loader, which is no value but a section" in refusal(Params, "lr=${loader}")


def test_a_reference_cannot_climb_above_the_top() -> None:
    assert "layers[0].lr has a reference that climbs above" in refusal(Params, "layers[0].lr=${parent.parent.lr}")


def test_an_unclosed_reference_is_told_with_its_place(write: Callable[..., None]) -> None:
    write(base='loader:\n  name: "x ${lr"')

    with pytest.raises(ConfigError) as caught:
        Params.compile("base.yaml")

    [problem] = caught.value.problems
    assert problem.what == "'x ${lr' opens a reference at column 3 and does not close it"
    assert problem.where == "base.yaml:2:3"


# --- circles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "chain"),
    [
        ({"lr": "${lr}"}, "lr -> lr"),
        ({"lr": "${rates.a}", "rates": {"a": "${lr}"}}, "lr -> rates.a -> lr"),
        (
            {"name": "${loader.name}", "loader": {"name": "${any}"}, "any": "${name}"},
            "name -> loader.name -> any -> name",
        ),
        ({"rates": {"a": "${rates.b}", "b": "${rates.a}"}}, "rates.a -> rates.b -> rates.a"),
        ({"rates": {"a": "${any}"}, "any": "${rates}"}, "any -> rates.a -> any"),
    ],
)
def test_a_circle_is_named_once_with_every_place(settings: dict[str, Any], chain: str) -> None:
    text = refusal(Params, **settings)

    names = set(chain.split(" -> "))
    assert sorted(text.splitlines()[0].removeprefix("values wait for each other: ").split(" -> ")[:-1]) == sorted(names)
    assert all(f"{name} at presets[0]" in text for name in names)
    assert "problems in" not in text


def test_a_circle_through_a_formula_names_where_the_formula_is_written() -> None:
    class Root(ConfigTemplate):
        a: int = derived(lambda c: c.b + 1)
        b: int = 0

    text = refusal(Root, "b=${a}")

    assert "values wait for each other: b -> a -> b" in text
    assert "b at overrides[0]" in text
    assert "test_values.py:" in text


def test_what_only_leads_into_a_circle_is_not_reported() -> None:
    assert "problems in" not in refusal(Params, "lr=${rates.a}", "rates.a=${rates.b}", "rates.b=${rates.a}")


# --- formulas -------------------------------------------------------------------------------------------------------


class Warm(ConfigTemplate):
    kind: Literal["warm"] = "warm"
    steps: int = derived(lambda c: c.root.total // 10)


class Flat(ConfigTemplate):
    kind: Literal["flat"] = "flat"


class Item(ConfigTemplate):
    width: int = derived(lambda c: c.parent.base * 2)
    double: int = derived(lambda c: c.width * 2)


class Formulas(ConfigTemplate):
    total: int = derived(lambda c: c.epochs * c.per_epoch)
    epochs: int = 10
    per_epoch: int = derived(lambda c: c.size // 4)
    size: int = 400
    base: int = 3
    schedule: Warm | Flat = section(Warm)
    items_: list[Item] = [Item(), Item(width=1)]
    named: dict[str, Item] = {"x": Item()}


def test_formulas_find_their_own_order() -> None:
    found = Formulas.compile().params

    assert (found.per_epoch, found.total, found.schedule) == (100, 1000, Warm(steps=100))


def test_formulas_work_in_variants_lists_and_mappings() -> None:
    found = Formulas.compile(overrides=["base=5", "items_[1].width=7"]).params

    assert [(item.width, item.double) for item in found.items_] == [(10, 20), (7, 14)]
    assert found.named["x"].double == 20


def test_an_explicit_value_stands_over_a_formula() -> None:
    assert Formulas.compile(overrides=["per_epoch=1"]).params.total == 10


def test_a_reset_brings_the_formula_back() -> None:
    assert Formulas.compile(overrides=["~per_epoch"], presets=[{"per_epoch": 1}]).params.per_epoch == 100


def test_formulas_and_references_read_each_other() -> None:
    assert Formulas.compile(overrides=["epochs=${schedule.steps}", "schedule.steps=${base}"]).params.total == 300


def test_a_formula_sees_lists_mappings_and_sections_that_are_not_there() -> None:
    class Root(ConfigTemplate):
        layers: list[Layer] = [Layer(), Layer(width=2)]
        named: dict[str, Layer] = {"a": Layer(width=5)}
        option: Layer | None = None
        found: Any = derived(
            lambda c: [
                [layer.width for layer in c.layers],
                len(c.layers),
                c.layers[-1].width,
                [layer.width for layer in c.layers[:1]],
                {name: layer.width for name, layer in c.named.items()},
                "a" in c.named,
                c.option is None,
            ]
        )

    assert Root.compile()["found"] == [[1, 2], 2, 2, [1], {"a": 5}, True, True]


def test_a_formula_sees_validated_values() -> None:
    class Root(ConfigTemplate):
        path: Path = Path("a/b")
        stem: str = derived(lambda c: c.path.name)

    assert Root.compile(overrides=["path=x/y.txt"])["stem"] == "y.txt"


def test_a_formula_that_fails_is_told_with_what_it_read() -> None:
    class Root(ConfigTemplate):
        a: int = 0
        b: float = derived(lambda c: 1 / c.a)

    text = refusal(Root)

    assert text.startswith("b cannot be derived: ZeroDivisionError: division by zero\n")
    assert "the formula is 1 / c.a" in text
    assert "it read a = 0" in text
    assert "test_values.py:" in text


def test_a_result_goes_through_the_validation_of_its_field() -> None:
    class Root(ConfigTemplate):
        a: int = 0
        b: Annotated[int, NotInIdentity()] = derived(lambda c: f"{c.a} apples")
        c: float = derived(lambda c: c.a)

    text = refusal(Root)

    assert "b is derived as '0 apples': Input should be a valid integer" in text
    assert "it read a = 0" in text
    assert type(Root.compile(overrides=["b=1"]).params.c) is float


def test_an_invalid_input_is_reported_alone() -> None:
    class Root(ConfigTemplate):
        a: int = 1
        b: int = derived(lambda c: c.a + 1)
        c: int = derived(lambda c: c.b + 1)

    text = refusal(Root, "a=x")

    assert text.startswith("a = 'x' is wrong")
    assert "problems in" not in text


def test_a_formula_does_not_swallow_waiting() -> None:
    def cautious(c: Any) -> int:
        try:
            return int(c.b)
        except Exception:  # noqa: BLE001  # as a careful user writes it
            return -1

    class Root(ConfigTemplate):
        a: int = derived(cautious)
        b: int = derived(lambda c: c.c)
        c: int = 5

    assert Root.compile().params.a == 5
    assert "a" not in refusal(Root, "c=x").partition("\n")[0]


def test_a_formula_that_reads_a_broken_section_is_not_run_into_it() -> None:
    class Root(ConfigTemplate):
        layer: Layer
        a: int = derived(lambda c: c.layer.width)

    text = refusal(Root, "layer=3")

    assert text.startswith("layer = 3 is no section")
    assert "problems in" not in text


@pytest.mark.parametrize("result", ["c.layer", "[c.layer]", "{'x': (c.root,)}", "Layer()"])
def test_a_formula_returns_no_section(result: str) -> None:
    formula = eval(f"lambda c: {result}", {"Layer": Layer})

    class Root(ConfigTemplate):
        layer: Layer
        a: Any = derived(formula)

    assert "a is derived as a section" in refusal(Root)


def test_a_formula_returns_no_formula() -> None:
    class Root(ConfigTemplate):
        a: Any = derived(lambda c: derived(lambda d: c.root or d.root))

    assert "a is derived as another formula, and a formula gives a value" in refusal(Root)


def test_a_formula_asks_for_keys_that_exist() -> None:
    class Root(ConfigTemplate):
        loader: Loader
        a: int = derived(lambda c: c.loader.batch_sice)

    text = refusal(Root)

    assert "a cannot be derived: there is no key loader.batch_sice" in text
    assert "the formula is c.loader.batch_sice" in text
    assert "did you mean  loader.batch_size" in text


def test_a_formula_is_told_of_the_words_beside_the_keys() -> None:
    class Root(ConfigTemplate):
        n: int = 1
        a: int = derived(lambda c: c.rot.n)

    text = refusal(Root)

    assert "did you mean  root" in text
    assert "root or parent, or a key of " in text


def test_a_formula_cannot_climb_above_the_top() -> None:
    class Root(ConfigTemplate):
        a: int = derived(lambda c: c.parent.x)

    text = refusal(Root)

    assert "a cannot be derived: " in text
    assert "Root is the whole configuration here, and has no parent" in text


# --- identity and secrets -------------------------------------------------------------------------------------------


def test_what_identifies_a_run_is_not_computed_from_what_does_not() -> None:
    class Root(ConfigTemplate):
        loader: Loader
        scratch: Annotated[Layer, NotInIdentity()]
        a: int = derived(lambda c: c.loader.workers)
        b: Annotated[int, NotInIdentity()] = derived(lambda c: c.loader.workers)

    text = refusal(Root)

    assert "a bears on the run's identity and is computed from loader.workers, which does not" in text
    assert "problems in" not in text
    assert "computed from scratch.width" in refusal(Root, "a=${scratch.width}")


def test_a_secret_flows_only_into_secrets() -> None:
    text = refusal(Params, "name=${loader.token}", "loader.token=swordfish")

    assert "name is computed from loader.token, which is a secret" in text
    assert "swordfish" not in text


def test_a_text_built_from_a_secret_is_one() -> None:
    found = compiled("password=Bearer ${loader.token}").params.password

    assert isinstance(found, SecretStr)
    assert found.get_secret_value() == "Bearer hunter2"


def test_every_type_of_secret_is_one() -> None:
    class Own(SecretStr):
        pass

    class Root(ConfigTemplate):
        number: Secret[int] = Secret(1)
        own: Own = Own("hunter2")
        options: dict[str, Secret[int]] | None = None

    for key in ("number", "own", "options"):
        assert "which is a secret" in refusal(create_model("R", __base__=Root, leak=(Any, None)), "leak=${" + key + "}")
    assert "77" not in Root.compile(overrides=["number=77", "options.a=77"]).explain()
    assert "77" not in Root.compile(overrides=["number=77"]).explain("number")
    assert Root.compile(overrides=["number=77"]).plain() == {}


def test_bytes_have_no_place_within_a_text() -> None:
    class Root(ConfigTemplate):
        key: SecretBytes = SecretBytes(b"hunter2")
        text: SecretStr = SecretStr("")

    assert "key is bytes, which has no place within a text" in refusal(Root, "text=x ${key}")


@pytest.mark.parametrize("text", ["trout${salmon", "trout${sal mon}"])
def test_a_secret_that_looks_like_a_reference_is_not_shown(text: str) -> None:
    told = refusal(Params, password=text)

    assert "password is no text with references (a secret, not shown)" in told
    assert "trout" not in told
    assert "sal" not in told


def test_a_formula_that_fails_on_a_secret_does_not_tell_it() -> None:
    class Root(ConfigTemplate):
        token: SecretStr = SecretStr("hunter2")
        number: SecretStr = derived(lambda c: int(c.token.get_secret_value()))
        clear: str = derived(lambda c: c.token.get_secret_value())
        wrong: int = derived(lambda c: c.token.get_secret_value())

    text = refusal(Root)

    assert "hunter2" not in text
    assert "number cannot be derived: ValueError\n" in text
    assert "clear is computed from token, which is a secret" in text
    assert "wrong is computed from token, which is a secret" in text


# --- work -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def evaluations(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every evaluation of a slot, finished or put off."""
    found: list[object] = []
    evaluate = Resolver._evaluate

    def counted(self: Resolver, slot: Any) -> None:
        found.append(slot.path)
        evaluate(self, slot)

    monkeypatch.setattr(Resolver, "_evaluate", counted)
    return found


@pytest.mark.parametrize("step", [1, -1])
def test_a_chain_through_a_mapping_takes_two_looks_at_each_value(step: int, evaluations: list[object]) -> None:
    length = 10_000
    rates: dict[str, Any] = {f"k{i}": "${rates.k" + str(i + step) + "}" for i in range(1, length + 1)}
    rates[f"k{length + 1 if step == 1 else 0}"] = 7

    found = compiled(rates=rates).params.rates

    assert set(found.values()) == {7}
    assert len(evaluations) <= 2 * length


@pytest.mark.parametrize("step", [1, -1])
def test_a_chain_through_sections_takes_two_looks_at_each_value(step: int, evaluations: list[object]) -> None:
    length = 10_000
    layers: list[Any] = [{"width": "${layers[" + str(i + step) + "].width}"} for i in range(length)]
    layers[length - 1 if step == 1 else 0] = {"width": 7}

    found = compiled(layers=layers).params.layers

    assert {layer.width for layer in found} == {7}
    assert len(evaluations) <= 2 * length


def test_reading_a_whole_mapping_takes_two_looks_at_each_value(evaluations: list[object]) -> None:
    class Root(ConfigTemplate):
        total: float = derived(lambda c: sum(c.rates.values()))
        rates: dict[str, float] = {}
        one: float = 1.0

    found = Root.compile(presets=[{"rates": {f"k{i}": "${one}" for i in range(1000)}}])

    assert found.params.total == 1000
    assert len(evaluations) <= 2 * 1001


def test_a_formula_over_many_sections_is_not_put_off_for_each(evaluations: list[object]) -> None:
    class Sums(ConfigTemplate):
        total: int = derived(lambda c: sum(item.double for item in c.root.items_))

    class Root(ConfigTemplate):
        sums: Sums
        base: int = 3
        items_: list[Item] = [Item()] * 300

    assert Root.compile().params.sums.total == 300 * 12
    assert evaluations.count(("sums", "total")) == 1


def test_a_circle_of_ten_thousand_is_told_in_a_few_lines() -> None:
    rates: dict[str, Any] = {f"k{i}": "${rates.k" + str((i + 1) % 10_000) + "}" for i in range(10_000)}

    text = refusal(Params, rates=rates)

    assert len(text.splitlines()) < 15
    assert "rates.k0 -> rates.k1 -> rates.k2 -> rates.k3 -> ... -> rates.k9996" in text


# --- bare texts -----------------------------------------------------------------------------------------------------


class Texts(ConfigTemplate):
    free: Any = None
    mapping: dict[str, Any] = {}
    text: str = ""
    folder: Path = Path()
    either: str | list[int] = ""
    number: float | None = None
    numbers: list[float] = []
    exact: Decimal = Decimal(0)
    password: SecretStr = SecretStr("")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        *(("text", "[a-z"), ("folder", "{a"), ("either", "[1, 2"), ("password", "[x")),
        *(("text", "1e999"), ("either", "1e999"), ("exact", "1e999"), ("password", "1e999"), ("text", "'a")),
    ],
)
def test_a_field_that_wants_text_takes_what_reads_as_nothing_else(key: str, text: str) -> None:
    value = Texts.compile(overrides=[f"{key}={text}"])[key]

    assert value in (text, Path(text), Decimal("1e999")) or value == SecretStr(text)


@pytest.mark.parametrize("text", ["[1, 2", "{a: 1", "{a: 1, a: 2}", "'a"])
@pytest.mark.parametrize("key", ["free", "mapping", "mapping.x", "numbers"])
def test_a_broken_list_or_mapping_is_no_text_where_nothing_says_so(key: str, text: str) -> None:
    told = refusal(Texts, f"{key}={text}")

    assert told.startswith(f"{key} cannot be read: ")
    assert "at            overrides[0], column " in told
    assert ("put it in quotes if it is meant as text" in told) == (key in ("free", "mapping.x"))


def test_quotes_say_that_a_text_is_meant() -> None:
    assert Texts.compile(overrides=["free='[1, 2'", 'mapping.x="{a"'])["free"] == "[1, 2"


@pytest.mark.parametrize("key", ["number", "numbers[0]", "free", "mapping.x"])
def test_a_number_beyond_floats_is_no_infinity(key: str) -> None:
    told = refusal(Texts, "numbers=[1]", f"{key}=1e999")

    assert told.startswith(f"{key} cannot be read: 1e999 is beyond what a float holds")
    assert Texts.compile(overrides=["numbers=[1]", f"{key}=.inf"])[key] == math.inf


def test_a_broken_text_from_a_variable_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T__NUMBER", "1e999")

    with pytest.raises(ConfigError, match=r"number cannot be read.*\n  at            variable T__NUMBER"):
        Texts.compile(env_prefix="T__")


@pytest.mark.parametrize(
    ("override", "what"),
    [("layers", "layers = null is no list"), ("by", "by = null is no mapping"), ("one", "one = null is no section")],
)
def test_a_formula_is_not_blamed_for_what_is_missing(override: str, what: str) -> None:
    class Layer(ConfigTemplate):
        width: int = 1

    class Params(ConfigTemplate):
        one: Layer
        layers: list[Layer] = [Layer()]
        by: dict[str, Layer] = {}
        total: int = derived(lambda c: c.one.width + sum(x.width for x in c.layers) + len(c.by))
        copied: Any = "${here.one.width}"

    with pytest.raises(ConfigError) as caught:
        Params.compile(overrides=[f"{override}=null"])

    assert [problem.what for problem in caught.value.problems] == [what]


@pytest.mark.parametrize("expression", ["${part.width}", "${part.width + 1}", "of ${part.width}"])
def test_a_reference_through_a_section_that_is_not_there_says_so(expression: str) -> None:
    class Part(ConfigTemplate):
        width: int = 1

    class Params(ConfigTemplate):
        part: Part | None = None
        note: Any = None

    with pytest.raises(ConfigError) as caught:
        Params.compile(overrides={"note": expression})

    [problem] = caught.value.problems
    assert problem.what == "the reference to part.width leads nowhere: part is null"


def test_a_text_has_no_items_to_refer_to() -> None:
    class Params(ConfigTemplate):
        name: str = "wide"
        note: Any = None

    with pytest.raises(ConfigError, match=r"the reference to name\[0\] leads nowhere"):
        Params.compile(overrides=["note=${name[0]}"])


def test_a_reference_within_a_text_that_leads_nowhere_is_pointed_at() -> None:
    class Params(ConfigTemplate):
        name: str = ""

    with pytest.raises(ConfigError, match=r"column 5 of 'a \$\{b\} c'"):
        Params.compile(overrides=["name=a ${b} c"])
