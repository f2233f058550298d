"""What every released version of a schema has saved is opened by the newest: the same values, the same run."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from typedcfg.cli.main import call
from typedcfg.runner.lookup import summarize
from typedcfg.runner.recorded_config import rebuild
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import RunDir
from typedcfg.template.migrations import schema_version

GOLDEN = Path(__file__).parents[1] / "golden" / "schemas"
VERSIONS = sorted((path for path in GOLDEN.glob("v*") if path.is_dir()), key=lambda path: int(path.name[1:]))
FINGERPRINT = (GOLDEN / "fingerprint").read_text().strip()

every_version = pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.name)


def template_of(version: Path) -> Any:
    """The class as one version had it."""
    name = f"released_{version.name}"
    if name not in sys.modules:
        spec = spec_from_file_location(name, version / "template.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name].Sample


TODAY = template_of(VERSIONS[-1])


def test_the_newest_version_is_that_of_its_folder() -> None:
    assert [f"v{schema_version(template_of(path))}" for path in VERSIONS] == [path.name for path in VERSIONS]


@pytest.mark.parametrize("suffix", [".yaml", ".json", ".toml"])
@every_version
def test_a_saved_configuration_has_the_values_of_today(version: Path, suffix: str) -> None:
    config = TODAY.load(version / f"saved{suffix}")

    assert config == TODAY.compile(
        overrides=[
            *("loader.batch_size=8", "lr=0.02", "limit_s=120", "tags=[a, b]"),
            *("trainer.max_epochs=2", "trainer.accelerator=cpu"),
        ]
    )
    assert str(config.fingerprint) == FINGERPRINT


@every_version
def test_it_tells_the_migrations_it_went_through(version: Path) -> None:
    notes = TODAY.load(version / "saved.yaml").notes

    steps = ["count_in_seconds (1 -> 2)", "list_tags (2 -> 3)"][VERSIONS.index(version) :]
    assert [note.partition(" is migrated by ")[2] for note in notes if " migrated " in note] == steps


@every_version
def test_it_has_the_fingerprint_that_its_own_version_gave_it(version: Path) -> None:
    assert str(template_of(version).load(version / "saved.yaml").fingerprint) == FINGERPRINT


@every_version
def test_a_recorded_run_opens_as_the_run_that_it_was(version: Path) -> None:
    run = RunDir.at(version / "run")
    record = RunBook(run).record
    assert record is not None

    config, summary = rebuild(run, TODAY, {}), summarize(run, record)

    assert str(config.fingerprint) == record.identity.fingerprint == FINGERPRINT
    assert (summary.status, summary.epochs, str(summary.best)) == ("done", 2, "val/loss 1.55 in epoch 1")


@every_version
def test_a_recorded_run_is_shown(version: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["runs", "show", str(version / "run")]) == 0

    assert FINGERPRINT in capsys.readouterr().out
