import errno
import os
from pathlib import Path

import pytest

from typedcfg.refusal import refusal, remedy


def refused(path: Path) -> str:
    """What is to be done about a path, as the operating system refuses to look at it now."""
    with pytest.raises(OSError) as caught:  # noqa: PT011  # any of its kind
        path.stat()
    return remedy(path, caught.value)


def said(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "free some space on the disk"),
        (errno.EROFS, "nothing can be written to this file system"),
        (errno.EFBIG, "allow larger files"),
        (errno.EISDIR, "move the folder of that name away"),
        (errno.EIO, "see whether the disk is sound"),
    ],
)
def test_each_cause_has_its_remedy(number: int, told: str) -> None:
    assert told in remedy(Path("run.yaml"), said(number))


def test_who_may_not_is_told_where_to_see_who_may(tmp_path: Path) -> None:
    told = remedy(tmp_path / "runs" / "run.yaml", said(errno.EACCES))

    assert told.endswith(f"ls -ld {tmp_path}")


def test_a_folder_that_is_missing_is_to_be_made(tmp_path: Path) -> None:
    assert refused(tmp_path / "a" / "b" / "run.yaml") == f"make the folder first: mkdir -p {tmp_path}/a/b"


def test_the_part_of_a_path_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").touch()

    assert refused(tmp_path / "a" / "b" / "run.yaml").startswith(f"{tmp_path}/a is no folder")


@pytest.mark.parametrize("target", ["gone", "link"])
def test_a_link_that_leads_nowhere_is_named(tmp_path: Path, target: str) -> None:
    (tmp_path / "link").symlink_to(target)

    assert refused(tmp_path / "link" / "run.yaml").startswith(f"{tmp_path}/link is a link that leads nowhere")


def test_a_name_that_is_too_long_is_to_be_shorter(tmp_path: Path) -> None:
    assert refused(tmp_path / ("x" * 300)) == "choose a shorter name"


def test_a_file_in_a_folder_that_there_is_has_no_folder_to_make(tmp_path: Path) -> None:
    assert refused(tmp_path / "run.yaml") == "see whether the disk is sound; what stood there is unharmed"


def test_a_refusal_says_what_was_refused_and_where(tmp_path: Path) -> None:
    [problem] = refusal(tmp_path / "run.yaml", "write", said(errno.ENOSPC)).problems

    assert problem.what == "cannot write run.yaml: No space left on device"
    assert problem.where == f"{tmp_path}/run.yaml"
