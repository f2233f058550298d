from pathlib import Path

import pytest

from typedcfg.cli.context import UsageError
from typedcfg.cli.target import check_target


def told(file: Path, *, may_replace: bool = True) -> str:
    with pytest.raises(UsageError) as caught:
        check_target(file, may_replace=may_replace)
    return str(caught.value)


def test_a_new_file_in_a_folder_may_be_written(tmp_path: Path) -> None:
    check_target(tmp_path / "a.yaml", may_replace=False)


def test_a_file_is_replaced_by_force_alone(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").touch()

    assert "is there already" in told(tmp_path / "a.yaml", may_replace=False)
    check_target(tmp_path / "a.yaml", may_replace=True)


@pytest.mark.parametrize("target", ["gone.yaml", "a.yaml"])
def test_a_link_that_leads_nowhere_is_there_already(tmp_path: Path, target: str) -> None:
    (tmp_path / "a.yaml").symlink_to(target)

    assert "is there already" in told(tmp_path / "a.yaml", may_replace=False)


def test_a_folder_is_not_replaced_by_force_either(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()

    assert "cannot write a.yaml: Is a directory" in told(tmp_path / "a.yaml")


@pytest.mark.parametrize("may_replace", [True, False])
def test_a_checkpoint_is_not_replaced_by_force_either(tmp_path: Path, *, may_replace: bool) -> None:
    (tmp_path / "a.ckpt").touch()
    (tmp_path / "a.ckpt.json").touch()

    assert "a.ckpt is a checkpoint, which nothing is written over" in told(tmp_path / "a.ckpt", may_replace=may_replace)


def test_a_file_without_a_folder_is_refused_with_what_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "conf").touch()

    assert f"mkdir -p {tmp_path}/gone" in told(tmp_path / "gone" / "a.yaml")
    assert f"{tmp_path}/conf is no folder" in told(tmp_path / "conf" / "a.yaml")


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    assert "choose a shorter name" in told(tmp_path / ("x" * 300 + ".yaml"))
