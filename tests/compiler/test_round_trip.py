"""What is written is read back: for generated templates and values, in every format."""

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from types import GenericAlias
from typing import Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcfg import Config, ConfigTemplate, section
from typedcfg.compiler.writing.saving import losses
from typedcfg.errors import UnsupportedValue


class Colour(Enum):
    RED = "red"
    ONE = 1
    HALF = 0.5
    TRUE = True


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Small(ConfigTemplate):
    kind: Literal["small"] = "small"
    width: int = 1


class Large(ConfigTemplate):
    kind: Literal["large"] = "large"
    name: str = "${"
    free: dict[str, int] = {"a": 1}


TEXTS = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    [
        "on",
        "null",
        "1",
        "1e3",
        "0x1",
        "~",
        "",
        " ",
        "${a}",
        "$${a}",
        "$a",
        "$extends",
        "true",
        "2026-01-02",
        "a\nb",
        "\x00",
    ]
)
ZONES = st.none() | st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(
    lambda offset: timezone(timedelta(minutes=offset // timedelta(minutes=1)))
)
PLAIN: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (bool, st.booleans()),
    (int, st.integers(-(2**200), 2**200)),
    (float, st.floats()),
    (str, TEXTS),
    (bytes, TEXTS.map(str.encode)),
    (Path, TEXTS.map(PurePosixPath).map(Path)),
    (Colour, st.sampled_from(Colour)),
    (Level, st.sampled_from(Level)),
    (datetime, st.datetimes(timezones=ZONES)),
    (date, st.dates()),
    (time, st.times()),
    (timedelta, st.timedeltas()),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (UUID, st.uuids()),
    (
        complex,
        st.complex_numbers(),
    ),
    (
        Any,
        st.recursive(
            st.booleans() | st.integers() | st.floats() | TEXTS,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
            max_leaves=6,
        ),
    ),
    (Small, st.builds(Small, width=st.integers())),
    (
        Small | Large,
        st.builds(Small, width=st.integers())
        | st.builds(Large, name=TEXTS, free=st.dictionaries(TEXTS, st.integers(), max_size=2)),
    ),
]


def fields() -> st.SearchStrategy[tuple[Any, st.SearchStrategy[Any]]]:
    """A type, and the values of it."""

    def containers(one: tuple[Any, st.SearchStrategy[Any]]) -> st.SearchStrategy[tuple[Any, st.SearchStrategy[Any]]]:
        kind, values = one
        found: list[tuple[Any, st.SearchStrategy[Any]]] = [
            one,
            (GenericAlias(list, kind), st.lists(values, max_size=3)),
            (GenericAlias(dict, (str, kind)), st.dictionaries(TEXTS, values, max_size=3)),
        ]
        if kind is not Any and not (isinstance(kind, type) and issubclass(kind, ConfigTemplate)):
            found.append((kind | None, st.none() | values))
        if kind in (int, str, bytes, Path, UUID, date, Level):
            found.append((GenericAlias(tuple, (kind, ...)), st.lists(values, max_size=3).map(tuple)))
            found.append((GenericAlias(frozenset, kind), st.frozensets(values, max_size=3)))
            found.append((GenericAlias(dict, (kind, int)), st.dictionaries(values, st.integers(), max_size=3)))
            found.append(
                (GenericAlias(list, GenericAlias(list, kind)), st.lists(st.lists(values, max_size=2), max_size=2))
            )
        return st.sampled_from(found)

    return st.sampled_from(PLAIN).flatmap(containers)


@st.composite
def configurations(draw: st.DrawFn) -> Config[Any]:
    """A template of some fields with defaults, within another, and other values for some of the fields."""
    drawn = draw(st.dictionaries(st.sampled_from(["a", "on", "b_1", "é"]), fields(), min_size=1, max_size=3))
    inner: Any = type(
        "Inner",
        (ConfigTemplate,),
        {
            "__annotations__": {name: kind for name, (kind, _) in drawn.items()},
            **{name: draw(values) for name, (_, values) in drawn.items()},
        },
    )
    outer: Any = type(
        "Outer",
        (ConfigTemplate,),
        {"__annotations__": {"x": inner, "many": GenericAlias(list, inner)}, "x": section(inner), "many": []},
    )
    made = [
        inner(**{n: draw(v) for n, (_, v) in drawn.items() if draw(st.booleans())})
        for _ in range(draw(st.integers(1, 2)))
    ]
    config: Config[Any] = outer(x=made[0], many=made[1:]).to_config()
    return config


@pytest.mark.parametrize("suffix", [".yaml", ".json", ".toml"])
@given(config=configurations())
def test_a_configuration_comes_back(suffix: str, config: Config[Any]) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, f"run{suffix}")
        try:
            config.save(file)
        except UnsupportedValue as error:
            if suffix != ".toml" or "TOML has no word for" not in str(error):
                raise
            return

        loaded = type(config.params).load(file)

    assert loaded == config
    assert loaded.fingerprint == config.fingerprint


@given(config=configurations())
def test_origins_behind_the_values_change_none(config: Config[Any]) -> None:
    assert losses(config, config.to_yaml(origins=True), ".yaml") == ()
