from pathlib import Path, PurePosixPath
from uuid import UUID

import pytest

from typedcfg.errors import RecordError
from typedcfg.runner.run_dir import RunDir
from typedcfg.runner.run_folders import iter_run_folders

RUN = UUID("01234567-89ab-cdef-0123-456789abcdef")
ID = "aaaaaaaa" + "01234567"


def opened(root: Path, place: str = "") -> RunDir:
    return RunDir.open(root, name="digits-base", id=ID, run_uuid=RUN, place=PurePosixPath(place))


def test_folders_of_runs_are_walked_without_going_in_circles(tmp_path: Path) -> None:
    run = opened(tmp_path, "mnist/wide")
    (tmp_path / "mnist" / "again").symlink_to(tmp_path)

    assert list(iter_run_folders(tmp_path)) == [run.path]


def test_a_link_that_leads_in_a_circle_hides_no_run_beside_it(tmp_path: Path) -> None:
    run = opened(tmp_path)
    (tmp_path / "circle").symlink_to("circle")

    assert list(iter_run_folders(tmp_path)) == [run.path]


def test_a_folder_of_runs_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert list(iter_run_folders(tmp_path / "experiments")) == []


@pytest.mark.parametrize("root", ["file", "circle", "x" * 300])
def test_a_folder_of_runs_that_cannot_be_read_is_not_taken_for_empty(tmp_path: Path, root: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to("circle")

    with pytest.raises(RecordError, match="cannot look for runs in"):
        opened(tmp_path / root)


def test_a_folder_whose_marker_cannot_be_read_is_not_said_to_be_no_run(tmp_path: Path) -> None:
    run = opened(tmp_path)
    (run.path / ".typedcfg").unlink()
    (run.path / ".typedcfg").symlink_to(".typedcfg")

    with pytest.raises(RecordError, match=r"cannot read \.typedcfg: Too many levels"):
        opened(tmp_path)
    with pytest.raises(RecordError, match=r"cannot read \.typedcfg: Too many levels"):
        RunDir.at(run.path)
