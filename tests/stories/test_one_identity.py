"""The same values make the same run, however they were written; any other value makes another."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import create_model

from typedcfg import Config, ConfigTemplate, NotInIdentity, derived, section
from typedcfg.compiler.compile import compile_sources
from typedcfg.sources.overrides import split_arguments
from typedcfg.template.leaves import iter_leaves

MODULE = """
from pathlib import Path
from typing import Literal

from typedcfg import ConfigTemplate, derived, section


class Layer(ConfigTemplate):
    width: int = 8


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = 0.2


class Params(ConfigTemplate):
    epochs: int = 1
    scale: float = 1.0
    name: str = "x"
    folder: Path = Path("a")
    flag: bool = False
    nothing: int | None = 3
    strides: list[int] = []
    words: set[str] = set()
    rates: dict[str, float] = {}
    layers: list[Layer] = []
    optimizer: AdamW | Sgd = section(AdamW)
    half: float = derived(lambda c: c.epochs / 2)
"""
VALUES: dict[str, Any] = {
    "epochs": 7,
    "scale": 2.0,
    "name": "12",
    "folder": "b/c",
    "flag": True,
    "nothing": None,
    "strides": [2, 4],
    "words": ["p", "q", "r"],
    "rates": {"a.b": 1e-05, "c": 3.0},
    "layers": [{"width": 16}, {}],
    "optimizer": {"kind": "sgd", "lr": 0.25},
}
YAML = """
optimizer: {lr: 0.25, kind: sgd}
layers:
- width: 0x10
- {}
rates: {c: 3, a.b: 1e-5}
words: [r, q, p]
strides: [2, 4]
nothing: ~
flag: true
folder: ./b//c
name: '12'
scale: 2
epochs: 7
"""
TOML = """
epochs = 7
scale = 2.0
name = "12"
folder = "b/c"
flag = true
strides = [2, 4]
words = ["q", "p", "r"]
layers = [{width = 16}, {}]
rates = {c = 3, "a.b" = 1e-5}
optimizer = {kind = "sgd", lr = 0.25}
"""
ARGUMENTS = [
    *("epochs=7", "scale=2", "name=12", "folder=b/c", "flag=true", "nothing=null", "strides=[2, 4]", "words=[p, r, q]"),
    *("rates['a.b']=1e-5", "rates={c: 3}", "layers=[{width: 16}, {}]", "optimizer.lr=0.25", "optimizer=sgd"),
]
VARIABLES = {
    "P__EPOCHS": "7",
    "P__SCALE": "2.0",
    "P__NAME": "12",
    "P__FOLDER": "b/c",
    "P__FLAG": "true",
    "P__NOTHING": "null",
    "P__STRIDES": "[2, 4]",
    "P__WORDS": "[q, r, p]",
    "P__RATES": "{a.b: 1e-5, c: 3}",
    "P__LAYERS": "[{width: 16}, {}]",
    "P__OPTIMIZER__LR": "0.25",
    "P__OPTIMIZER": "sgd",
}


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The template, in a module of the current folder, as a user's script would hold it."""
    monkeypatch.chdir(tmp_path)
    Path("one_identity.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import one_identity  # type: ignore[import-not-found]  # written a line above

    yield one_identity.Params
    del sys.modules["one_identity"]


def written(template: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Config[Any]]:
    """One configuration in every form that it can be written in."""
    Path("a.yaml").write_text(YAML, encoding="utf-8")
    Path("a.json").write_text(json.dumps(VALUES), encoding="utf-8")
    Path("b.json").write_text(json.dumps(dict(reversed(VALUES.items()))), encoding="utf-8")
    Path("a.toml").write_text(TOML, encoding="utf-8")
    Path("null.yaml").write_text("nothing: null", encoding="utf-8")
    found = {
        "yaml": template.compile("a.yaml"),
        "json": template.compile("a.json"),
        "json in another order": template.compile("b.json"),
        "toml, which has no null": template.compile("a.toml", "null.yaml"),
        "preset": template.compile(presets=[VALUES]),
        "overrides": template.compile(overrides=ARGUMENTS),
        "overrides in another order": template.compile(overrides=ARGUMENTS[::-1]),
        "overrides by key path": template.compile(overrides=VALUES),
        "command line": compile_sources(template, [split_arguments(list(enumerate(ARGUMENTS)))[1]]),
        "python": template.model_validate(VALUES).to_config(),
    }
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    return {**found, "environment": template.compile(env_prefix="P__")}


def test_the_same_values_have_one_fingerprint_however_they_are_written(
    params: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = written(params, monkeypatch)

    assert len({str(config.fingerprint) for config in configs.values()}) == 1
    assert len(set(configs.values())) == 1


def test_the_fingerprint_is_the_same_in_every_process(params: Any) -> None:
    Path("a.yaml").write_text(YAML, encoding="utf-8")
    code = "from one_identity import Params; print(Params.compile('a.yaml').fingerprint)"
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
        ).stdout.strip()
        for seed in ("0", "1", "2")
    }

    assert told == {str(params.compile("a.yaml").fingerprint)}


