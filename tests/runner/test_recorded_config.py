from pathlib import Path

import pytest

from typedcfg.errors import RunError
from typedcfg.runner.recorded_config import check_config
from typedcfg.runner.run_dir import RunDir


def test_a_configuration_that_can_be_read_is_let_by(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("lr: 0.5\n")

    check_config(RunDir(tmp_path))


@pytest.mark.parametrize(("content", "what"), [(None, "run.yaml is lost"), (b"{", "is damaged: "), (b"\xff", "UTF-8")])
def test_one_that_cannot_be_read_says_what_to_do(content: bytes | None, what: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "run.yaml").write_bytes(content)

    with pytest.raises(RunError, match=what) as raised:
        check_config(RunDir(tmp_path))

    assert "writes it anew" in str(raised.value)


def test_a_folder_of_that_name_is_damage(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").mkdir()

    with pytest.raises(RunError, match=r"is damaged: .*is a directory"):
        check_config(RunDir(tmp_path))
