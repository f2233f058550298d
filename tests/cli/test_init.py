import json
from pathlib import Path
from typing import Annotated

import pytest
from annotated_types import Gt

from typedcfg import ConfigTemplate
from typedcfg.cli.main import call


class DigitsCnn(ConfigTemplate):
    width: Annotated[int, Gt(0)] = 24


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_init_writes_a_file_and_the_schema_that_it_names(capsys: pytest.CaptureFixture[str]) -> None:
    code = call(["init"], template=DigitsCnn)

    assert code == 0
    assert capsys.readouterr().out == "wrote digits_cnn.yaml and digits_cnn.schema.json\n"
    assert "$schema=digits_cnn.schema.json\n" in Path("digits_cnn.yaml").read_text()
    assert json.loads(Path("digits_cnn.schema.json").read_text())["title"] == "DigitsCnn"
    assert DigitsCnn.compile("digits_cnn.yaml") == DigitsCnn.compile()


def test_init_writes_where_it_is_told_to() -> None:
    Path("conf").mkdir()

    call(["init", "conf/wide.yml"], template=DigitsCnn)

    assert sorted(path.name for path in Path("conf").iterdir()) == ["digits_cnn.schema.json", "wide.yml"]


def test_init_replaces_no_file_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    Path("digits_cnn.yaml").write_text("width: 3\n")

    code = call(["init"], template=DigitsCnn)

    assert code == 2
    assert "digits_cnn.yaml is there already" in capsys.readouterr().err
    assert [path.read_text() for path in Path().iterdir()] == ["width: 3\n"]


def test_init_replaces_a_file_by_force() -> None:
    Path("digits_cnn.yaml").write_text("width: 3\n")

    code = call(["init", "--force"], template=DigitsCnn)

    assert code == 0
    assert "# width: 24" in Path("digits_cnn.yaml").read_text()


@pytest.mark.parametrize(
    ("file", "complaint"),
    [("a.toml", "'a.toml' is no YAML file"), ("conf/a.yaml", "make the folder first: mkdir -p conf")],
)
def test_init_refuses_a_file_that_it_cannot_write(
    file: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = call(["init", file], template=DigitsCnn)

    assert code == 2
    assert complaint in capsys.readouterr().err
    assert not list(Path().iterdir())
