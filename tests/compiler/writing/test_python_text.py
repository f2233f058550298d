"""A configuration as Python code: run anywhere, it builds the same one."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Literal, NamedTuple
from uuid import UUID

import pytest
from pydantic import SecretStr

from typedcfg import Config, ConfigTemplate, derived, section


class Precision(Enum):
    HIGH = "high"


class Parts(Flag):
    A = 1
    B = 2


class Pair(NamedTuple):
    x: int
    y: float


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1


class Adam(ConfigTemplate):
    kind: Literal["adam"] = "adam"
    lr: float = derived(lambda c: c.parent.count / 2)


class Host(ConfigTemplate):
    address: IPv4Address = IPv4Address("127.0.0.1")


class Params(ConfigTemplate):
    class Inner(ConfigTemplate):
        deep: int = 1

    inner: Inner = section(Inner)
    optimizer: Adam | Sgd = section(Adam)
    optimizers: list[Adam | Sgd] = []
    groups: dict[str, Sgd] = {}
    option: Sgd | None = None
    count: int = 2
    anything: Any = None
    precision: Precision = Precision.HIGH
    token: SecretStr = SecretStr("hunter2")


def run(text: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(compile(text, "params.py", "exec"), namespace)
    return namespace


@pytest.mark.parametrize(
    "value",
    [
        *(1, True, None, "a'\"\n${x}", b"\x00\xff", 0.1, -0.0, 1e300, float("nan"), float("-inf"), complex(0, -1.5)),
        *((), (1,), (1, (2,)), [], [1, [2.0]], {}, {"a": {"b": [1]}}, {1: 2, "x": None}, Pair(1, float("inf"))),
        *(set(), {1, "a"}, frozenset({1.0}), frozenset(), Path("a/b"), Decimal("1.50"), UUID(int=5), 2**70),
        *(Precision.HIGH, Parts.A | Parts.B, date(2020, 1, 2), time(3, 4, 5, 6), datetime(2020, 1, 2, 3)),  # noqa: DTZ001  # one without a zone is a case
        *(datetime(2020, 1, 2, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=timezone(timedelta(hours=-2)))),
        *(timedelta(days=-1, microseconds=5), timedelta(), ["x" * 60, "y" * 60], {"k": "z" * 120}),
    ],
    ids=repr,
)
def test_a_value_comes_back_as_it_was(value: object) -> None:
    config = Params.compile(overrides={"anything": value.replace("${", "$${") if isinstance(value, str) else value})

    assert run(config.to_python())["params"].to_config() == config


def test_sections_variants_and_derived_values_come_back() -> None:
    config = Params.compile(
        overrides={
            "optimizer": "sgd",
            "optimizers": [{"kind": "adam", "lr": 5}, {"kind": "sgd"}],
            "groups": {"a.b": {"lr": 3}},
            "option": {},
            "inner.deep": 3,
        }
    )

    again = run(config.to_python())["params"].to_config()

    assert again == config
    assert again.fingerprint == config.fingerprint


def test_a_secret_is_left_out_with_a_word() -> None:
    text = Params.compile().to_python()

    assert "    # token is a secret, and left out\n" in text
    assert "hunter2" not in text


def test_a_template_that_cannot_be_imported_is_told() -> None:
    class Local(ConfigTemplate):
        lr: float = 0.1

    text = Local.compile().to_python()

    assert text.startswith("# Local is defined in a function of ")
    assert text.endswith("params = Local(lr=0.1)\n")


def test_a_type_of_its_own_is_written_as_its_field_has_it() -> None:
    text = Host.compile(overrides=["address=10.0.0.1"]).to_python()

    assert run(text)["params"].address == IPv4Address("10.0.0.1")


def test_an_untyped_configuration_is_written_too() -> None:
    config = Config.from_dict({"a": {"b.c": (1, float("nan"))}, "folder": Path("x")})

    assert run(config.to_python())["config"] == config
