import json
import re
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Interval, Len, MultipleOf
from pydantic import Field, SecretStr
from syrupy.assertion import SnapshotAssertion

from typedcfg.errors import MissingKey
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.derived import derived, section
from typedcfg.template.help import render_help
from typedcfg.template.help_ink import Ink
from typedcfg.template.help_tree import FieldHelp, Known, SectionHelp, Value, find_fields
from typedcfg.template.marks import Deprecated, Kind, NotInIdentity, RenamedFrom, Unit


class Activation(Enum):
    RELU = "relu"
    GELU = "gelu"


class Loader(ConfigTemplate):
    """How minibatches are read.

    What follows the first paragraph is for those who read the class.
    """

    path: Path
    """Where the images lie: a folder with one file for each class, as the download script leaves it behind.

    A second paragraph.
    """
    batch_size: Annotated[int, Gt(0), Unit("samples"), RenamedFrom("bs", "data.loader.bs")] = 128
    """Samples per step and rank."""
    workers: Annotated[int, Ge(0), NotInIdentity()] = 2
    token: SecretStr | None = SecretStr("hunter2")


class AdamW(ConfigTemplate):
    """Adam with decoupled weight decay."""

    kind: Literal["adamw"] = "adamw"
    lr: Annotated[float, Gt(0), Unit("1/step")] = derived(lambda c: c.root.loader.batch_size / 128 * 0.01)
    betas: tuple[float, float] = (0.9, 0.999)


class Sgd(ConfigTemplate):
    """Plain stochastic gradient descent."""

    kind: Annotated[Literal["sgd"], Kind(renamed_from="msgd")] = "sgd"
    lr: Annotated[float, Gt(0), Unit("1/step")] = 0.1
    momentum: Annotated[float, Interval(ge=0, lt=1)] = 0.9


class NoOptimizer(ConfigTemplate):
    kind: Literal["none"] = "none"


class Layer(ConfigTemplate):
    """One hidden layer."""

    width: Annotated[int, MultipleOf(8), Ge(8)] = 64
    activation: Activation = Activation.RELU


class Ema(ConfigTemplate):
    decay: Annotated[float, Interval(gt=0, lt=1)] = 0.999


class Tree(ConfigTemplate):
    """Nodes in nodes."""

    weight: float = 1e-3
    children: list["Tree"] = []


class Digits(ConfigTemplate):
    """Recognise handwritten digits."""

    epochs: Annotated[int, Gt(0), Unit("epochs")] = 10
    """Passes over the data."""
    speed: Annotated[float | None, Deprecated("use optimizer.lr", since="0.3")] = None
    tags: dict[str, str | bool] = Field({"stage": "dev", "a|b": True}, description="Free | words.")
    loader: Loader = section(Loader, batch_size=64)
    optimizer: AdamW | Sgd | NoOptimizer = section(AdamW, betas=(0.8, 0.9))
    """What steps with the gradients."""
    layers: Annotated[list[Layer], Len(1)] = [Layer(width=32), Layer()]
    groups: dict[str, Sgd] = {}
    ema: Annotated[Ema | None, NotInIdentity()] = None
    """Average the weights."""
    tree: Tree


def field(template: type[ConfigTemplate], key: str) -> FieldHelp:
    (found,) = find_fields(SectionHelp("", template), key)
    return found


def plain_fields(document: dict[str, Any]) -> dict[str, Any]:
    """Every field of a JSON help by key; of variants the default one."""
    found = {}
    for described in document["fields"]:
        found[described["key"]] = described
        for inner in described.get("sections", ()):
            if inner.get("is_default_kind", True) and "fields" in inner:
                found |= plain_fields(inner)
    return found


def without_line(text: str) -> str:
    """Help of one value without where in this file it is declared."""
    return re.sub(r"\S*test_help.py:\d+", "FILE:LINE", text)


# --- the three formats ----------------------------------------------------------------------------------------------


def test_help_for_a_shell(snapshot: SnapshotAssertion) -> None:
    assert render_help(Digits, width=100) == snapshot


def test_help_for_a_narrow_shell(snapshot: SnapshotAssertion) -> None:
    assert render_help(Digits, width=60) == snapshot


