"""References and formulas: what waits for what, and what may not be made of what."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Secret, SecretStr, create_model
from refusals import refusal

from typedcfg import ConfigError, ConfigTemplate, NotInIdentity, derived
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
    option: Layer | None = None


def compiled(*overrides: str, **presets: Any) -> Any:
    return Params.compile(overrides=overrides, presets=[presets])


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


@pytest.mark.parametrize("text", ["trout${salmon", "trout${sal mon}"])
def test_a_secret_that_looks_like_a_reference_is_not_shown(text: str) -> None:
    told = refusal(Params, password=text)

    assert "password is no text with references (a secret, not shown)" in told
    assert "trout" not in told
    assert "sal" not in told


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
    class Item(ConfigTemplate):
        width: int = derived(lambda c: c.parent.base * 2)
        double: int = derived(lambda c: c.width * 2)

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
