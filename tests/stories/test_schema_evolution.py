"""A run that was begun by an older schema: opened, gone on with, or refused, and told what was done to it."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from typedcfg.cli.app import load_app
from typedcfg.cli.main import call
from typedcfg.records.run_record import read_run_record

Told = pytest.CaptureFixture[str]


RENAMED = ("lr: Annotated[float, Gt(0)] = 0.05", 'rate: Annotated[float, Gt(0), RenamedFrom("lr")] = 0.05')
IN_PERCENT = ("lr: Annotated[float, Gt(0)] = 0.05", "rate: Annotated[float, Gt(0)] = 5.0")

MIGRATION = """

@migrates(Tiny, from_version=1)
def call_it_rate(values: dict[str, Any]) -> dict[str, Any]:
    values["rate"] = FACTOR * values.pop("lr")
    return values


if __name__ =="""


@pytest.fixture
def run_of_version_1(tiny_app: str, tmp_path: Path, capsys: Told) -> Path:
    """A run that failed after its first epoch, in a repository that has no commit to tell of."""
    (tmp_path / ".git").mkdir()
    assert call(["run", tiny_app, "faults.crash_at=1"]) == 1
    capsys.readouterr()
    [folder] = (tmp_path / "experiments").iterdir()
    return folder


def grow(change: tuple[str, str], factor: str) -> None:
    """Write the second version of the schema, which is loaded from then on."""
    text = Path("tiny.py").read_text()
    text = text.replace(*change).replace("config.lr", f"config.rate / {factor}")
    text = text.replace("NotInIdentity, main", "NotInIdentity, RenamedFrom, main, migrates")
    text = text.replace("\n\nif __name__ ==", MIGRATION.replace("FACTOR", factor))
    Path("tiny.py").write_text(text)
    sys.modules.pop("tiny", None)


def test_a_run_bears_the_version_of_its_schema(run_of_version_1: Path) -> None:
    assert (run_of_version_1 / "run.yaml").read_text().startswith("$version: 1\n")
    assert read_run_record(run_of_version_1 / "run.json").template.version == 1


def test_it_is_resumed_told_of_and_recorded_where_it_is_the_same_run(run_of_version_1: Path, capsys: Told) -> None:
    written = (run_of_version_1 / "run.yaml").read_text()
    grow(RENAMED, "1")

    assert call(["resume", str(run_of_version_1), "~faults.crash_at"]) == 0

    told, record = capsys.readouterr(), read_run_record(run_of_version_1 / "run.json")
    assert "run.yaml is migrated by call_it_rate (1 -> 2)" in told.out.splitlines()
    assert "resumes after 1 epoch, 4 steps" in told.out
    assert "now called" not in told.err
    assert [attempt.migrated for attempt in record.attempts] == [(), ("call_it_rate (1 -> 2)",)]
    assert (record.status, record.template.version) == ("done", 2)
    # A setting was taken back, so the configuration was written anew, as today's schema reads it.
    assert yaml.safe_load(written)["lr"] == yaml.safe_load((run_of_version_1 / "run.yaml").read_text())["rate"] == 0.05
    assert (run_of_version_1 / "run.yaml").read_text().startswith("$version: 2\n")


def test_its_configuration_is_left_as_it_was_written_where_nothing_is_changed(run_of_version_1: Path) -> None:
    written = (run_of_version_1 / "run.yaml").read_bytes()
    grow(RENAMED, "1")

    assert call(["resume", str(run_of_version_1)]) == 1  # it still breaks in the same epoch

    assert (run_of_version_1 / "run.yaml").read_bytes() == written
    assert read_run_record(run_of_version_1 / "run.json").attempts[-1].migrated == ("call_it_rate (1 -> 2)",)


def test_it_is_not_resumed_where_the_migration_makes_another_run_of_it(run_of_version_1: Path, capsys: Told) -> None:
    before = (run_of_version_1 / "run.json").read_bytes()
    grow(IN_PERCENT, "100")

    assert call(["resume", str(run_of_version_1), "~faults.crash_at"]) == 2

    message = capsys.readouterr().err
    assert "run.yaml means another run once it is migrated: it has another fingerprint" in message
    assert "migrated by call_it_rate (1 -> 2), which changed" in message
    assert "rate: absent -> 5.0" in message
    assert "lr: 0.05 -> absent" in message
    assert "another run of it: typedcfg run " in message
    assert (run_of_version_1 / "run.json").read_bytes() == before


def test_its_configuration_opens_all_the_same(run_of_version_1: Path) -> None:
    grow(IN_PERCENT, "100")

    template: Any = load_app("tiny.py:Tiny")
    config = template.load(run_of_version_1 / "run.yaml")

    assert config.params.rate == 5.0
    assert [note.partition(" is ")[2] for note in config.notes] == ["migrated by call_it_rate (1 -> 2)"]


def test_it_is_shown_with_its_version_and_the_steps(run_of_version_1: Path, capsys: Told) -> None:
    grow(RENAMED, "1")
    call(["resume", str(run_of_version_1), "~faults.crash_at"])
    capsys.readouterr()

    assert call(["runs", "show", str(run_of_version_1)]) == 0

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["migrated", "by", "call_it_rate", "(1", "->", "2)"] in lines
    assert any(line[:2] == ["experiment", "class"] and line[-2:] == ["version", "2"] for line in lines)
