"""Whatever a file may say and compile, the schema takes: sections, variants, lists, references, `$` keys."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from typedcfg import ConfigTemplate, Kind, RenamedFrom, derived, section
from typedcfg.errors import ConfigError


class Loader(ConfigTemplate):
    batch_size: Annotated[int, Gt(0), RenamedFrom("bs", "data.size")] = 128
    readers: Annotated[int, Ge(0)] | None = None


class AdamW(ConfigTemplate):
    kind: Annotated[Literal["adamw"], Kind(renamed_from="adam")] = "adamw"
    lr: float = derived(lambda c: c.root.loader.batch_size / 128)
    betas: tuple[float, float] = (0.9, 0.999)


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1
    nesterov: bool = False


class Params(ConfigTemplate):
    loader: Loader
    optimizer: AdamW | Sgd = section(AdamW)
    spare: AdamW | Sgd | None = None
    layers: list[Loader] = []
    groups: dict[str, Sgd] = {}
    tags: dict[str, int | str] = {}
    name: str = "a"


VALIDATOR = Draft202012Validator(Params.json_schema())

references = st.sampled_from(["${loader.batch_size}", "${root.loader}", "${optimizer.lr}", "x-${name}", "${layers}"])
scalars = st.none() | st.booleans() | st.integers(-1, 3) | st.floats(0, 1) | st.sampled_from(["1", "on", "a", "sgd"])
values = st.one_of(scalars, scalars, references)


def mappings(fields: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the keys, and now and then one that says what to do."""
    instructions: dict[str, st.SearchStrategy[Any]] = {
        "$replace": st.sampled_from([True, False, "x"]),
        "$delete": st.sampled_from([[], "lr", ["batch_size"], ["name", "loader.bs"], [1]]),
        "$odd": scalars,
        "odd": scalars,
    }
    rare = st.sampled_from([{}] * 12 + [{name: strategy} for name, strategy in instructions.items()])
    return rare.flatmap(lambda extra: st.fixed_dictionaries(extra, optional=dict(fields)))


loaders = mappings({"batch_size": values, "bs": values, "readers": values})
optimizers = st.one_of(
    mappings(
        {"kind": st.sampled_from(["adamw", "adam"]), "lr": values, "betas": st.lists(values, max_size=3) | values}
    ),
    mappings({"kind": st.just("sgd"), "lr": values, "nesterov": values}),
    st.sampled_from(["sgd", "adam", "${spare}"]),
    values,
)
files = mappings(
    {
        # No null: it would compile beside `data.size`, which is moved here and replaces it.
        "loader": loaders | references,
        "optimizer": optimizers,
        "spare": optimizers,
        "layers": st.lists(loaders, max_size=2) | values,
        "groups": st.dictionaries(st.sampled_from(["a", "b.c", "$$d"]), optimizers, max_size=2) | values,
        "tags": st.dictionaries(st.sampled_from(["a", "b.c", "$$d", "$d", "$replace"]), values, max_size=2) | values,
        "name": values,
        "data": st.fixed_dictionaries({}, optional={"size": values}),
    }
)


def compiles(path: Path) -> bool:
    try:
        Params.compile(path)
    except ConfigError:
        return False
    return True


@pytest.mark.filterwarnings("ignore::typedcfg.errors.DeprecatedName")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files)
def test_what_compiles_is_taken(file: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "params.json")
        path.write_text(json.dumps(file))

        if compiles(path):
            assert [error.message for error in VALIDATOR.iter_errors(file)] == []
