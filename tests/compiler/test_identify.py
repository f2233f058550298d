"""Which run a configuration is, with the code as git knows it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from uuid import UUID, uuid5

import pytest

from typedcfg import ConfigTemplate, Experiment
from typedcfg.compiler.identify import code_version_of, run_names, source_folder
from typedcfg.identity.code_version import OUTSIDE_GIT


class Params(ConfigTemplate):
    lr: float = 0.1


class Digits(Experiment):
    lr: float = 0.1


@pytest.fixture
def module(tmp_path: Path) -> Iterator[ModuleType]:
    """A module that lies in a folder outside every repository, with this file's templates declared in it."""
    found = ModuleType("somewhere")
    found.__file__ = str(tmp_path / "somewhere.py")
    sys.modules["somewhere"] = found
    yield found
    del sys.modules["somewhere"]


@pytest.fixture
def elsewhere(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> type[Digits]:
    monkeypatch.setattr(Digits, "__module__", module.__name__)
    return Digits


def commit(folder: Path) -> str:
    """Put a folder under git, all of it, and return the commit."""
    (folder / "train.py").write_text("x = 1\n", encoding="utf-8")
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "Begin"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    told = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return told.stdout.strip()


def test_the_source_of_a_template_says_which_repository_is_meant(elsewhere: type[Digits], tmp_path: Path) -> None:
    assert source_folder(elsewhere) == tmp_path
    assert source_folder(Params) == Path(__file__).parent


def test_a_template_typed_into_a_shell_lies_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Params, "__module__", "no_such_module")

    assert source_folder(Params) == tmp_path


def test_outside_git_the_configuration_alone_makes_the_run(elsewhere: type[Digits]) -> None:
    one, other = elsewhere.compile(), elsewhere.compile(overrides=["lr=0.2"])

    assert one.identity.experiment_id == OUTSIDE_GIT
    assert one.identity.code_uuid == UUID("78787878-7878-7878-7878-787878787878")
    assert one.run_uuid == uuid5(one.identity.code_uuid, one._identity_text)
    assert one.run_uuid == elsewhere.compile().run_uuid != other.run_uuid


def test_the_commit_and_what_differs_from_it_make_other_runs(elsewhere: type[Digits], tmp_path: Path) -> None:
    before = elsewhere.compile().run_uuid
    head = commit(tmp_path)
    clean = elsewhere.compile().identity
    (tmp_path / "train.py").write_text("x = 2\n", encoding="utf-8")
    dirty = elsewhere.compile().identity

    assert clean.experiment_id == dirty.experiment_id == head
    assert clean.code_uuid == clean.experiment_uuid
    assert len({before, clean.run_uuid, dirty.run_uuid}) == 3


def test_what_runs_leave_behind_makes_no_other_run(elsewhere: type[Digits], tmp_path: Path) -> None:
    commit(tmp_path)
    config = elsewhere.compile(overrides={"run.project_root": tmp_path / "runs"})
    before = code_version_of(config.params)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "copied.py").write_text("x = 1\n", encoding="utf-8")

    assert code_version_of(config.params) == before


def test_a_section_belongs_to_the_run_of_the_whole(elsewhere: type[Digits]) -> None:
    config = elsewhere.compile()

    assert config["run"].run_uuid == config.run_uuid


def test_git_is_asked_once(elsewhere: type[Digits]) -> None:
    config = elsewhere.compile()

    assert config.identity is config.identity


def test_names_come_from_the_run_section_or_the_class() -> None:
    assert run_names(Params()) == ("params", "run")
    assert run_names(Digits.compile().params) == ("digits", "run")
    named = Digits.compile(overrides=["run.experiment_name=mnist", "run.run_name=wide"])
    assert run_names(named.params) == ("mnist", "wide")
    assert named.fingerprint == Digits.compile().fingerprint
