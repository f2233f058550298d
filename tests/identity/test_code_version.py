import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID, uuid5

import pytest

from typedcfg.errors import RunError
from typedcfg.identity.code_version import CodeVersion, read_code_version, uuid_of_experiment

NOWHERE = UUID("78787878-7878-7878-7878-787878787878")


@pytest.fixture(autouse=True)
def _no_settings_but_these(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    settings = tmp_path / "gitconfig"
    settings.write_text("[user]\nname = A\nemail = a@example.org\n[init]\ndefaultBranch = main\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def commit_all(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "x")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clean work tree with a module, a text, a file that is ignored, and a sub-folder."""
    folder = tmp_path / "my wörk"
    folder.mkdir()
    git(folder, "init", "--quiet")
    write(
        folder,
        {"train.py": "a = 1\n", "notes.txt": "one\n", "sub/für alle.py": "b = 2\n\n", ".gitignore": "*.tmp.py\n"},
    )
    commit_all(folder)
    return folder


def tree_of_commit_with(folder: Path, *new: str) -> str:
    """The tree that git itself would commit, with these new files: the oracle."""
    git(folder, "add", "--update")
    git(folder, "add", "--", *new) if new else None
    tree = git(folder, "write-tree")
    git(folder, "reset", "--quiet")
    return tree


def everything_in(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_clean_tree_is_its_commit(repository: Path) -> None:
    code = read_code_version(repository)

    assert code.commit == code.experiment_id == git(repository, "rev-parse", "HEAD")
    assert code.tree_id == git(repository, "rev-parse", "HEAD^{tree}")
    assert (code.is_dirty, code.patch, code.why_unknown) == (False, b"", "")
    assert code.code_uuid == code.experiment_uuid == UUID(bytes=code.experiment_id[:16].encode())


def test_a_changed_file_is_other_code(repository: Path) -> None:
    write(repository, {"notes.txt": "two\n"})

    code = read_code_version(repository)

    assert code.is_dirty
    assert code.tree_id == tree_of_commit_with(repository)
    assert code.code_uuid == uuid5(code.experiment_uuid, code.tree_id)


@pytest.mark.parametrize("change", ["staged", "unstaged"])
def test_it_does_not_matter_whether_a_change_is_staged(repository: Path, change: str) -> None:
    (repository / "notes.txt").unlink()
    write(repository, {"train.py": "a = 2\n", "new.py": ""})
    expected = tree_of_commit_with(repository, "new.py")
    if change == "staged":
        git(repository, "add", "--all")

    assert read_code_version(repository).tree_id == expected


def test_a_change_that_was_staged_and_taken_back_is_no_change(repository: Path) -> None:
    write(repository, {"train.py": "a = 2\n"})
    git(repository, "add", "train.py")
    write(repository, {"train.py": "a = 1\n"})

    assert not read_code_version(repository).is_dirty


def test_a_file_that_was_only_touched_is_no_change(repository: Path) -> None:
    os.utime(repository / "train.py", (1, 1))

    assert not read_code_version(repository).is_dirty


def test_new_python_files_count_and_other_new_files_do_not(repository: Path) -> None:
    write(repository, {"results.csv": "1", "scratch.tmp.py": "", "deep/er/new.py": "c = 3\n"})

    code = read_code_version(repository)

    assert code.tree_id == tree_of_commit_with(repository, "deep/er/new.py")
    assert b"+c = 3" in code.patch
    assert b"results.csv" not in code.patch


def test_a_file_that_git_forgets_is_gone_and_its_content_not_recorded(repository: Path) -> None:
    git(repository, "rm", "--quiet", "--cached", "notes.txt")
    write(repository, {"notes.txt": "now private\n"})

    code = read_code_version(repository)

    assert code.is_dirty
    assert b"now private" not in code.patch


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_change_that_git_was_told_to_overlook_is_seen(repository: Path, flag: str) -> None:
    git(repository, "update-index", flag, "train.py")
    assert not read_code_version(repository).is_dirty

    write(repository, {"train.py": "a = 2\n"})

    assert b"+a = 2" in read_code_version(repository).patch


def test_a_conflict_is_read_as_it_stands_in_the_work_tree(repository: Path) -> None:
    git(repository, "switch", "--quiet", "-c", "other")
    write(repository, {"train.py": "a = 3\n"})
    commit_all(repository)
    git(repository, "switch", "--quiet", "main")
    write(repository, {"train.py": "a = 4\n"})
    commit_all(repository)
    subprocess.run(["git", "-C", str(repository), "merge", "other"], check=False, capture_output=True)

    assert b"+<<<<<<< HEAD" in read_code_version(repository).patch


def test_what_runs_write_is_left_out(repository: Path) -> None:
    write(repository, {"experiments/kept.json": "{}"})
    commit_all(repository)
    write(repository, {"experiments/kept.json": "[]", "experiments/run-1/copy.py": "", "experiments/staged.txt": ""})
    git(repository, "add", "experiments/staged.txt")

    assert not read_code_version(repository, leave_out=repository / "experiments").is_dirty
    assert read_code_version(repository).is_dirty


@pytest.mark.parametrize("leave_out", [".", "..", "../elsewhere", "not/there"])
def test_a_folder_that_does_not_lie_in_the_repository_hides_nothing(repository: Path, leave_out: str) -> None:
    write(repository, {"train.py": "a = 2\n"})

    assert read_code_version(repository, leave_out=repository / leave_out).is_dirty


def test_any_folder_of_the_work_tree_speaks_for_all_of_it(repository: Path) -> None:
    write(repository, {"train.py": "a = 2\n", "sub/x/new.py": ""})

    assert read_code_version(repository / "sub" / "x") == read_code_version(repository)


def test_a_linked_work_tree_is_read_for_itself(repository: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git(repository, "worktree", "add", "--quiet", "--detach", str(linked))
    write(repository, {"train.py": "a = 2\n"})
    write(linked, {"train.py": "a = 3\n"})

    assert b"+a = 3" in read_code_version(linked).patch


def test_variables_of_the_caller_name_no_other_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(repository, {"train.py": "a = 2\n"})
    expected = read_code_version(repository)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")

    assert read_code_version(repository) == expected


def test_the_repository_is_not_written_to(repository: Path) -> None:
    write(repository, {"train.py": "a = 2\n", "new.py": "", "notes.txt": "one\n"})
    before = everything_in(repository)

    assert read_code_version(repository).is_dirty

    assert everything_in(repository) == before


def test_a_path_with_the_separator_of_object_folders_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / 'a:b "c"'
    folder.mkdir()
    git(folder, "init", "--quiet")
    write(folder, {"train.py": "a = 1\n"})
    commit_all(folder)
    write(folder, {"train.py": "a = 2\n"})

    assert b"+a = 2" in read_code_version(folder).patch


def test_the_patch_turns_the_commit_into_the_code(repository: Path, tmp_path: Path) -> None:
    write(repository, {"train.py": "a = 'é'\n".encode("latin-1"), "new.py": "\n\n", "notes.txt": b"\0binary\xff"})
    (repository / "sub" / "für alle.py").unlink()
    code = read_code_version(repository)
    git(tmp_path, "clone", "--quiet", str(repository), "clone")
    (tmp_path / "git.patch").write_bytes(code.patch)

    git(tmp_path / "clone", "apply", "--index", str(tmp_path / "git.patch"))

    assert git(tmp_path / "clone", "write-tree") == code.tree_id


def test_the_patch_does_not_depend_on_git_settings(repository: Path, tmp_path: Path) -> None:
    write(
        repository,
        {
            "train.py": "a = 2\n",
            "new.py": "\n",
            "für.py": "x\n",
            "sub/für alle.py": "b = 3\n\n",
            ".gitattributes": "*.py diff=loud\n",
        },
    )
    git(repository, "add", ".gitattributes")
    (repository / "notes.txt").rename(repository / "renamed.py")
    expected = read_code_version(repository)
    settings = tmp_path / "gitconfig"

    with settings.open("a") as file:
        file.write(
            "[diff]\nnoprefix = true\nmnemonicPrefix = true\nexternal = false\ncontext = 0\nrenames = copies\n"
            "algorithm = patience\nsuppressBlankEmpty = true\nrelative = true\nsubmodule = log\n"
            "ignoreSubmodules = all\n"
            '[diff "loud"]\ncommand = false\ntextconv = "tr a-z A-Z <"\n'
            "[color]\nui = always\n[core]\nquotePath = true\nabbrev = 4\npager = false\nfsmonitor = false\n"
            "[status]\nshowUntrackedFiles = no\nrelativePaths = false\nrenames = copies\nbranch = true\n"
        )

    assert read_code_version(repository) == expected


def test_a_submodule_counts_with_what_was_changed_in_it(repository: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "--quiet")
    write(library, {"lib.py": "l = 1\n"})
    commit_all(library)
    git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "vendor/lib")
    commit_all(repository)
    git(repository, "config", "submodule.vendor/lib.ignore", "all")
    clean = read_code_version(repository)
    versions = [clean]
    for content in ("l = 2\n", "l = 3\n"):
        write(repository, {"vendor/lib/lib.py": content})
        versions.append(read_code_version(repository))

    assert [code.is_dirty for code in versions] == [False, True, True]
    assert len({code.code_uuid for code in versions}) == 3
    assert b"+++ b/vendor/lib/lib.py" in versions[-1].patch

    new_commit = commit_all(repository / "vendor/lib")
    assert f"+Subproject commit {new_commit}".encode() in read_code_version(repository).patch


def test_a_submodule_that_is_not_checked_out_counts_as_what_is_staged(repository: Path) -> None:
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor/lib")
    (repository / "vendor" / "lib").mkdir(parents=True)
    write(repository, {"train.py": "a = 2\n"})

    code = read_code_version(repository)

    assert b"+Subproject commit 1111111111" in code.patch
    assert b"+a = 2" in code.patch


def test_outside_git_there_is_no_commit(tmp_path: Path) -> None:
    code = read_code_version(tmp_path)

    assert (code.commit, code.experiment_id, code.is_dirty) == (None, "x" * 16, False)
    assert code.code_uuid == code.experiment_uuid == NOWHERE
    assert code.why_unknown.startswith("not a git repository")


def test_without_git_there_is_no_commit(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert read_code_version(repository) == CodeVersion.outside("git is not on PATH")


def test_a_git_that_fails_without_a_word_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = tmp_path / "git"
    silent.write_text("#!/bin/sh\nexit 3\n")
    silent.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert read_code_version(tmp_path).why_unknown == "git exits with 3, and does not say why"


def test_a_repository_that_git_distrusts_is_as_if_outside(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setattr("typedcfg.identity.code_version._KEPT_VARIABLES", ("GIT_",))

    code = read_code_version(repository)

    assert code.commit is None
    assert "dubious ownership" in code.why_unknown


def test_before_the_first_commit_the_code_is_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "fresh"
    folder.mkdir()
    git(folder, "init", "--quiet")
    empty = read_code_version(folder)
    write(folder, {"train.py": "a = 1\n", "notes.txt": ""})

    code = read_code_version(folder)

    assert (empty.code_uuid, empty.is_dirty) == (NOWHERE, False)
    assert code.experiment_uuid == NOWHERE
    assert code.code_uuid == uuid5(NOWHERE, tree_of_commit_with(folder, "train.py"))
    assert "no commit yet" in code.why_unknown


def test_a_broken_repository_is_an_error(repository: Path) -> None:
    (repository / ".git" / "index").write_bytes(b"not an index")

    with pytest.raises(RunError, match="git cannot say what the code is: `git status` exits with 128"):
        read_code_version(repository)


def test_an_experiment_id_of_any_length_has_a_uuid() -> None:
    assert uuid_of_experiment("") == NOWHERE
    assert uuid_of_experiment("a" * 40) == UUID(bytes=b"a" * 16)
