"""What every source of ours promises; a new one gets a class here."""

from pathlib import Path

import pytest

from typedcfg.sources.base import Source
from typedcfg.sources.environment import DotenvSource, EnvironmentSource, SecretsSource
from typedcfg.sources.files import FileSource
from typedcfg.sources.mapping import MappingSource
from typedcfg.sources.overrides import override_source, split_arguments
from typedcfg.template.base import ConfigTemplate
from typedcfg.testing import SourceContract


class Params(ConfigTemplate):
    lr: float = 0.1
    widths: list[int] = []
    tags: dict[str, str] = {}


VARIABLES = {"D__LR": "0.2", "D__WIDTHS__0": "${lr}", "D__TAGS": "{a: b}"}
TREE = "lr: 0.2\nwidths: [1, 2, {a: [3]}]\ntags: {a: '${lr}', b: {}}\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("secrets").mkdir()
    Path("secrets", "D__WHAT").write_text("")
    for name, value in VARIABLES.items():
        Path("secrets", name).write_text(value)


class TestMapping(SourceContract):
    def make_source(self) -> Source:
        return MappingSource("wide", {"lr": 0.2, "widths": [1, {"a": [2]}], "tags": {"a": "${lr}"}})

    def make_broken_source(self) -> Source:
        endless: dict[str, object] = {}
        endless["again"] = endless
        return MappingSource("endless", endless)


class TestFiles(SourceContract):
    def make_source(self) -> Source:
        Path("part.yaml").write_text("a: [1]\nb: ${a}\n")
        Path("base.yaml").write_text(TREE + "part: {$extends: part.yaml, $delete: c, d: {$replace: true}}\n")
        Path("wide.json").write_text('{"$extends": "base.yaml", "widths": [1, {"a": [2]}], "tags": {"c": "${lr}"}}')
        Path("last.toml").write_text('"$extends" = "wide.json"\ntags = {d = "${lr}"}\n')
        return FileSource(["last.toml"])

    def make_broken_source(self) -> Source:
        Path("wrong.yaml").write_text("lr: 0.2\nlr: 0.3\n")
        return FileSource(["wrong.yaml", "none.yaml"])


class TestEnvironment(SourceContract):
    def make_source(self) -> Source:
        return EnvironmentSource(Params, "D__", VARIABLES)

    def make_broken_source(self) -> Source:
        return EnvironmentSource(Params, "D__", {"D__WHAT": "1"})


class TestDotenv(SourceContract):
    def make_source(self) -> Source:
        Path(".env").write_text("".join(f"{name}='{value}'\n" for name, value in VARIABLES.items()))
        return DotenvSource(Params, "D__", ".env")

    def make_broken_source(self) -> Source:
        Path(".env").write_text("D__LR\nD__WHAT=1\n")
        return DotenvSource(Params, "D__", ".env")


class TestSecrets(SourceContract):
    def make_source(self) -> Source:
        Path("secrets", "D__WHAT").unlink()
        return SecretsSource(Params, "D__", "secrets")

    def make_broken_source(self) -> Source:
        return SecretsSource(Params, "D__", "secrets")


class TestOverridesInCode(SourceContract):
    def make_source(self) -> Source:
        return override_source({"lr": 0.2, "widths": [1, {"a": [2]}], "widths[0]": "${lr}", "tags.a": {"b": {}}})

    def make_broken_source(self) -> Source:
        return override_source({"lr[": 0.2})


class TestCommandLine(SourceContract):
    def make_source(self) -> Source:
        _, overrides = split_arguments([(1, "lr=0.2"), (2, "widths[0]=${lr}"), (3, "~tags.a"), (4, "tags={a: b}")])
        return overrides

    def make_broken_source(self) -> Source:
        _, overrides = split_arguments([(1, "-lr=0.2")])
        return overrides
