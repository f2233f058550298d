from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from typedcfg import ConfigTemplate, derived
from typedcfg.compiler.writing.saving import losses


class Loader(ConfigTemplate):
    batch_size: int = 128


class Optimizer(ConfigTemplate):
    lr: float = derived(lambda c: c.root.loader.batch_size / 128 * 0.01)


class Layer(ConfigTemplate):
    width: int = 1


class Params(ConfigTemplate):
    loader: Loader
    optimizer: Optimizer
    layers: list[Layer] = [Layer(), Layer(width=2)]
    sizes: list[int] = [1, 2]
    tags: dict[str, Any] = {"a": [1]}
    text: str = ""
    warmup: int = 0
    token: SecretStr = SecretStr("hunter2")


WIDE = """\
text: "one\\ntwo # three"
loader:
  batch_size: 256
layers: [{width: 5}]
tags: {b: {c: 2}}
warmup: ${loader.batch_size}
"""


@pytest.fixture
def wide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("wide.yaml").write_text(WIDE, encoding="utf-8")
    return "wide.yaml"


def test_a_line_says_where_its_value_came_from(wide: str) -> None:
    text = Params.compile(wide, overrides=["sizes[1]=4"]).to_yaml(origins=True)

    assert text == (
        "# token is a secret, and not written\n"
        "loader:\n"
        "  batch_size: 256  # wide.yaml:3:3\n"
        "optimizer:\n"
        "  lr: 0.02  # derived: loader.batch_size / 128 * 0.01  <- wide.yaml:3:3\n"
        "layers:\n"
        "  - width: 5  # wide.yaml:4:11\n"
        "sizes:\n"
        "  - 1  # default\n"
        "  - 4  # overrides[0]\n"
        "tags:\n"
        "  a: [1]  # default\n"
        "  b:      # wide.yaml:5:8\n"
        "    c: 2\n"
        'text: "one\\ntwo # three"  # wide.yaml:1:1\n'
        "warmup: 256               # ${loader.batch_size}  <- wide.yaml:6:1\n"
    )


def test_a_section_says_it_of_its_own_values(wide: str) -> None:
    config = Params.compile(wide)["optimizer"]

    assert config.to_yaml(origins=True) == "lr: 0.02  # derived: loader.batch_size / 128 * 0.01  <- wide.yaml:3:3\n"


@pytest.mark.parametrize("name", ["a\nb.yaml", "a # b.yaml", "a\x85\u2028.yaml", "é '\".yaml", "\t.yaml"])
def test_no_name_of_a_file_breaks_the_document(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text(WIDE, encoding="utf-8")
    config = Params.compile(file, overrides=['tags={"x\\n- y": {z: 1}}'])

    assert not losses(config, config.to_yaml(origins=True), ".yaml")


def test_several_settings_of_one_mapping_are_told_key_by_key() -> None:
    text = Params.compile(presets=[{"tags": {"b": {"c": 1}}}], overrides=["tags.b.d=2"]).to_yaml(origins=True)

    lines = [line.split() for line in text.splitlines()]
    assert ["c:", "1", "#", "presets[0]"] in lines
    assert ["d:", "2", "#", "overrides[0]"] in lines


class Tagged(ConfigTemplate):
    tags: dict[str, int] = {"a": 1}


class Named(ConfigTemplate):
    parts: dict[str, Tagged] = {}


def test_what_is_whole_is_found_below_a_key_that_begins_with_a_dollar(tmp_path: Path) -> None:
    config = Named.compile(presets=[{"parts": {"$own": {}}}], overrides=["parts['$own'].tags={$replace: true, b: 1}"])

    config.save(tmp_path / "saved.yaml")

    assert Named.load(tmp_path / "saved.yaml").params.parts["$own"].tags == {"b": 1}
