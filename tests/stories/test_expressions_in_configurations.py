"""Expressions where they stand: in files and arguments, beside types, identity, secrets and the environment."""

import pickle
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from typedcfg import ConfigError, ConfigTemplate, NotInIdentity, derived


class Layer(ConfigTemplate):
    width: int = 1


class Loader(ConfigTemplate):
    batch_size: int = 128
    workers: Annotated[int, NotInIdentity()] = 2
    token: SecretStr = SecretStr("hunter2")


class Params(ConfigTemplate):
    loader: Loader
    layers: list[Layer] = [Layer(), Layer(width=2)]
    lr: float = 0.1
    epochs: int = 10
    warmup: int = 0
    name: str = "run"
    flag: bool = True
    any: Any = None
    rates: dict[str, Any] = {}
    password: SecretStr | None = None
    half: int = derived(lambda c: c.epochs // 2)


def value_of(text: str, *overrides: str, **presets: Any) -> Any:
    return Params.compile(presets=[{"any": text, **presets}], overrides=overrides).params.any


def refusal(*overrides: str, **presets: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        Params.compile(presets=[presets], overrides=overrides)
    return str(caught.value)


def test_the_classic_tree_follows_what_is_set() -> None:
    texts = {"lr": "${loader.batch_size / 128 * 0.01}", "warmup": "${round(0.1 * epochs)}", "name": "bs-${lr}-${1 + 1}"}

    found = Params.compile(presets=[texts], overrides=["loader.batch_size=256", "epochs=25"]).params

    assert (found.lr, found.warmup, found.name) == (0.02, 2, "bs-0.02-2")


def test_expressions_read_formulas_and_formulas_read_expressions() -> None:
    found = Params.compile(overrides=["epochs=${warmup * 2}", "warmup=${len(layers) + 5}", "any=${half + 1}"]).params

    assert (found.warmup, found.epochs, found.half, found.any) == (7, 14, 7, 8)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${layers[-1].width * 10}", 20),
        ("${lr if flag and epochs > 5 else null}", 0.1),
        ("${len(rates) + len(name)}", 5),
        ('${rates["my-key"] // 2}', 4),
        ("${name == 'run'}", True),
        ("$${1 + 1} = ${1 + 1}", "${1 + 1} = 2"),
    ],
)
def test_an_expression_keeps_its_type(text: str, value: object) -> None:
    found = value_of(text, rates={"my-key": 8, "b": 1})

    assert (found, type(found)) == (value, type(value))


def test_the_branch_that_is_not_taken_may_be_wrong() -> None:
    assert value_of("${1 / rates.zero if rates.zero != 0 else 0}", rates={"zero": 0}) == 0
    assert value_of("${any2 if false else 1}") == 1


def test_a_mistake_is_told_with_its_place_and_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text('rates: {zero: 0}\nlr: "${1 + epochs / rates.zero}"\n')

    with pytest.raises(ConfigError) as caught:
        Params.compile("base.yaml")

    assert str(caught.value) == (
        "lr cannot be computed: division by zero\n"
        "  at            base.yaml:2:1\n"
        "                column 7 of '${1 + epochs / rates.zero}'"
    )


def test_a_reference_in_an_expression_that_leads_nowhere_is_told_with_its_column() -> None:
    text = refusal(any="${1 + loader.batch_sise}")

    assert "the reference to loader.batch_sise leads nowhere" in text
    assert "column 7 of '${1 + loader.batch_sise}'" in text
    assert "did you mean  loader.batch_size" in text


def test_a_key_with_a_dash_is_no_subtraction() -> None:
    text = refusal(any="${rates.my-key}", rates={"my-key": 1})

    assert 'fix           put a key that is no identifier in quotes: ${rates["my-key"]}' in text
    assert "no identifier" not in refusal(any="${rates.my - loader.key}", rates={"your-key": 1})


def test_circles_through_expressions_are_named() -> None:
    assert "values wait for each other: epochs -> warmup -> epochs" in refusal(
        "epochs=${warmup + 1}", "warmup=${-epochs}"
    )


def test_an_invalid_value_is_reported_alone() -> None:
    text = refusal("epochs=x", any="${epochs + 1 if flag else 2}", name="${any} and ${epochs * 2}")

    assert text.startswith("epochs = 'x' is wrong")
    assert "problems in" not in text


def test_a_result_is_validated_as_its_field_wants() -> None:
    assert "epochs" in refusal(epochs="${lr * 2}").splitlines()[0]
    assert "refers to loader, which is no value but a section" in refusal(any="${loader + 1}")
    assert "any comes to null, which has no place within a text" not in refusal(name="x-${null}-${null if flag else 1}")


