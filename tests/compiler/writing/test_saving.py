import os
import stat
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import pytest
from annotated_types import Gt
from pydantic import SecretStr

from typedcfg import Config, ConfigTemplate, derived, section
from typedcfg.errors import ConfigError, RecordError, UnsupportedValue

FORMATS = (".yaml", ".yml", ".json", ".toml")


class Shape(Enum):
    FLAT = (1, 2)
    DEEP = "deep"


class Layer(ConfigTemplate):
    width: Annotated[int, Gt(0)] = 1
    token: SecretStr


class Params(ConfigTemplate):
    layer: Layer
    layers: list[Layer] = []
    half: float = derived(lambda c: c.layer.width / 2)
    sizes: dict[str, int] = {"a": 1, "b": 2}
    groups: dict[str, Layer] = {}
    clip: float | None = 1.0
    note: str | None = None
    shape: Shape = Shape.DEEP
    price: Decimal = Decimal("1.50")
    value: Any = 0


def compiled(**given: Any) -> Config[Params]:
    return Params.compile(presets=[{"layer": {"token": "hunter2"}, **given}])


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_saved_is_loaded(tmp_path: Path, suffix: str) -> None:
    config = compiled(
        sizes={"$c": 3, "$replace": 4}, value={"x": [1.0, "$${y}"], "$own": [[]]}, groups={"g.1": {"token": "t"}}
    )
    file = tmp_path / f"run{suffix}"

    config.save(file)

    loaded = Params.compile(file, overrides={"layer.token": "hunter2", 'groups["g.1"].token': "t"})
    assert loaded == config
    assert loaded.fingerprint == config.fingerprint
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_configuration_of_secrets_alone_is_saved(tmp_path: Path, suffix: str) -> None:
    class Secrets(ConfigTemplate):
        token: SecretStr

    config, file = Secrets.compile(overrides=["token=hunter2"]), tmp_path / f"run{suffix}"

    config.save(file)

    assert "hunter2" not in file.read_text()
    assert Secrets.compile(file, overrides=["token=hunter2"]) == config


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("sizes", [{}, {"b": 2}, {"b": 2, "a": 1}, {"a": 1, "c": 3}])
def test_a_default_does_not_show_through_what_is_saved(tmp_path: Path, suffix: str, sizes: dict[str, int]) -> None:
    config = Params(layer=Layer(token=SecretStr("x")), sizes=sizes).to_config()
    config.save(tmp_path / f"run{suffix}")

    loaded = Params.compile(tmp_path / f"run{suffix}", overrides={"layer.token": "x"})

    assert list(loaded.params.sizes.items()) == list(sizes.items())


