import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from typedcfg.cli.main import call
from typedcfg.records.result_record import read_results
from typedcfg.records.run_record import read_run_record

Command = Callable[..., int]
Folder = Callable[[], Path]
Told = pytest.CaptureFixture[str]


@pytest.fixture
def failed(command: Command, folder: Folder, tmp_path: Path, capsys: Told) -> Path:
    """A run that failed after its first epoch, in a repository that has no commit to tell of."""
    (tmp_path / ".git").mkdir()
    code = command("run", "APP", "faults.crash_at=1", "token=hunter2")
    assert code == 1
    capsys.readouterr()
    return folder()


@pytest.fixture
def told(capsys: Told) -> Told:
    return capsys


@pytest.mark.parametrize("word", ["folder", "name", "id", "run_id"])
def test_a_run_is_resumed_by_its_folder_or_the_beginning_of_its_id(word: str, failed: Path, told: Told) -> None:
    identity = read_run_record(failed / "run.json").identity
    words = {"folder": str(failed), "name": failed.name, "id": identity.id[:10], "run_id": identity.run_id[:6]}

    assert call(["resume", words[word], "~faults.crash_at", "token=hunter2"]) == 0

    assert "resumes after 1 epoch, 4 steps" in told.readouterr().out
    assert read_run_record(failed / "run.json").status == "done"


def test_a_run_that_lost_its_record_goes_on_and_says_so(command: Command, failed: Path, told: Told) -> None:
    (failed / "run.json").unlink()

    assert command("run", "APP", "~faults.crash_at", "token=hunter2") == 0

    assert ", which its record does not know" in told.readouterr().out
    [attempt] = read_run_record(failed / "run.json").attempts
    assert (attempt.resumed_from or "").endswith("/checkpoints/step-00000004.ckpt")
    assert list(read_results(failed / attempt.folder / "results.jsonl")) == [1, 2, 3]
    assert not attempt.is_bitwise


@pytest.mark.parametrize(
    ("content", "what"),
    [(None, "run.yaml is lost"), ("{{{", "run.yaml is damaged: "), ("lr: 0.5\n", "run.yaml is not")],
)
def test_a_configuration_that_is_lost_or_damaged_is_written_anew(
    command: Command, failed: Path, told: Told, content: str | None, what: str
) -> None:
    config = failed / "run.yaml"
    config.unlink()
    if content is not None:
        config.write_text(content)

    assert command("run", "APP", "~faults.crash_at", "token=hunter2") == 0

    assert f"warning: {what}" in told.readouterr().err
    assert "lr: 0.05" in config.read_text()
    assert read_run_record(failed / "run.json").attempts[-1].resumed_from is not None
    assert [path.read_text() for path in failed.glob("run.yaml.damaged*")] == ([] if content is None else [content])


@pytest.mark.parametrize(("content", "what"), [(None, "is lost"), ("{{{", "is damaged: ")])
def test_a_resume_says_what_to_do_about_a_configuration_that_is_lost_or_damaged(
    failed: Path, told: Told, content: str | None, what: str
) -> None:
    (failed / "run.yaml").unlink()
    if content is not None:
        (failed / "run.yaml").write_text(content)

    assert call(["resume", str(failed), "token=hunter2"]) == 2

    message = told.readouterr().err
    assert f"run.yaml {what}" in message
    assert "`typedcfg run`, as the run was begun, writes it anew" in message


@pytest.mark.parametrize("content", [b"", b'{"status": "done"}'])
def test_a_record_that_is_damaged_is_set_aside_and_the_run_goes_on(
    command: Command, failed: Path, told: Told, content: bytes
) -> None:
    (failed / "run.json.damaged").write_bytes(b"an earlier one")
    (failed / "run.json").write_bytes(content)

    assert call(["resume", str(failed), "token=hunter2"]) == 1
    assert "`typedcfg run`, as the run was begun, sets it aside" in told.readouterr().err
    assert command("run", "APP", "~faults.crash_at", "token=hunter2") == 0

    assert (failed / "run.json.damaged").read_bytes() == b"an earlier one"
    assert (failed / "run.json.damaged.2").read_bytes() == content
    assert "it is kept as experiments/" in told.readouterr().err
    [attempt] = read_run_record(failed / "run.json").attempts
    assert (attempt.resumed_from or "").endswith("/checkpoints/step-00000004.ckpt")
    assert not attempt.is_bitwise


