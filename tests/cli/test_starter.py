"""A file to start from says nothing until a line of it is opened, and then what counts anyway."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Gt
from pydantic import Field, SecretStr

from typedcfg import Config, ConfigTemplate, Deprecated, Experiment, Unit, derived, section
from typedcfg.cli.starter import starter

_SETTING = re.compile(r"^( *)# (?=\w+: )", re.MULTILINE)


class Color(Enum):
    RED = "red"


class Loader(ConfigTemplate):
    """How minibatches are read."""

    batch_size: Annotated[int, Gt(0), Unit("samples")] = 128
    """Samples per step # and rank."""
    workers: Annotated[int, Deprecated("use readers", since="0.3")] = 2


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: Annotated[float, Gt(0)] = derived(lambda c: c.root.loader.batch_size / 128 * 0.01)
    betas: tuple[float, float] = (0.9, 0.999)


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    momentum: float = 0.9


class Block(ConfigTemplate):
    width: int = 64
    inner: "Block | None" = None


class Odd(ConfigTemplate):
    """Values that are not written as they look."""

    text: str = "null"
    lines: str = "a\nb # c"
    empty: str = ""
    number: str = "1e-3"
    dollar: str = "costs $5 ${x}"
    path: Path = Path("a b/c")
    price: Decimal = Decimal("0.10000000000000000001")
    when: date = date(2026, 1, 31)
    wait: timedelta = timedelta(minutes=2)
    raw: bytes = b"abc"
    limit: float = float("inf")
    small: float = 1e-8
    color: Color = Color.RED
    tags: frozenset[str] = frozenset({"b", "a"})
    free: dict[str, Any] = {"a": [1, {"b": None}], "": "x: y"}
    wave: complex = 1 + 2j


class Params(ConfigTemplate):
    seed: int = 0
    loader: Loader = section(Loader, batch_size=64)
    optimizer: AdamW | Sgd = section(Sgd, momentum=0.5)
    schedule: AdamW | Sgd = section(AdamW)
    spare: AdamW | Sgd | None = None
    layers: list[Block] = [Block(width=3), Block(inner=Block())]
    groups: dict[str, Sgd] = {"a": Sgd(momentum=0.1)}
    token: SecretStr = SecretStr("hunter2")
    odd: Odd
    block: Block
    fresh: list[int] = Field(default_factory=lambda: [1, 2])


class Dataset(ConfigTemplate):
    path: Path
    """Where it lies."""


Compile = Callable[[str], Config[Any]]


@pytest.fixture
def compile_params(tmp_path: Path) -> Compile:
    def compile_text(text: str) -> Config[Any]:
        (tmp_path / "params.yaml").write_text(text)
        return Params.compile(tmp_path / "params.yaml")

    return compile_text


def opened(text: str) -> Iterator[str]:
    """The text with one of its settings open, each in turn."""
    for found in _SETTING.finditer(text):
        yield text[: found.start()] + found[1] + text[found.end() :]


def test_as_it_stands_it_says_nothing(compile_params: Compile) -> None:
    config = compile_params(starter(Params, "params.schema.json"))

    assert config == Params.compile()


def test_any_of_its_settings_may_be_opened(compile_params: Compile) -> None:
    files = list(opened(starter(Params, "params.schema.json")))

    assert len(files) > 25
    assert all(compile_params(file) == Params.compile() for file in files)


def test_all_of_its_settings_may_be_opened(compile_params: Compile) -> None:
    text = _SETTING.sub(r"\1", starter(Params, "params.schema.json"))

    assert compile_params(text) == Params.compile()


def test_every_setting_of_an_experiment_may_be_opened(tmp_path: Path) -> None:
    for file in opened(starter(Experiment, "experiment.schema.json")):
        (tmp_path / "experiment.yaml").write_text(file)

        assert Experiment.compile(tmp_path / "experiment.yaml") == Experiment.compile()


def test_it_says_what_counts_where_it_stands() -> None:
    text = starter(Params, "params.schema.json")

    assert "    # batch_size: 64,  # integer > 0 [samples]\n" in text
    assert "    # kind: sgd,  # adamw or sgd; the keys below are its own\n    # momentum: 0.5,  # number\n" in text


def test_a_description_stands_above_its_key() -> None:
    assert "    ## Samples per step # and rank.\n    # batch_size" in starter(Params, "params.schema.json")


def test_a_formula_is_shown_and_not_set() -> None:
    text = starter(Params, "params.schema.json")

    assert re.search(r"^    ## lr = .*loader\.batch_size / 128 \* 0\.01  # number > 0$", text, re.MULTILINE)


def test_what_must_be_set_is_named() -> None:
    assert starter(Dataset, "dataset.schema.json").endswith("\n## Where it lies.\n## path must be set  # path\n")


def test_a_secret_is_not_shown() -> None:
    text = starter(Params, "params.schema.json")

    assert "## token is a secret" in text
    assert "hunter2" not in text


def test_what_is_on_its_way_out_is_not_offered() -> None:
    assert "workers" not in starter(Params, "params.schema.json")


def test_an_editor_is_told_of_the_schema() -> None:
    assert starter(Params, "a.json").startswith("# yaml-language-server: $schema=a.json\n")