def test_help_for_a_page(snapshot: SnapshotAssertion) -> None:
    assert render_help(Digits, format="markdown") == snapshot


def test_help_for_a_program(snapshot: SnapshotAssertion) -> None:
    assert render_help(Digits, format="json") == snapshot


@pytest.mark.parametrize("width", [50, 60, 80, 110])
def test_no_line_is_wider_than_asked_for(width: int) -> None:
    assert max(map(len, render_help(Digits, width=width).splitlines())) <= width


def test_the_terminal_says_how_wide_lines_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")

    assert Digits.help() == render_help(Digits, width=60)


def test_a_wide_terminal_does_not_make_long_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")

    assert Digits.help() == render_help(Digits, width=110)


def test_help_is_returned_and_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert Digits.help(format="json")

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("format_", ["text", "json", "markdown"])
def test_no_secret_is_shown(format_: Any) -> None:
    class Login(ConfigTemplate):
        password: SecretStr = SecretStr("hunter2")

    class Logins(ConfigTemplate):
        one: Login = section(Login, password="hunter2")
        two: Login | None = section(Login, password="hunter2")
        several: list[Login] = Field(default_factory=lambda: [Login(password=SecretStr("hunter2"))])
        written: list[Login] = [{"password": "hunter2"}]  # type: ignore[list-item]  # pydantic takes it
        named: dict[str, Login] = {"a": {"password": "hunter2", "nope": "hunter2"}}  # type: ignore[dict-item]  # help does not look
        tokens: list[SecretStr] = [SecretStr("hunter2")]

    text = Logins.help(format_)

    assert "hunter2" not in text
    assert "password" in text


# --- one key --------------------------------------------------------------------------------------------------------


def test_help_of_one_value_tells_all_of_it(snapshot: SnapshotAssertion) -> None:
    known = Known(env_prefix="DIGITS__")

    assert without_line(render_help(Digits, key="loader.batch_size", width=80, known=known)) == snapshot


def test_help_of_one_value_fits_a_narrow_shell(snapshot: SnapshotAssertion) -> None:
    assert without_line(render_help(Digits, key="optimizer.lr", width=60, known=Known("DIGITS__"))) == snapshot


def test_help_narrows_to_a_section(snapshot: SnapshotAssertion) -> None:
    assert render_help(Digits, key="loader", width=80) == snapshot


def test_a_value_that_several_kinds_have_is_told_for_each() -> None:
    adamw, sgd = render_help(Digits, key="optimizer.lr", width=100).split("\n\noptimizer.lr  ")

    assert "with      optimizer.kind = adamw\n" in adamw
    assert "with      optimizer.kind = sgd\n" in sgd


def test_help_of_a_value_names_the_formulas_that_read_it() -> None:
    assert "  read by   optimizer.lr\n" in render_help(Digits, key="loader.batch_size", width=80)


@pytest.mark.parametrize(
    ("key", "ways"),
    [
        ("epochs", ["file      epochs: 10", "argument  epochs=10", "variable  D__EPOCHS=10"]),
        ("layers[i].width", ["argument  'layers[0].width=64'", "variable  D__LAYERS__0__WIDTH=64"]),
        (
            'groups["x"].momentum',
            ["file      groups: {name: {momentum: 0.9}}", "variable  D__GROUPS__NAME__MOMENTUM=0.9"],
        ),
        ("optimizer.momentum", ["file      optimizer: {kind: sgd, momentum: 0.9}"]),
        ("loader.path", ["argument  loader.path=..."]),
        ("loader.token", ["argument  loader.token=..."]),
    ],
)
def test_help_of_a_value_shows_how_it_is_set(key: str, ways: list[str]) -> None:
    text = render_help(Digits, key=key, width=110, known=Known("D__"))

    assert all(f"  {way}\n" in text for way in ways)


def test_an_item_of_a_list_has_no_line_for_a_file_that_would_take_the_others_away() -> None:
    assert "\n  file " not in render_help(Digits, key="layers[i].width", width=110)


# --- variables and values -------------------------------------------------------------------------------------------


