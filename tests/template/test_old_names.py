"""Names that were given up, as they are called today."""

from typing import Annotated, Literal

import pytest

from typedcfg import ConfigTemplate, RenamedFrom, section
from typedcfg.key_path import parse_key_path, render_key_path
from typedcfg.template.old_names import present_path


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    momentum: Annotated[float, RenamedFrom("beta")] = 0.9


class Adam(ConfigTemplate):
    kind: Literal["adam"] = "adam"
    eps: Annotated[float, RenamedFrom("epsilon", "numerics.eps")] = 1e-8


class Loader(ConfigTemplate):
    batch_size: Annotated[int, RenamedFrom("bs")] = 1


class Params(ConfigTemplate):
    loader: Annotated[Loader, RenamedFrom("data.loader")]
    loaders: Annotated[list[Loader], RenamedFrom("readers")] = []
    named: dict[str, Loader] = {}
    optimizer: Sgd | Adam = section(Sgd)
    free: Annotated[dict[str, int], RenamedFrom("options")] = {}


@pytest.mark.parametrize(
    ("old", "today"),
    [
        ("loader.bs", "loader.batch_size"),
        ("data.loader", "loader"),
        ("data.loader.bs", "loader.batch_size"),
        ("readers[2].bs", "loaders[2].batch_size"),
        ("named.x.bs", "named.x.batch_size"),
        ("optimizer.beta", "optimizer.momentum"),
        ("optimizer.epsilon", "optimizer.eps"),
        ("numerics.eps", "optimizer.eps"),
        ("options.a.b", "free.a.b"),
    ],
)
def test_an_old_name_leads_to_todays(old: str, today: str) -> None:
    assert render_key_path(present_path(Params, parse_key_path(old))) == today


@pytest.mark.parametrize("key", ["loader.batch_size", "nope", "loader.nope", "data", "loader"])
def test_what_is_no_old_name_stays(key: str) -> None:
    assert render_key_path(present_path(Params, parse_key_path(key))) == key
