from pathlib import Path

import pytest

from typedcfg.errors import ConfigError
from typedcfg.origin import Origin
from typedcfg.sources.base import Layer, Source
from typedcfg.sources.environment import DotenvSource, EnvironmentSource, SecretsSource, environment_sources
from typedcfg.template.base import ConfigTemplate


class Digits(ConfigTemplate):
    seed: int = 0
    name: str = ""
    note: str = ""


def layers_of(source: Source) -> list[Layer]:
    return list(source.read())


def refusal(source: Source) -> str:
    with pytest.raises(ConfigError) as caught:
        list(source.read())
    return str(caught.value)


@pytest.fixture
def dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(".env")


def test_only_variables_with_the_prefix_are_read() -> None:
    environ = {"PATH": "/bin", "D__SEED": "3", "DIGITS_SEED": "4", "D_SEED": "5", "SEED": "6"}

    [layer] = layers_of(EnvironmentSource(Digits, "D__", environ))

    assert layer.roots == ({"seed": "3"},)
    assert layer.roots[0].origins == {"seed": Origin("variable D__SEED")}
    assert (layer.name, layer.strength) == ("environment", "environment")


def test_a_variable_with_the_prefix_and_no_key_is_refused() -> None:
    message = refusal(EnvironmentSource(Digits, "D__", {"D__SEEED": "3"}))

    assert "did you mean  D__SEED" in message


def test_sources_stand_weakest_first() -> None:
    sources = environment_sources(Digits, "D__", dotenv=".env", secrets_dir="secrets", environ={})

    assert [type(source) for source in sources] == [SecretsSource, DotenvSource, EnvironmentSource]


def test_only_the_environment_is_read_unless_more_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("D__SEED", "3")

    [source] = environment_sources(Digits, "D__")

    assert layers_of(source)[0].roots == ({"seed": "3"},)


# -- dotenv -----------------------------------------------------------------------------------------------------------


def test_a_dotenv_file_is_a_layer_with_lines(dotenv: Path) -> None:
    dotenv.write_text("# ours\n\nOTHER=1\nexport D__SEED=3 # three\n\n\nD__NAME='a b'\n")

    [layer] = layers_of(DotenvSource(Digits, "D__", dotenv))

    name, seed = layer.roots
    assert name == {"name": "a b"}
    assert seed == {"seed": "3"}
    assert (name.origins["name"], seed.origins["seed"]) == (Origin(".env", 7), Origin(".env", 4))
    assert (layer.name, layer.strength) == (".env", "dotenv")


def test_values_in_quotes_may_take_lines_and_escapes(dotenv: Path) -> None:
    dotenv.write_text('D__NAME="a\n\\"b\\""\nD__SEED=\n')

    [layer] = layers_of(DotenvSource(Digits, "D__", dotenv))

    assert layer.roots == ({"name": 'a\n"b"'}, {"seed": ""})
    assert layer.roots[1].origins["seed"] == Origin(".env", 3)


def test_nothing_is_expanded(dotenv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHO", "me")
    dotenv.write_text("D__NAME=${WHO}$WHO\n")

    [layer] = layers_of(DotenvSource(Digits, "D__", dotenv))

    assert layer.roots == ({"name": "${WHO}$WHO"},)


def test_lines_without_the_prefix_are_not_looked_at(dotenv: Path) -> None:
    dotenv.write_text("not a line\nX='open\nD=1\n")

    assert layers_of(DotenvSource(Digits, "D__", dotenv)) == []


def test_problems_of_a_dotenv_file_are_told_at_once(dotenv: Path) -> None:
    dotenv.write_text("D__SEED\nD__NAME='hunter2\nD__NOPE=1\nD__NOTE=1\nD__NOTE=2\n")

    message = refusal(DotenvSource(Digits, "D__", dotenv))

    assert "4 problems" in message
    for words in ("D__SEED has no value", ".env:1", "D__NAME cannot be read", ".env:2", "D__NOPE sets no key"):
        assert words in message
    assert "both set note" in message
    assert ".env:4" in message
    assert "hunter2" not in message


def test_a_missing_dotenv_file_is_refused(dotenv: Path) -> None:
    message = refusal(DotenvSource(Digits, "D__", dotenv))

    assert "no file '.env'" in message
    assert "dotenv=" in message


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_each_file_with_the_prefix_is_one_value(tmp_path: Path) -> None:
    (tmp_path / "d__name").write_text("hunter2\n\n")
    (tmp_path / "D__SEED").write_bytes(b"3\r\n")
    (tmp_path / "other").write_bytes(b"\xff")

    [layer] = layers_of(SecretsSource(Digits, "D__", tmp_path))

    assert layer.roots == ({"seed": "3"}, {"name": "hunter2\n"})
    assert layer.roots[0].origins == {"seed": Origin(str(tmp_path / "D__SEED"))}
    assert (layer.name, layer.strength) == (str(tmp_path), "secrets directory")


def test_problems_of_a_folder_are_told_at_once_and_show_no_value(tmp_path: Path) -> None:
    (tmp_path / "D__NOPE").write_text("hunter2")
    (tmp_path / "D__NAME").write_bytes(b"hunter2\xff")
    (tmp_path / "D__SEED").mkdir()

    message = refusal(SecretsSource(Digits, "D__", tmp_path))

    assert "3 problems" in message
    for words in ("D__NOPE sets no key", "D__NAME is not UTF-8", "D__SEED cannot be read"):
        assert words in message
    assert "hunter2" not in message
    assert "0xff" not in message


def test_a_missing_secrets_folder_is_refused(tmp_path: Path) -> None:
    message = refusal(SecretsSource(Digits, "D__", tmp_path / "nope"))

    assert "secrets folder" in message
    assert "secrets_dir=" in message


def test_an_empty_folder_is_no_layer(tmp_path: Path) -> None:
    assert layers_of(SecretsSource(Digits, "D__", tmp_path)) == []
