"""Inputs that nobody means, and that must neither crash nor hang, nor run anything."""

import dataclasses
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ImportString, SecretStr

from typedcfg import ConfigError, ConfigTemplate
from typedcfg.compiler.compile import compile_sources
from typedcfg.errors import TemplateError, UnsupportedValue
from typedcfg.sources.overrides import split_arguments


class Params(ConfigTemplate):
    name: str = ""
    free: dict[str, Any] = {}
    token: SecretStr | None = None


@pytest.mark.parametrize(
    "path", ["x" * 300 + ".yaml", "a\0b.yaml", "a/../\ud800.yaml", "/".join(["x" * 200] * 30) + ".yaml"]
)
def test_a_file_that_can_have_no_such_name_is_a_problem(path: str) -> None:
    with pytest.raises(ConfigError, match=r"files\[0\]"):
        Params.compile(path)


@pytest.mark.parametrize("token", ["a b=" + "x" * 5000, "x/y=" + "z" * 5000, "a\0b=1"])
def test_an_argument_of_any_length_is_answered(token: str) -> None:
    files, overrides = split_arguments([(1, token)])

    assert not files
    with pytest.raises(ConfigError, match="argument 1"):
        compile_sources(Params, [overrides])


def test_a_key_path_has_a_bound() -> None:
    with pytest.raises(ConfigError, match="more than 200 steps"):
        Params.compile(overrides=["free" + ".a" * 1000 + "=1"])


def test_a_quoted_key_may_hold_an_equals_sign() -> None:
    config = Params.compile(overrides=['free["a=b"]=1', "free['c=d']=2"])

    assert config.params.free == {"a=b": 1, "c=d": 2}


def test_references_that_double_again_and_again_have_a_bound() -> None:
    laughs = {f"a{i + 1}": f"${{free.a{i}}}" * 10 for i in range(9)}

    with pytest.raises(ConfigError, match="more than 1,000,000 characters"):
        Params.compile(presets=[{"free": {"a0": "lol", **laughs}}])


def test_bytes_that_are_no_text_are_refused_where_they_would_be_written() -> None:
    class Model(ConfigTemplate):
        key: bytes = b"\xff\xfe"

    with pytest.raises(UnsupportedValue, match=r"Model\.key holds a bytes"):
        Model.compile().plain()


@dataclasses.dataclass
class Point:
    x: int = 0


@pytest.mark.parametrize("kind", [ImportString, deque[int], bytearray, Point, list[Point], Iterable[int]])
def test_types_that_run_code_or_can_change_are_refused(kind: Any) -> None:
    model: Any = type("Model", (ConfigTemplate,), {"__annotations__": {"field": kind}, "__module__": __name__})

    with pytest.raises(TemplateError, match=r"Model\.field"):
        model.compile()


def test_what_a_file_names_is_never_imported(tmp_path: Path) -> None:
    evil = tmp_path / "evil.yaml"
    evil.write_text("name: !!python/object/apply:os.system ['true']\n")

    with pytest.raises(ConfigError, match=r"evil\.yaml:1:7"):
        Params.compile(evil)
