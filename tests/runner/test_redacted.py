import json
import subprocess
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Secret, SecretStr

from typedcfg import ConfigTemplate, RenamedFrom
from typedcfg.identity.code_version import read_code_version
from typedcfg.runner.redacted import recorded_patch, recorded_words


class Database(ConfigTemplate):
    user: str = "u"
    password: SecretStr = SecretStr("")


class Params(ConfigTemplate):
    token: Annotated[SecretStr | None, RenamedFrom("api.token")] = None
    pin: Secret[int] | None = None
    more: dict[str, SecretStr] = {}
    database: Database
    lr: float = 0.1


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("token='it''s me'", "token=**********"),
        (r'token="hunter\x32secret"', "token=**********"),
        ("--token='it''s me'", "--token=**********"),
        ("pin=1_234_567", "pin=**********"),
        ("database={user: a, password: 'it''s me'}", "database=**********"),
        ("database.user=a", "database.user=a"),
        ("more.first='it''s me'", "more.first=**********"),
        ("more+={first: 'it''s me'}", "more+=**********"),
        ("api={token: 'it''s me'}", "api=**********"),
        ("lr=0.3", "lr=0.3"),
        ("it/is=a/file.yaml", "it/is=a/file.yaml"),
    ],
)
def test_what_a_word_sets_for_a_secret_is_hidden_however_it_is_written(word: str, told: str) -> None:
    assert recorded_words(["run", word], Params.compile()) == ("run", told)


def test_the_word_behind_a_flag_is_hidden_with_it() -> None:
    assert recorded_words(["--pin", "0x1F90F", "--lr", "1"], Params.compile()) == ("--pin", "**********", "--lr", "1")


def test_a_secret_is_hidden_wherever_else_a_word_has_it() -> None:
    config = Params.compile(overrides={"token": "hunter2"})

    assert recorded_words(["run", "hunter2.yaml"], config) == ("run", "**********.yaml")


def git(folder: Path, *words: str) -> None:
    author = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", "-C", str(folder), *author, *words], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("base.yaml", 'a "b" é.yaml', "notes.txt"):
        (tmp_path / name).write_text("lr: 0.1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def patch_of(folder: Path, **settings: Any) -> str:
    (folder / "notes.txt").write_text("the token is elsewhere\n")
    config = Params.compile(*folder.glob("*.yaml"), overrides=settings)
    return recorded_patch(read_code_version(folder).patch, config).decode()


@pytest.mark.parametrize("name", ["base.yaml", 'a "b" é.yaml'])
@pytest.mark.parametrize(
    "text", ["token: 'it''s me'", 'token: "hunter\\x32"', "token: >\n  it's\n  me", "database: {password: 'it''s me'}"]
)
def test_of_a_file_with_a_secret_no_line_is_in_the_patch(repository: Path, name: str, text: str) -> None:
    (repository / name).write_text(f"lr: 0.2\n{text}\n")

    told = patch_of(repository)

    assert f"{name} differs, and is left out" in told
    assert not any(part in told for part in ("it's", "it''s", "hunter", "0.2"))
    assert "+the token is elsewhere" in told


def test_a_secret_that_was_taken_out_of_a_file_is_not_in_the_patch_either(repository: Path) -> None:
    (repository / "base.yaml").write_text("token: 'it''s me'\n")
    git(repository, "commit", "-q", "-a", "-m", "second")
    (repository / "base.yaml").write_text("lr: 0.2\n")

    assert "it''s" not in patch_of(repository, token="it's me")


def test_a_patch_without_a_file_still_applies(repository: Path) -> None:
    (repository / "base.yaml").write_text(json.dumps({"token": "it's me"}))
    told = patch_of(repository)
    git(repository, "checkout", "-q", ".")

    (repository / "git.patch").write_text(told)
    git(repository, "apply", "git.patch")

    assert (repository / "notes.txt").read_text() == "the token is elsewhere\n"
    assert (repository / "base.yaml").read_text() == "lr: 0.1\n"


def test_a_file_that_only_sets_other_things_stays_in_the_patch(repository: Path) -> None:
    (repository / "base.yaml").write_text("lr: 0.2\n")

    assert "+lr: 0.2" in patch_of(repository, token="it's me")