def test_a_section_is_chosen_by_no_expression() -> None:
    text = refusal("layers[0]=${layers[1] if flag else layers[1]}")

    assert "'${layers[1] if flag else layers[1]}' is an expression, and a section is expected" in text


# --- identity and secrets -------------------------------------------------------------------------------------------


def test_what_identifies_a_run_is_not_computed_from_what_does_not() -> None:
    assert "epochs bears on the run's identity and is computed from loader.workers" in refusal(
        "epochs=${loader.workers * 2}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "${len(loader.token)}",
        "${str(loader.token)}",
        "${loader.token == 'hunter2'}",
        "${loader.token if flag else 'x'}",
        "${min(1, loader.token)}",
        "${loader.token + 1}",
    ],
)
@pytest.mark.parametrize("key", ["any", "password"])
def test_nothing_is_computed_from_a_secret(key: str, text: str) -> None:
    told = refusal(**{key: text})

    assert "secret" in told
    assert "hunter2" not in told


@pytest.mark.parametrize("text", ["trout${1 / 0}", "trout${sal + mon}", "${'sal' + 'mon'}", "${env('SALMON')}"])
def test_a_secret_that_looks_like_an_expression_is_not_shown(text: str) -> None:
    told = refusal(password=text)

    assert "password is no text with references (a secret, not shown)" in told
    assert not any(word in told for word in ("trout", "sal", "SALMON"))


def test_a_text_built_from_a_secret_may_hold_expressions_beside_it() -> None:
    found = Params.compile(presets=[{"password": "${loader.token}-${epochs * 2}"}]).params.password

    assert found is not None
    assert found.get_secret_value() == "hunter2-20"


# --- the environment ------------------------------------------------------------------------------------------------


def test_a_variable_is_read_once_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "8")
    config = Params.compile(presets=[{"any": '${int(env("WORLD_SIZE", "1")) * 2}'}])
    told = config.explain("any")
    monkeypatch.setenv("WORLD_SIZE", "9")
    copied = pickle.loads(pickle.dumps(config))

    assert copied.params.any == 16
    assert copied.explain("any") == told == config.explain("any")
    assert "reads     variable WORLD_SIZE = 8" in told


def test_a_variable_that_is_not_set_needs_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)

    assert value_of('${env("NOWHERE", "x")}') == "x"
    assert "variable NOWHERE, not set" in Params.compile(overrides=['any=${env("NOWHERE", name)}']).explain("any")
    assert "any cannot be computed: the variable NOWHERE is not set" in refusal(any='${env("NOWHERE")}')


def test_a_variable_in_a_secret_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "swordfish")
    config = Params.compile(overrides=["password=${env('TOKEN')}"])

    assert config.params.password == SecretStr("swordfish")
    assert "swordfish" not in config.explain("password") + config.explain() + config.to_yaml()


def test_an_explanation_names_what_an_expression_read() -> None:
    told = Params.compile(overrides=["any=${lr * 2 if flag else epochs}", "lr=0.5"]).explain("any")

    assert "wins      ${lr * 2 if flag else epochs}  overrides[0]" in told
    assert "reads     lr = 0.5" in told
    assert "reads     flag = true" in told
    assert "epochs =" not in told


# --- whoever writes it ----------------------------------------------------------------------------------------------

WORDS = (
    "a rates lr flag root parent here . .. [ ] ( ) [0] ['x'] 0 1 2.5 1e308 9999999999999999999 ** * / // % + - < == "
    "and or not if else in is lambda import yield : := , = @ # ; min( max( len( int( str( env( 'HOME' ' \" { } ${ $${ "
    "__class__ null true None é ﬁ \\ \n \0"  # a ligature
)
SOUP = st.lists(st.sampled_from(WORDS.split(" ")) | st.text(max_size=3), max_size=25)


@settings(max_examples=2 * settings().max_examples)
@given(SOUP, st.sampled_from(["", " "]))
def test_no_text_crashes_hangs_or_runs(tokens: list[str], glue: str) -> None:
    text = "${" + glue.join(tokens) + "}"
    started = time.process_time()
    with suppress(ConfigError):
        value_of(text, rates={"a": 3, "x": "text", "big": 2**4000})
    assert time.process_time() - started < 2


def test_many_expressions_in_one_text_are_read_together() -> None:
    count = 3_000
    rates = {f"k{i}": "${epochs + 1}" for i in range(count)}
    started = time.process_time()

    found = value_of("".join(f"${{rates.k{i} - 10}}" for i in range(count)), rates=rates)

    assert found == "1" * count
    assert time.process_time() - started < 5
