import json

import pytest

from typedcfg import ConfigTemplate
from typedcfg.cli.main import call


class Loader(ConfigTemplate):
    batch_size: int = 128


class Params(ConfigTemplate):
    loader: Loader


def test_schema_prints_that_of_a_whole_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    code = call(["schema"], template=Params)

    assert code == 0
    assert json.loads(capsys.readouterr().out) == Params.json_schema()


def test_schema_prints_that_of_a_part(capsys: pytest.CaptureFixture[str]) -> None:
    call(["schema", "loader"], template=Params)

    assert json.loads(capsys.readouterr().out) == Params.json_schema("loader")


def test_schema_of_a_part_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code = call(["schema", "loadr"], template=Params)

    assert code == 2
    assert "did you mean  loader" in capsys.readouterr().err