def test_help_names_the_variable_of_each_value() -> None:
    lines = [line.strip() for line in Digits.help(env_prefix="DIGITS__").splitlines()]

    assert {"$DIGITS__EPOCHS", "$DIGITS__LAYERS__<i>__WIDTH", "$DIGITS__GROUPS__<name>__LR"} <= set(lines)


def test_every_variable_that_help_names_is_one_that_sets_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    told = plain_fields(json.loads(Outer.help("json", env_prefix="OUTER__")))
    shown = {f["env"]: f["default"] for f in told.values() if "default" in f and isinstance(f["default"], int)}
    for name, value in shown.items():
        monkeypatch.setenv(name, str(value + 1000))

    plain = Outer.compile(env_prefix="OUTER__").plain()

    assert plain["simple"]["inner"]["a"] == shown["OUTER__SIMPLE__INNER__A"] + 1000


def test_help_shows_what_a_configuration_has() -> None:
    entry = field(Digits, "layers[i].width").entry
    width = (Value("layers[0].width", "32", "a.yaml:3:1"), Value("layers[1].width", "8", "a.yaml:4:1"))
    known = Known(values={("layers[i].width", entry): width})

    text = render_help(Digits, key="layers", known=known, width=100)

    assert "layers[0].width = 32  (a.yaml:3:1)\n" in text
    assert "layers[1].width = 8  (a.yaml:4:1)\n" in text


def test_ink_changes_no_line_of_help() -> None:
    painted = render_help(Digits, width=80, known=Known("D__"), ink=Ink(*[lambda text: f"\x1b[1m{text}\x1b[0m"] * 4))

    assert "\x1b[1mloader.batch_size\x1b[0m  integer" in painted
    assert re.sub(r"\x1b\[\d*m", "", painted) == render_help(Digits, width=80, known=Known("D__"))


def test_asking_for_the_kind_tells_the_choice() -> None:
    assert render_help(Digits, key="optimizer.kind") == render_help(Digits, key="optimizer")


@pytest.mark.parametrize("key", ["layers[i].width", "layers[2].width", "layers[-1].width"])
def test_a_position_may_be_any(key: str) -> None:
    assert field(Digits, key).key == "layers[i].width"


def test_a_name_may_be_any() -> None:
    assert field(Digits, 'groups["backbone.0"].momentum').key == 'groups["name"].momentum'


@pytest.mark.parametrize("key", ["tags.stage", "layers", "layers[0]", "tree.children[0].children[3].weight"])
def test_help_finds_what_lies_within_lists_mappings_and_sections_that_hold_themselves(key: str) -> None:
    assert find_fields(SectionHelp("", Digits), key)


@pytest.mark.parametrize(
    ("key", "near"),
    [("optimizer.lrr", "optimizer.lr"), ("batch_size", "loader.batch_size"), ("layers.width", "layers[i].width")],
)
def test_a_wrong_key_is_answered_with_the_nearest(key: str, near: str) -> None:
    with pytest.raises(MissingKey) as caught:
        Digits.help(key=key)

    assert f"Digits has no key {key!r}" in str(caught.value)
    assert caught.value.problems[0].suggestion == near


@pytest.mark.parametrize("key", ["epochs.nope", "loader[0]", "groups[0].lr", "layers.x.width", "a..b", "optimizer.x.y"])
def test_a_key_that_leads_nowhere_is_missing(key: str) -> None:
    with pytest.raises(MissingKey):
        Digits.help(key=key)


def test_json_help_of_one_key_says_which() -> None:
    document = json.loads(Digits.help("json", key="optimizer.lr"))

    assert (document["template"], document["key"]) == ("Digits", "optimizer.lr")
    assert [described["kind"] for described in document["fields"]] == ["adamw", "sgd"]


# --- defaults -------------------------------------------------------------------------------------------------------


class Inner(ConfigTemplate):
    a: int = 1
    b: int = 2
    c: int = derived(lambda c: c.a)
    tags: dict[str, int] = {"x": 1}


class Middle(ConfigTemplate):
    inner: Inner = section(Inner, a=10)
    other: Inner = Inner(b=20)
    made: Inner = Field(default_factory=lambda: Inner(b=21))