def test_an_older_copy_of_the_record_costs_no_attempt(command: Command, failed: Path, told: Told) -> None:
    older = (failed / "run.json").read_bytes()
    command("run", "APP", "faults.crash_at=2", "token=hunter2")
    (failed / "run.json").write_bytes(older)
    [first, second] = (path.name for path in sorted(failed.glob("2*")))
    told.readouterr()

    assert call(["resume", str(failed), "~faults.crash_at", "token=hunter2"]) == 0

    assert f"run.json does not know of attempt {second}" in told.readouterr().err
    record = read_run_record(failed / "run.json")
    third = record.attempts[-1]
    assert [attempt.folder for attempt in record.attempts] == [first, third.folder]
    assert third.folder > second
    assert third.resumed_from == f"{second}/checkpoints/step-00000008.ckpt"
    assert not third.is_bitwise
    call(["runs", "show", str(failed)])
    assert f"attempt {second}\n  status  not recorded" in told.readouterr().out


def test_an_older_copy_of_the_results_is_told_of(command: Command, folder: Folder, told: Told) -> None:
    command("run", "APP", "faults.crash_at=2")
    [results] = folder().glob("*/results.jsonl")
    results.write_bytes(results.read_bytes().splitlines(keepends=True)[0])
    told.readouterr()

    assert command("run", "APP") == 0

    assert "results of 1 epoch are lost: 2" in told.readouterr().err
    assert "results of 1 epoch are lost: 2" in read_run_record(folder() / "run.json").attempts[-1].not_bitwise_because


def test_checkpoints_on_another_disk_behind_a_link_are_gone_on_from(failed: Path, tmp_path: Path) -> None:
    [checkpoints] = failed.glob("*/checkpoints")
    checkpoints.rename(tmp_path / "big")
    checkpoints.symlink_to(tmp_path / "big")

    assert call(["resume", str(failed.relative_to(tmp_path)), "~faults.crash_at", "token=hunter2"]) == 0

    attempt = read_run_record(failed / "run.json").attempts[-1]
    assert attempt.resumed_from == f"{checkpoints.parent.name}/checkpoints/step-00000004.ckpt"
    assert list(read_results(failed / attempt.folder / "results.jsonl")) == [1, 2, 3]


@pytest.mark.parametrize("moved", [".", "checkpoints"])
def test_checkpoints_on_a_disk_that_is_not_mounted_are_not_taken_for_none(
    moved: str, failed: Path, tmp_path: Path, told: Told
) -> None:
    [folder] = (attempt / moved for attempt in failed.glob("2*"))
    folder.rename(tmp_path / "big")
    folder.symlink_to(tmp_path / "big")
    (tmp_path / "big").rename(tmp_path / "unmounted")

    assert call(["resume", str(failed), "~faults.crash_at", "token=hunter2"]) == 1
    assert f"bring back what {folder} leads to, a disk that is not mounted" in told.readouterr().err

    assert call(["resume", str(failed), "~faults.crash_at", "token=hunter2", "--resume", "never"]) == 0
    assert read_run_record(failed / "run.json").status == "done"


def test_what_bears_on_the_outcome_cannot_change(failed: Path, told: Told) -> None:
    before = read_run_record(failed / "run.json")

    code = call(["resume", str(failed), "lr=0.3", "checkpoint.save_interval=1", "token=hunter2"])

    message = told.readouterr().err
    assert code == 2
    assert "lr: 0.05 -> 0.3  (" in message
    assert " -> argument 3)" in message
    assert "save_interval" not in message
    assert read_run_record(failed / "run.json") == before