# --- generated templates --------------------------------------------------------------------------------------------

LEAVES: dict[str, tuple[Any, Any, Any]] = {
    "integer": (int, 1, 2),
    "number": (float, 0.5, 1.5),
    "text": (str, "a", "b"),
    "truth": (bool, False, True),
    "option": (int | None, None, 0),
    "choice": (Literal["a", "b"], "a", "b"),
    "items": (list[int], [1], [1, 2]),
    "empty": (list[int], [], [0]),
    "mapping": (dict[str, int], {"a": 1}, {"a": 2}),
    "anything": (Any, 1, 1.0),
}
"""A type, its default, and another value."""


def template_of(names: list[str], bears: list[bool], sections: list[type[ConfigTemplate]]) -> type[ConfigTemplate]:
    fields: dict[str, Any] = {}
    for number, (name, does) in enumerate(zip(names, bears, strict=True)):
        annotation, default, _ = LEAVES[name]
        fields[f"f{number}_{name}"] = (annotation if does else Annotated[annotation, NotInIdentity()], default)
    for number, inner in enumerate(sections):
        fields[f"s{number}"] = (inner, section(inner))
        fields[f"l{number}"] = (list[inner], [inner()])  # type: ignore[valid-type]  # a type made at run time
    return create_model("Generated", __base__=ConfigTemplate, **fields)


def templates(depth: int = 1) -> st.SearchStrategy[type[ConfigTemplate]]:
    names = st.lists(st.sampled_from(sorted(LEAVES)), min_size=1, max_size=4)
    inner = st.lists(templates(depth - 1), max_size=1) if depth else st.just([])
    return names.flatmap(
        lambda chosen: st.builds(
            template_of,
            st.just(chosen),
            st.lists(st.booleans(), min_size=len(chosen), max_size=len(chosen)),
            inner,
        )
    )


@given(templates())
def test_every_leaf_that_bears_on_the_outcome_changes_the_fingerprint_and_no_other(
    template: type[ConfigTemplate],
) -> None:
    config = template.compile()

    for leaf in iter_leaves(config.params):
        key = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in leaf.path)[1:]
        changed = template.compile(overrides={key: LEAVES[leaf.entry.name.partition("_")[2]][2]})
        assert (changed.fingerprint != config.fingerprint) == leaf.is_in_identity
        assert changed != config


@given(templates())
def test_a_default_that_is_written_out_changes_nothing(template: type[ConfigTemplate]) -> None:
    config = template.compile()

    assert template.compile(presets=[config.plain()]).fingerprint == config.fingerprint


def test_a_derived_value_is_in_as_a_value() -> None:
    class ByFormula(ConfigTemplate):
        a: int = 2
        b: int = derived(lambda c: c.a * 3)

    class ByHand(ConfigTemplate):
        a: int = 2
        b: int = 6

    assert ByFormula.compile().fingerprint == ByHand.compile().fingerprint
    assert ByFormula.compile(overrides=["a=3"]).fingerprint != ByHand.compile(overrides=["a=3"]).fingerprint