class Outer(ConfigTemplate):
    simple: Middle
    over: Middle = section(Middle, inner=Inner(b=200), other=Inner(a=100, tags={"y": 2}))
    formula: Inner = section(Inner, c=7)
    optimizer: AdamW | Sgd = Sgd(lr=0.5)
    empty: Inner | None = None


def test_every_default_that_help_shows_is_what_compiling_gives() -> None:
    compiled = Outer.compile()

    told = plain_fields(json.loads(Outer.help("json")))
    shown = {key: f["default"] for key, f in told.items() if "default" in f and "sections" not in f}

    for key, default in shown.items():
        if not key.startswith("empty."):
            assert compiled.get(key) == default, key
    assert shown["over.inner.a"] == 10
    assert shown["over.inner.b"] == 200
    assert shown["optimizer.lr"] == 0.5


def test_a_value_that_a_section_sets_stands_instead_of_a_formula() -> None:
    assert field(Outer, "simple.inner.c").fallback == "= simple.inner.a"
    assert field(Outer, "formula.c").fallback == "default 7"


def test_settings_of_another_kind_are_not_taken_over() -> None:
    class Params(ConfigTemplate):
        outer: Outer = section(Outer, optimizer=AdamW(betas=(0.1, 0.2)))

    adamw, sgd = find_fields(SectionHelp("", Params), "outer.optimizer.lr")

    assert field(Params, "outer.optimizer").fallback == "default adamw"
    assert field(Params, "outer.optimizer.betas").fallback == "default [0.1, 0.2]"
    assert (adamw.fallback, sgd.fallback) == ("= loader.batch_size / 128 * 0.01", "default 0.1")


def test_a_choice_without_a_default_is_required() -> None:
    class Params(ConfigTemplate):
        optimizer: AdamW | Sgd
        perhaps: AdamW | Sgd | None = None

    assert field(Params, "optimizer").fallback == "required"
    assert field(Params, "perhaps").fallback == "default null"


def test_what_lies_below_a_section_out_of_the_identity_is_out_too() -> None:
    told = plain_fields(json.loads(Digits.help("json")))

    assert told["ema.decay"]["in_identity"] is False
    assert told["epochs"]["in_identity"] is True


def test_what_json_lacks_is_the_text_that_yaml_has_for_it() -> None:
    class Params(ConfigTemplate):
        limit: float = float("inf")
        path: Path = Path("a b: c")
        activation: Activation = Activation.GELU
        names: set[str] = {"b", "a"}

    told = plain_fields(json.loads(Params.help("json")))

    assert {key: f["default"] for key, f in told.items()} == {
        "limit": ".inf",
        "path": "a b: c",
        "activation": "gelu",
        "names": ["a", "b"],
    }


# --- sections that hold themselves ----------------------------------------------------------------------------------


def test_a_section_that_holds_itself_is_told_once() -> None:
    (children,) = (f for f in SectionHelp("", Tree).fields() if f.entry.name == "children")
    (inner,) = children.sections()

    assert inner.same_as == ""
    assert "children[i]  Tree again, as the whole configuration" in Tree.help()


def test_variants_that_hold_each_other_end() -> None:
    text = And.help()

    assert text.count("And again, as the whole configuration") == 2
    assert json.loads(And.help("json"))["fields"]


class And(ConfigTemplate):
    kind: Literal["and"] = "and"
    left: "And | Leaf | None" = None
    right: "And | Leaf | None" = None


class Leaf(ConfigTemplate):
    kind: Literal["leaf"] = "leaf"
    value: int = 0


def test_an_old_name_is_told_by_its_present_one() -> None:
    class Params(ConfigTemplate):
        batch_size: Annotated[int, RenamedFrom("bs")] = 1

    with pytest.raises(MissingKey, match="did you mean  batch_size"):
        Params.help(key="bs")


def test_a_wrong_key_is_answered_with_those_of_every_kind_it_leads_to() -> None:
    with pytest.raises(MissingKey) as caught:
        Digits.help(key="optimizer.zzz")

    assert caught.value.problems[0].expected.count("a key of ") == 3