def test_what_bears_on_no_outcome_may_change(failed: Path) -> None:
    code = call(["resume", str(failed), "~faults.crash_at", "checkpoint.save_interval=1", "token=hunter2"])

    assert code == 0
    assert len(list(failed.glob("*/checkpoints/epoch-*.ckpt"))) == 3


def test_a_run_stays_in_its_folder(failed: Path, told: Told) -> None:
    code = call(["resume", str(failed), "run.project_root=elsewhere", "token=hunter2"])

    assert code == 2
    assert "run.project_root cannot change" in told.readouterr().err


def test_a_run_that_is_asked_for_by_another_name_keeps_its_own(command: Command, folder: Folder, told: Told) -> None:
    command("run", "APP", "run.run_name=own", "run.layout=mirror")
    options = ("run.run_name=other", "checkpoint.save_interval=1", "faults.crash_at=1")
    assert command("run", "APP", "--again", *options) == 1
    lines = (folder() / "run.yaml").read_text().splitlines()
    assert any(re.match(r"  run_name: own +# \S+/run\.yaml", line) for line in lines)
    assert any(re.match("  layout: mirror ", line) for line in lines)
    assert any(re.match("  save_interval: 1 ", line) for line in lines)
    told.readouterr()

    assert call(["resume", str(folder()), "--app", "tiny.py:Tiny", "run.run_name=own", "~faults.crash_at"]) == 0

    out = told.readouterr().out
    assert out.startswith("tiny-own ")
    assert "are one run" not in out


def test_what_bears_on_the_outcome_cannot_change_when_all_is_done_either(command: Command, folder: Folder) -> None:
    command("run", "APP")

    assert call(["resume", str(folder()), "--app", "tiny.py:Tiny"]) == 0
    assert call(["resume", str(folder()), "--app", "tiny.py:Tiny", "lr=0.3"]) == 2


def test_secrets_must_be_given_again(failed: Path, told: Told) -> None:
    assert call(["resume", str(failed)]) == 2

    message = told.readouterr().err
    assert "the secret token was given to this run" in message
    assert "as the variable TINY__TOKEN, in the environment or in a file named by --dotenv FILE" in message
    assert "token=... behind RUN" in message


def test_a_secret_that_nobody_gave_is_not_asked_for(failed: Path) -> None:
    assert read_run_record(failed / "run.json").secrets == ("token",)


def test_a_variable_for_a_secret_begins_as_the_command_line_says(failed: Path, told: Told) -> None:
    assert call(["resume", str(failed), "--env-prefix", "MINE__"]) == 2

    assert "the variable MINE__TOKEN" in told.readouterr().err


def test_a_run_that_is_done_is_resumed_by_doing_it_again(command: Command, folder: Folder) -> None:
    command("run", "APP")

    assert call(["resume", str(folder()), "--app", "tiny.py:Tiny", "--again"]) == 0

    assert [attempt.status for attempt in read_run_record(folder() / "run.json").attempts] == ["done", "done"]


