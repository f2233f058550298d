from pathlib import Path

import pytest

from typedcfg import Experiment, Runner
from typedcfg.errors import RunError
from typedcfg.runner.recorded_config import check_config, rebuild, write_config
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import RunDir

TinyType = type[Experiment]


@pytest.fixture
def done(tiny: TinyType) -> RunDir:
    """A run that was given a secret."""
    runner = Runner(tiny.compile(overrides=["trainer.max_epochs=1", "token=hunter2"]))
    runner.fit()
    return RunDir(runner.dir)


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


def test_a_configuration_is_rebuilt_from_its_folder(done: RunDir, tiny: TinyType) -> None:
    config = rebuild(done, tiny, {"token": "hunter2"})

    assert config == tiny.compile(overrides=["trainer.max_epochs=1", "token=hunter2"])


def test_what_is_written_anew_is_what_was_written_first(done: RunDir, tiny: TinyType) -> None:
    config = rebuild(done, tiny, {})
    before = config.plain()

    write_config(done, config)

    assert rebuild(done, tiny, {}).plain() == before


def test_a_class_that_says_otherwise_than_the_record_is_refused(done: RunDir, tiny: TinyType) -> None:
    class Tiny(tiny):  # type: ignore[misc, valid-type]  # loaded by the test
        new: int = 1

    with pytest.raises(RunError) as raised:
        rebuild(done, Tiny, {})

    record = RunBook(done).record
    assert record is not None
    assert record.identity.fingerprint in str(raised.value)
    assert "found v1-" in str(raised.value)
