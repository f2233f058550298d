import shutil
from pathlib import Path, PurePosixPath
from uuid import UUID

import pytest

from typedcfg.disk import Disk, using
from typedcfg.errors import RecordError, RunError
from typedcfg.records.checkpoint_record import Manifest, write_manifest
from typedcfg.runner.run_dir import CheckpointDir, RunDir

RUN = UUID("01234567-89ab-cdef-0123-456789abcdef")
OTHER = UUID("01234567-0000-0000-0000-000000000000")
ID = "aaaaaaaa" + "01234567"


def opened(root: Path, run_uuid: UUID = RUN, name: str = "digits-base") -> RunDir:
    return RunDir.open(root, name=name, id=ID, run_uuid=run_uuid)


def test_a_run_has_one_folder_however_often_it_is_opened(tmp_path: Path) -> None:
    first = opened(tmp_path / "experiments")

    assert opened(tmp_path / "experiments") == first
    assert first.path == tmp_path / "experiments" / f"digits-base-{ID}"
    assert first.run_uuid == RUN


def test_a_run_is_found_by_its_id_whatever_it_was_called(tmp_path: Path) -> None:
    assert opened(tmp_path, name="renamed-run") == opened(tmp_path, name="digits-base")


def test_two_runs_with_one_short_id_have_two_folders(tmp_path: Path) -> None:
    first, second = opened(tmp_path, RUN), opened(tmp_path, OTHER)

    assert second.path.name == f"digits-base-aaaaaaaa{OTHER.hex[:16]}"
    assert (opened(tmp_path, RUN), opened(tmp_path, OTHER)) == (first, second)


@pytest.mark.parametrize("name", ["", "../digits", "a/b", "a b", "a*", "über", "a" * 162])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match="is no name for a run"):
        opened(tmp_path, name=name)


def test_a_folder_that_leads_out_of_the_project_is_refused(tmp_path: Path) -> None:
    elsewhere = opened(tmp_path / "elsewhere")
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / elsewhere.path.name).symlink_to(elsewhere.path)

    with pytest.raises(RunError, match="leads out of"):
        opened(tmp_path / "experiments")


def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / f"digits-base-{ID}" / "thesis.tex"
    mine.parent.mkdir()
    mine.write_text("years of work")

    with pytest.raises(RunError, match="is in the way"):
        opened(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == [mine.parent.name]
    assert mine.read_text() == "years of work"


def test_a_folder_without_a_marker_is_no_run(tmp_path: Path) -> None:
    assert RunDir.at(opened(tmp_path).path).run_uuid == RUN
    with pytest.raises(RunError, match="is no run"):
        RunDir.at(tmp_path)


def test_attempts_are_in_order_and_each_is_new(tmp_path: Path) -> None:
    run = opened(tmp_path)

    made = [run.new_attempt() for _ in range(20)]

    assert run.attempts() == tuple(made)
    assert len(set(made)) == 20
    assert made[0].checkpoints.path.is_dir()


def test_a_new_attempt_comes_last_also_when_the_clock_was_set_back(tmp_path: Path) -> None:
    run = opened(tmp_path)
    (run.path / "29991231T235959.999999Z").mkdir()

    made = run.new_attempt()

    assert made.timestamp == "30000101T000000.000000Z"
    assert run.attempts()[-1] == made


@pytest.mark.parametrize("copy", [f"a-backup-{ID}", f"z-backup-{ID}", f"backup/digits-base-{ID}"])
def test_a_copy_of_a_run_is_passed_over_and_told_of(
    tmp_path: Path, copy: str, caplog: pytest.LogCaptureFixture
) -> None:
    run = opened(tmp_path)
    shutil.copytree(run.path, tmp_path / copy)

    assert opened(tmp_path) == run
    assert f"passed over: {tmp_path / copy} is marked as the run {run.path} too" in caplog.text


def test_of_two_copies_whose_run_is_gone_none_is_taken(tmp_path: Path) -> None:
    run = opened(tmp_path)
    shutil.copytree(run.path, tmp_path / f"a-backup-{ID}")
    run.path.rename(tmp_path / f"b-backup-{ID}")

    with pytest.raises(RunError, match="2 folders are marked as the same run, and nobody can tell which is meant"):
        opened(tmp_path)


def test_a_link_to_a_run_is_no_copy_of_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = opened(tmp_path)
    (tmp_path / f"a-link-{ID}").symlink_to(run.path)

    assert opened(tmp_path).path.samefile(run.path)
    assert not caplog.text


def test_files_of_an_attempt_are_named_for_people(tmp_path: Path) -> None:
    attempt = opened(tmp_path).new_attempt()

    names = [attempt.log(), attempt.log(1), attempt.checkpoints.step(1200), attempt.checkpoints.epoch(10)]

    assert [path.name for path in names] == ["run.log", "run.rank1.log", "step-00001200.ckpt", "epoch-10.ckpt"]


def test_a_new_checkpoint_has_the_name_of_none_that_is_committed(tmp_path: Path) -> None:
    folder = CheckpointDir(tmp_path)
    manifest = Manifest(sha256="", size=0, step=7, epoch=1, world_size=1)
    names = []
    for is_committed in (True, False, True, True):
        path = folder.new_step(7)
        path.touch()
        if is_committed:
            write_manifest(path, manifest)
        names.append(path.name)
    folder.step(7).unlink()

    assert names == ["step-00000007.ckpt", "step-00000007.1.ckpt", "step-00000007.1.ckpt", "step-00000007.2.ckpt"]
    assert folder.new_step(7).name == "step-00000007.3.ckpt"
    assert folder.new_step(70).name == "step-00000070.ckpt"


def test_the_logs_that_are_there_are_told_by_rank(tmp_path: Path) -> None:
    attempt = opened(tmp_path).new_attempt()
    for rank in (10, 2, 0):
        attempt.log(rank).touch()
    (attempt.path / "run.rankx.log").touch()
    attempt.log(3).mkdir()

    assert attempt.logs() == {rank: attempt.log(rank) for rank in (0, 2, 10)}


def test_a_run_without_checkpoints_has_nowhere_to_resume(tmp_path: Path) -> None:
    run = opened(tmp_path)
    run.new_attempt()

    assert run.latest_checkpoint() is None


def test_a_run_lies_at_its_place_and_knows_the_folder_of_runs(tmp_path: Path) -> None:
    run = RunDir.open(tmp_path / "runs", name="digits-base", id=ID, run_uuid=RUN, place=PurePosixPath("mnist/wide"))

    assert run.path == tmp_path / "runs" / "mnist" / "wide" / f"digits-base-{ID}"
    assert (run.run_uuid, run.project_root) == (RUN, tmp_path / "runs")
    assert RunDir.find(tmp_path / "runs", name="digits-base", id=ID, run_uuid=RUN) == run


def test_a_run_stays_where_it_lies_when_another_place_is_asked_for(tmp_path: Path) -> None:
    first = opened(tmp_path)

    assert RunDir.open(tmp_path, name="b", id=ID, run_uuid=RUN, place=PurePosixPath("mnist")) == first


def test_a_run_that_was_moved_out_of_its_place_lies_in_the_folder_above(tmp_path: Path) -> None:
    run = RunDir.open(tmp_path / "runs", name="digits-base", id=ID, run_uuid=RUN, place=PurePosixPath("mnist/wide"))

    moved = RunDir.at(run.path.rename(tmp_path / run.path.name))

    assert moved.project_root == tmp_path


@pytest.mark.parametrize("place", ["..", "a/../../b", "/etc"])
def test_a_place_that_leads_out_of_the_project_is_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(RunError, match="is no place below"):
        RunDir.open(tmp_path / "runs", name="digits-base", id=ID, run_uuid=RUN, place=PurePosixPath(place))


def test_a_place_behind_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "mnist").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(RunError, match="leads out of"):
        RunDir.open(tmp_path / "runs", name="digits-base", id=ID, run_uuid=RUN, place=PurePosixPath("mnist/wide"))

    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("name", ["20269999T000000.000000Z", "99991231T235959.999999Z", "20261121T052440.12Z", "notes"])