def test_secrets_may_be_given_again_by_a_variable(failed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINY__TOKEN", "hunter2")

    assert call(["resume", str(failed), "~faults.crash_at"]) == 0


def test_code_that_changed_is_warned_of_and_recorded(failed: Path, told: Told) -> None:
    path = failed / "run.json"
    record = json.loads(path.read_text())
    record["identity"]["code_uuid"] = "00000000-0000-0000-0000-000000000000"
    path.write_text(json.dumps(record))

    assert call(["resume", str(failed), "~faults.crash_at", "token=hunter2"]) == 0

    assert "the code changed since the run began" in told.readouterr().err
    assert not read_run_record(path).attempts[-1].is_bitwise


@pytest.fixture
def repository(tiny_app: str, tmp_path: Path) -> Path:
    """The tiny experiment in a repository that holds its code."""
    for command in (
        "init",
        f"add {tiny_app.partition(':')[0]}",
        "-c user.name=A -c user.email=a@example.org commit -m x",
    ):
        subprocess.run(["git", "-C", tmp_path, *command.split()], check=True, capture_output=True)
    return tmp_path


def edit(path: Path) -> str:
    """Change the code, and say what it was."""
    before = path.read_text()
    path.write_text(f"{before}\n# changed\n")
    return before


@pytest.mark.parametrize(
    ("crash_at", "options"),
    [(0, []), (1, ["--resume", "never"]), (None, ["--again"])],
    ids=["no-save", "never", "again"],
)
def test_other_code_is_not_trained_from_nothing_as_a_run_of_earlier_code(
    crash_at: int | None, options: list[str], repository: Path, folder: Folder, told: Told
) -> None:
    call(["run", "tiny.py:Tiny", *([] if crash_at is None else [f"faults.crash_at={crash_at}"])])
    before = read_run_record(folder() / "run.json")
    edit(repository / "tiny.py")
    told.readouterr()

    assert call(["resume", str(folder()), "~faults.crash_at", *options]) == 2

    message = told.readouterr().err
    assert "would begin from nothing, with code that is not its own" in message
    assert f"the code that it was begun with: commit {before.identity.experiment_id}\n" in message
    assert read_run_record(folder() / "run.json") == before


def test_what_is_said_to_begin_the_run_of_other_code_does(
    repository: Path, command: Command, folder: Folder, told: Told
) -> None:
    command("run", "APP", "faults.crash_at=0", "lr=0.1")
    earlier = folder()
    edit(repository / "tiny.py")
    call(["resume", str(earlier)])
    line = told.readouterr().err.splitlines()[-1]

    assert call([*line.split()[1:], "~faults.crash_at"]) == 0

    [other] = {*earlier.parent.iterdir()} - {earlier}
    assert (
        read_run_record(other / "run.json").identity.code_uuid
        != read_run_record(earlier / "run.json").identity.code_uuid
    )
    assert "an unfinished run" not in told.readouterr().out  # nothing is there to go on from


def test_that_other_code_had_a_part_in_a_run_stays_recorded_when_its_own_is_put_back(
    repository: Path, command: Command, folder: Folder
) -> None:
    command("run", "APP", "faults.crash_at=1")
    before = edit(repository / "tiny.py")
    assert call(["resume", str(folder()), "faults.crash_at=2"]) == 1
    (repository / "tiny.py").write_text(before)

    assert command("run", "APP") == 0

    *_, last = read_run_record(folder() / "run.json").attempts
    assert last.not_bitwise_because == ("the code changed since the run began",)


def test_another_version_of_a_package_is_warned_of(failed: Path, told: Told) -> None:
    path = failed / "run.json"
    record = json.loads(path.read_text())
    record["attempts"][0]["versions"]["torch"] = "1.0"
    path.write_text(json.dumps(record))

    assert call(["resume", str(failed), "~faults.crash_at", "token=hunter2"]) == 0

    assert "undisturbed run: torch was 1.0 and is 2." in told.readouterr().err
    assert not read_run_record(path).attempts[-1].is_bitwise


def test_a_configuration_edited_behind_the_runs_back_is_noticed(failed: Path, told: Told) -> None:
    config = failed / "run.yaml"
    config.write_text(config.read_text().replace("lr: 0.05", "lr: 0.06"))

    assert call(["resume", str(failed), "token=hunter2"]) == 2

    assert "it has another fingerprint" in told.readouterr().err


def test_a_record_alone_does_not_have_code_imported(
    failed: Path, told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "other")

    assert call(["resume", str(failed), "token=hunter2"]) == 2

    message = told.readouterr().err
    assert (
        f"which is not imported on a record's word alone\n  at            the current repository is {Path.cwd()}"
        in message
    )
    assert f"--app {tmp_path}/tiny.py:Tiny" in message


def test_a_user_may_name_the_code(failed: Path, tmp_path: Path) -> None:
    (tmp_path / ".git").rmdir()

    assert call(["resume", str(failed), "--app", "tiny.py:Tiny", "~faults.crash_at", "token=hunter2"]) == 0


def test_code_among_the_runs_is_not_imported(failed: Path, told: Told) -> None:
    shutil.copy("tiny.py", "experiments")
    record = (failed / "run.json").read_text().replace("/tiny.py", "/experiments/tiny.py")
    (failed / "run.json").write_text(record)

    assert call(["resume", str(failed), "token=hunter2"]) == 2

    assert "experiments/tiny.py:Tiny, which is not imported" in told.readouterr().err


def test_a_damaged_checkpoint_is_passed_over_and_told_of(command: Command, folder: Folder, told: Told) -> None:
    command("run", "APP", "faults.crash_at=2")
    [newest] = folder().glob("*/checkpoints/step-00000008.ckpt")
    newest.write_bytes(newest.read_bytes()[:-1])
    told.readouterr()

    assert command("run", "APP") == 0

    out, complaints = told.readouterr()
    assert "resumes after 1 epoch" in out
    assert "passed over: checkpoint step-00000008.ckpt is damaged" in complaints


def test_a_checkpoint_of_another_run_is_passed_over_and_told_of(command: Command, folder: Folder, told: Told) -> None:
    command("run", "APP", "faults.crash_at=2", "lr=0.25")
    other = folder()
    command("run", "APP", "faults.crash_at=2")
    [run] = {*other.parent.iterdir()} - {other}
    for path in other.glob("*/checkpoints/step-00000008.ckpt*"):
        [own] = run.glob(f"*/checkpoints/{path.name}")
        path.replace(own)
    told.readouterr()

    assert command("run", "APP") == 0

    out, complaints = told.readouterr()
    assert "resumes after 1 epoch" in out
    assert "passed over: checkpoint step-00000008.ckpt is another run's" in complaints


def test_a_run_that_lost_every_manifest_begins_anew_when_told_to_alone(
    command: Command, folder: Folder, told: Told
) -> None:
    command("run", "APP", "faults.crash_at=2")
    for manifest in folder().rglob("*.ckpt.json"):
        manifest.unlink()
    before = {path: path.read_bytes() for path in folder().rglob("*.ckpt")}
    told.readouterr()

    assert call(["resume", str(folder()), "--app", "tiny.py:Tiny"]) == 1

    assert "step-00000008.ckpt has no manifest" in told.readouterr().err
    assert call(["resume", str(folder()), "--app", "tiny.py:Tiny", "--resume", "never", "~faults.crash_at"]) == 0
    assert before.items() <= {path: path.read_bytes() for path in folder().rglob("*.ckpt")}.items()


@pytest.mark.usefixtures("failed")
def test_an_empty_text_is_no_run(told: Told) -> None:
    assert call(["resume", ""]) == 2

    assert "there is no run ''" in told.readouterr().err


def test_a_run_that_nobody_knows_is_not_resumed(tiny_app: str, told: Told) -> None:
    assert call(["resume", tiny_app]) == 2

    assert f"there is no run {tiny_app}" in told.readouterr().err


@pytest.mark.usefixtures("tiny_app")
def test_a_loop_of_ones_own_is_gone_on_with_by_its_script(tmp_path: Path, told: Told) -> None:
    code = (
        "from typedcfg import Experiment, init_env\n\n\nclass Loop(Experiment):\n    pass\n\n\n"
        "if __name__ == '__main__':\n    with init_env(Loop.compile(), threads=1):\n        raise SystemExit(1)\n"
    )
    (tmp_path / "loop.py").write_text(code, encoding="utf-8")
    subprocess.run([sys.executable, "loop.py", "two words"], check=False, cwd=tmp_path)

    assert call(["resume", "loop-run", "--app", "loop.py:Loop"]) == 2

    message = told.readouterr().err
    assert "Loop defines no model or no data" in message
    assert message.endswith("when it is started again:\n                python loop.py 'two words'\n")
