from typing import Annotated, Literal

import pytest
from pydantic import SecretStr

from typedcfg import ConfigTemplate, NotInIdentity, section
from typedcfg.compiler.diff import diff, is_same
from typedcfg.compiler.shape import ABSENT
from typedcfg.errors import ConfigError


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


@pytest.mark.parametrize(
    ("other", "fix"), [({"limit": 2}, "config.diff(config.merge({...}))"), (Params(), "section.to_config()")]
)
def test_what_is_no_configuration_cannot_be_compared(other: object, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Params.compile().diff(other)  # type: ignore[arg-type]  # which is the point

    assert caught.value.problems[0].fix.startswith(fix)


def test_a_difference_names_both_values_and_where_the_new_one_comes_from() -> None:
    assert told("limit=2") == ["limit: 1 -> 2  (default -> overrides[0])"]


def test_numbers_of_another_type_differ() -> None:
    assert told("limit=1.0") == ["limit: 1 -> 1.0  (default -> overrides[0])"]


def test_what_bears_on_no_outcome_is_marked() -> None:
    assert told("workers=4") == ["workers: 2 -> 4  (default -> overrides[0], not in the identity)"]


def test_keys_of_another_variant_come_and_go() -> None:
    assert told("optimizer=sgd") == [
        "optimizer.kind: adamw -> sgd  (default -> overrides[0])",
        "optimizer.momentum: absent -> 0.9  (default)",
        "optimizer.betas: [0.9, 0.999] -> absent  (default)",
    ]


def test_of_a_secret_one_learns_that_it_differs() -> None:
    assert told("token=a") == []
    assert told("token=b") == [
        "token: a secret, not shown -> a secret, not shown  (default -> overrides[0], not in the identity)"
    ]


def test_a_difference_has_both_values_and_both_origins() -> None:
    config = Params.compile(overrides=["limit=2", "optimizer=sgd"])

    by_key = {difference.key: difference for difference in config.diff(Params.compile())}

    assert (by_key["limit"].before, by_key["limit"].now) == (2, 1)
    assert (by_key["limit"].before_origin, by_key["limit"].now_origin) == ("overrides[0]", "default")
    assert by_key["optimizer.momentum"].now is ABSENT
    assert by_key["optimizer.betas"].before is ABSENT
    assert by_key["optimizer.betas"].path == ("optimizer", "betas")
    assert not by_key["limit"].is_derived


@pytest.mark.parametrize(
    ("one", "other"), [(0.0, -0.0), (1, True), (1, 1.0), ([1], [1.0]), ({"a": 1}, {"a": True}), ("1", 1), ([], None)]
)
def test_what_only_looks_equal_differs(one: object, other: object) -> None:
    assert not is_same(one, other)
    assert not is_same(other, one)
    assert is_same(one, one)


def test_sections_of_lists_and_mappings_come_and_go() -> None:
    class Model(ConfigTemplate):
        layers: list[Sgd] = [Sgd()]
        groups: dict[str, Sgd] = {"a.b": Sgd()}
        option: Sgd | None = None

    before = Model.compile()
    now = Model.compile(overrides={"layers": [{}, {}], "groups": {"c": {}}, "option": {"momentum": 0.5}})

    assert [str(difference).partition("  ")[0] for difference in before.diff(now)] == [
        "layers[1].kind: absent -> sgd",
        "layers[1].momentum: absent -> 0.9",
        "groups.c.kind: absent -> sgd",
        "groups.c.momentum: absent -> 0.9",
        "option.kind: absent -> sgd",
        "option.momentum: absent -> 0.5",
        "option: null -> absent",
    ]


def test_what_is_shared_is_not_compared() -> None:
    config = Params.compile()

    assert diff(config, config) == ()
