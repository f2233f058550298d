from pathlib import Path

import pytest

from typedcfg.cli.completion.files import SETTINGS, apps, files, templates_in


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("base.yaml", "notes.txt", "app.py", "parts/small.toml", ".env"):
        (tmp_path / name).write_text("")


def texts(word: str) -> list[str]:
    return [candidate.text for candidate in files(word, SETTINGS)]


def test_files_of_settings_and_folders_are_offered() -> None:
    assert texts("") == ["base.yaml", "parts/"]


def test_a_folder_is_entered() -> None:
    assert texts("parts/s") == ["parts/small.toml"]
    assert texts("./parts/") == ["./parts/small.toml"]


def test_a_folder_that_is_not_there_offers_nothing() -> None:
    assert texts("nope/") == []


@pytest.mark.parametrize("word", [":", "..:", "~nobody/", "~nobody/app.py:", "latin.py:"])
def test_where_nothing_can_be_found_nothing_is_offered(word: str, tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"name = '\xe9'\nclass App(ConfigTemplate): ...\n")

    assert list(apps(word)) == []


def test_hidden_files_are_offered_where_their_dot_is_typed() -> None:
    assert [candidate.text for candidate in files(".")] == [".env", ".git/"]


def test_folders_may_be_all_that_is_wanted() -> None:
    assert [candidate.text for candidate in files("", ())] == ["parts/"]


def test_a_python_file_is_completed_up_to_its_colon() -> None:
    assert [candidate.text for candidate in apps("a")] == ["app.py:"]


@pytest.mark.parametrize("place", ["app.py", "app", "package", "package.inner", "package/inner.py"])
def test_behind_the_colon_stand_the_templates_of_a_file_or_module(place: str, tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    for name in ("app.py", "package/__init__.py", "package/inner.py"):
        (tmp_path / name).write_text("raise SystemExit('imported')\nclass App(ConfigTemplate): ...\n")

    assert [candidate.text for candidate in apps(f"{place}:")] == [f"{place}:App"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("class A(typedcfg.ConfigTemplate): ...", ("A",)),
        ("from typedcfg import Experiment as Base\nclass A(Base): ...\nclass B(A): ...", ("A", "B")),
        ("class Loader(ConfigTemplate): ...\nclass A(Experiment): ...", ("A",)),
        ("from elsewhere import Base\nclass A(Base): ...", ("A",)),
        ("class A(ConfigTemplate): ...\nclass Net(nn.Module): ...", ("A",)),
        ("def f(): ...", ()),
        ("class A(", ()),
    ],
)
def test_templates_are_found_without_running_a_file(source: str, found: tuple[str, ...]) -> None:
    assert templates_in(source) == found
