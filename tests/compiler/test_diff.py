from typing import Annotated, Literal

from pydantic import SecretStr

from typedcfg import ConfigTemplate, NotInIdentity, section
from typedcfg.compiler.diff import diff


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    betas: tuple[float, float] = (0.9, 0.999)


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    momentum: float = 0.9


class Params(ConfigTemplate):
    limit: int | float = 1
    workers: Annotated[int, NotInIdentity()] = 2
    token: SecretStr = SecretStr("a")
    optimizer: AdamW | Sgd = section(AdamW)


def told(*overrides: str) -> list[str]:
    return [str(difference) for difference in diff(Params.compile(), Params.compile(overrides=overrides))]


def test_equal_configurations_do_not_differ() -> None:
    assert told() == []


def test_a_difference_names_both_values_and_where_the_new_one_comes_from() -> None:
    assert told("limit=2") == ["limit: 1 -> 2  (overrides[0])"]


def test_numbers_of_another_type_differ() -> None:
    assert told("limit=1.0") == ["limit: 1 -> 1.0  (overrides[0])"]


def test_what_bears_on_no_outcome_is_marked() -> None:
    assert told("workers=4") == ["workers: 2 -> 4  (overrides[0], not in the identity)"]


def test_keys_of_another_variant_come_and_go() -> None:
    assert told("optimizer=sgd") == [
        "optimizer.kind: adamw -> sgd  (overrides[0])",
        "optimizer.momentum: absent -> 0.9  (default)",
        "optimizer.betas: [0.9, 0.999] -> absent",
    ]


def test_secrets_are_not_compared() -> None:
    assert told("token=b") == []