def test_what_is_named_by_no_time_is_no_attempt(tmp_path: Path, name: str) -> None:
    run = opened(tmp_path)
    (run.path / name).mkdir()

    attempt = run.new_attempt()

    assert run.attempts() == (attempt,)


def test_a_place_within_another_run_is_refused(tmp_path: Path) -> None:
    run = opened(tmp_path, OTHER)

    with pytest.raises(RunError, match="is a run, and another one cannot lie within it"):
        RunDir.open(tmp_path, name="b", id=ID, run_uuid=RUN, place=PurePosixPath(run.path.name, "deep"))


def test_tidying_removes_what_was_staged_anywhere_in_the_run(tmp_path: Path) -> None:
    run = opened(tmp_path)
    attempt = run.new_attempt()
    for folder in (run.path, attempt.path, attempt.checkpoints.path):
        (folder / ".half.0123456789abcdef.staged").write_bytes(b"half")

    run.tidy()

    assert list(tmp_path.rglob("*.staged")) == []
    assert attempt.checkpoints.path.is_dir()


class CountingDisk(Disk):
    def __init__(self) -> None:
        self.synced: list[Path] = []

    def sync_folder(self, path: Path) -> None:
        self.synced.append(path)


def test_tidying_looks_through_each_folder_once_however_many_attempts_there_are(tmp_path: Path) -> None:
    run = opened(tmp_path)
    attempts = [run.new_attempt() for _ in range(3)]

    with using(disk := CountingDisk()):
        run.tidy()

    folders = [folder for attempt in attempts for folder in (attempt.path, attempt.checkpoints.path)]
    assert sorted(disk.synced) == sorted([*folders, run.path, tmp_path])


def test_an_attempt_behind_a_link_that_leads_nowhere_is_one_and_is_left_alone(tmp_path: Path) -> None:
    run = opened(tmp_path)
    lost = run.new_attempt()
    shutil.rmtree(lost.path)
    lost.path.symlink_to(tmp_path / "nowhere")

    run.tidy()
    later = run.new_attempt()

    assert run.attempts() == (lost, later)
    assert lost.logs() == {}


def test_logs_of_an_attempt_that_cannot_be_read_are_an_error_with_its_path(tmp_path: Path) -> None:
    attempt = opened(tmp_path).new_attempt()
    shutil.rmtree(attempt.path)
    attempt.path.symlink_to(attempt.path)

    with pytest.raises(RecordError, match=rf"cannot read {attempt.timestamp}: "):
        attempt.logs()
