"""Whatever a file may say and compile, the schema takes: sections, variants, lists, references, `$` keys."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt
from hypothesis import given, settings
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
counts = st.sampled_from([1, 2.0, "3", " 1_0 ", True, "${loader.batch_size * 2}"])
numbers = counts | st.sampled_from([0.5, "1e-3", float("inf"), "${optimizer.lr}"])
truths = st.sampled_from([True, "on", "No", 0, 1.0])
texts = st.sampled_from(["", "a", "x-${name}", "$${"])


def mostly(right: st.SearchStrategy[Any], wrong: st.SearchStrategy[Any] = scalars) -> st.SearchStrategy[Any]:
    """One of twenty is something else."""
    return st.integers(0, 19).flatmap(lambda number: right if number else wrong)


def mappings(fields: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the keys, and now and then one that says what to do, or that nobody declares."""
    deleted = st.sampled_from([[], "lr", ["batch_size"], ["name", "loader.batch_size"], [1]])
    extra = {"$replace": st.sampled_from([True, False, "x"]), "$delete": deleted, "$odd": scalars, "odd": scalars}
    added = mostly(
        st.just({}), st.sampled_from(list(extra)).flatmap(lambda name: st.fixed_dictionaries({name: extra[name]}))
    )
    return added.flatmap(
        lambda more: st.fixed_dictionaries({}, optional=dict(fields)).map(lambda file: {**more, **file})
    )


loaders = mappings({"batch_size": mostly(counts), "readers": mostly(counts | st.none())}) | mappings(
    {"bs": mostly(counts)}
)
adamws = mappings(
    {
        "kind": st.sampled_from(["adamw", "adam"]),
        "lr": mostly(numbers),
        "betas": mostly(st.lists(numbers, min_size=2, max_size=2), st.lists(numbers)),
    }
)
sgds = mappings({"kind": st.just("sgd"), "lr": mostly(numbers), "nesterov": mostly(truths)})
optimizers = mostly(adamws | sgds | st.sampled_from(["sgd", "adamw", "adam", "${optimizer}"]), scalars | references)
files = mappings(
    {
        # No null: it would compile beside `data.size`, which is moved here and replaces it.
        "loader": mostly(loaders, references),
        "optimizer": optimizers,
        "spare": optimizers | st.none(),
        "layers": mostly(st.lists(loaders, max_size=2) | st.just("${layers}"), scalars),
        "groups": mostly(st.dictionaries(st.sampled_from(["a", "b.c", "$$d"]), sgds, max_size=2)),
        "tags": mostly(st.dictionaries(st.sampled_from(["a", "$$d", "$d"]), mostly(counts | texts), max_size=2)),
        "name": mostly(texts),
        "data": mostly(st.fixed_dictionaries({}, optional={"size": counts})),
    }
)


def compiles(path: Path) -> bool:
    try:
        Params.compile(path)
    except ConfigError:
        return False
    return True


@pytest.mark.filterwarnings("ignore::typedcfg.errors.DeprecatedName")
@settings(max_examples=2 * settings().max_examples)
@given(files)
def test_what_compiles_is_taken(file: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "params.json")
        path.write_text(json.dumps(file))

        if compiles(path):
            assert [error.message for error in VALIDATOR.iter_errors(file)] == []