def test_derived_values_are_saved_as_they_are(tmp_path: Path) -> None:
    compiled().save(tmp_path / "run.yaml")

    loaded = Params.compile(tmp_path / "run.yaml", overrides={"layer.token": "x", "layer.width": 8})

    assert loaded.params.half == 0.5


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_secret_is_named_where_a_comment_can_and_never_written(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"run{suffix}"
    compiled().save(file)

    text = file.read_text(encoding="utf-8")

    assert "hunter2" not in text
    assert ("# layer.token is a secret, and not written" in text) == (suffix != ".json")


def test_a_section_is_saved_as_a_configuration_of_its_own(tmp_path: Path) -> None:
    config = Params.compile(presets=[{"layer": {"token": "x", "width": 3}}])["layer"]

    config.save(tmp_path / "layer.toml")

    assert Layer.compile(tmp_path / "layer.toml", overrides={"token": "x"}) == config


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"value": (1, 2)}, "value = [1, 2] (tuple) would come back as [1, 2] (list)"),
        ({"value": [{"a": date(2026, 1, 2)}]}, "value[0].a = 2026-01-02 (date) would come back as '2026-01-02' (str)"),
        ({"value": [{1, 2}]}, "value[0] = [1, 2] (set) would come back as [1, 2] (list)"),
        ({"value": Shape.DEEP}, "value = 'deep' (Shape) would come back as 'deep' (str)"),
        ({"value": Path("a")}, "value = 'a' (PosixPath) would come back as 'a' (str)"),
        ({"value": complex(1, 2)}, "value = (1+2j) (complex) would come back as '1.0+2.0j' (str)"),
        ({"shape": Shape.FLAT}, "shape = [1, 2] is wrong, once it is saved"),
        ({"value": "\ud800"}, "value is a text with half of a surrogate pair, at column 1: it has no UTF-8"),
        ({"value": [{"\udcff": 1}]}, "value[0] is a text with half of a surrogate pair, at column 1: it has no UTF-8"),
        ({"value": 1 << 5000}, "value is an integer of 5001 bits, and 4096 are read"),
    ],
)
@pytest.mark.parametrize("suffix", FORMATS)
def test_what_would_come_back_as_another_value_is_refused(
    tmp_path: Path, suffix: str, given: dict[str, Any], told: str
) -> None:
    file = tmp_path / f"run{suffix}"
    file.write_text("before", encoding="utf-8")

    with pytest.raises(UnsupportedValue) as caught:
        compiled(**given).save(file)

    assert [problem.what for problem in caught.value.problems] == [told]
    assert caught.value.problems[0].fix
    assert file.read_text(encoding="utf-8") == "before"
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("given", "key"),
    [({"clip": None}, "clip"), ({"value": [1, None]}, "value[1]"), ({"value": {"a": None}}, "value.a")],
)
def test_null_has_no_word_in_toml_and_is_left_out_only_where_it_is_the_default(
    tmp_path: Path, given: dict[str, Any], key: str
) -> None:
    compiled(note=None).save(tmp_path / "run.toml")

    with pytest.raises(UnsupportedValue, match="TOML has no word for") as caught:
        compiled(**given).save(tmp_path / "run.toml")

    assert [problem.what.split(" ")[0] for problem in caught.value.problems] == [key]
    compiled(**given).save(tmp_path / "run.json")


def test_all_that_cannot_be_saved_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedValue) as caught:
        compiled(value={"a": (1,), "b": {2}, "c": 3}).save(tmp_path / "run.yaml")

    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("name", ["run", "run.txt", "run.py"])
def test_a_suffix_that_names_no_format_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="has no format") as caught:
        compiled().save(tmp_path / name)

    assert caught.value.problems[0].expected == ".yaml, .yml, .json or .toml"


@pytest.mark.parametrize("name", ["a\0b.yaml", "run\0"])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"'(a|run)\\x00.*' is the name of no file: it holds a NUL character"):
        compiled().save(name)


def test_what_a_link_names_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "kept.yaml"
    target.write_text("", encoding="utf-8")
    target.chmod(0o600)
    (tmp_path / "link.yaml").symlink_to(target)

    compiled().save(tmp_path / "link.yaml")

    assert (tmp_path / "link.yaml").is_symlink()
    assert "width: 1" in target.read_text(encoding="utf-8")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "run.yaml"
    compiled().save(file)
    before = file.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RecordError, match=r"cannot write run\.yaml: No space left on device"):
        compiled(value=2).save(file)

    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run.yaml"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"cannot write run\.yaml"):
        compiled().save(tmp_path / "nowhere" / "run.yaml")


def test_saving_changes_nothing(tmp_path: Path) -> None:
    config = compiled()
    before = (config.plain(), config.fingerprint, config.explain())

    config.save(tmp_path / "run.toml")

    assert (config.plain(), config.fingerprint, config.explain()) == before


class Nested(ConfigTemplate):
    options: dict[str, dict[str, int]] = {"a": {"x": 1, "y": 2}}
    inner: Params = section(Params)


def test_a_default_deep_in_a_mapping_does_not_show_through(tmp_path: Path) -> None:
    config = Nested.compile(overrides={"inner.layer.token": "x"})
    assert "$replace" not in config.to_yaml()
    changed = Nested(options={"a": {"x": 1}}, inner=config.params.inner).to_config()

    changed.save(tmp_path / "run.yaml")

    assert "$replace: true" in changed.to_yaml()
    assert Nested.compile(tmp_path / "run.yaml", overrides={"inner.layer.token": "x"}) == changed
