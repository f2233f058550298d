import logging
import sys
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest

from typedcfg.runner.log import LogFile, kept
from typedcfg.runner.secrets import texts_of


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogFile]:
    with closing(LogFile(tmp_path / "run.log", {"hunter2"})) as log:
        yield log


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What a program that set up logging shows."""
    stream = StringIO()
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(stream)])
    return stream


def test_what_is_printed_is_kept_and_still_shown(
    log: LogFile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with kept(log, "info"):
        sys.stdout.write("out\n")
        sys.stderr.write("complaint\n")

    assert (tmp_path / "run.log").read_text() == "out\ncomplaint\n"
    assert capsys.readouterr() == ("out\n", "complaint\n")


def test_who_holds_on_to_a_kept_stream_goes_on_with_it(
    log: LogFile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with kept(log, "info"):
        held = sys.stdout
    log.close()

    held.write("afterwards\n")

    assert (tmp_path / "run.log").read_text() == ""
    assert capsys.readouterr().out == "afterwards\n"


def test_afterwards_all_is_as_it_was(log: LogFile) -> None:
    root, streams = logging.getLogger(), (sys.stdout, sys.stderr)
    before = root.level, list(root.handlers)

    with kept(log, "debug"):
        pass

    assert (sys.stdout, sys.stderr) == streams
    assert (root.level, root.handlers) == before


def test_records_are_kept_from_a_level_on(log: LogFile, tmp_path: Path) -> None:
    with kept(log, "info"):
        logging.getLogger("model").debug("too much")
        logging.getLogger("model").info("just right")

    [line] = (tmp_path / "run.log").read_text().splitlines()
    assert line.endswith(" INFO model: just right")


def test_a_louder_log_is_no_louder_screen(log: LogFile, shown: StringIO) -> None:
    with kept(log, "debug"):
        logging.getLogger("model").info("for the log")
        logging.getLogger("model").warning("for all")

    assert shown.getvalue() == "for all\n"


def test_a_logger_that_asked_to_be_heard_still_is(log: LogFile, shown: StringIO) -> None:
    loud = logging.getLogger("loud")
    loud.setLevel(logging.INFO)

    with kept(log, "error"):
        loud.info("heard")

    assert shown.getvalue() == "heard\n"


def test_warnings_are_shown_where_nobody_set_up_logging(
    log: LogFile, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # here, since pytest hangs its own onto it

    with kept(log, "info"):
        logging.getLogger("model").warning("careful")

    assert capsys.readouterr().err == "careful\n"
    assert (tmp_path / "run.log").read_text().count("careful") == 1


def test_progress_bars_are_for_the_screen_alone(
    log: LogFile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with kept(log, "info"):
        for text in ("before\n", "\r 50 %", "\n", "\r 10 %", "\x1b[A", "\r100 %", "\n", "after\n", "\n"):
            sys.stdout.write(text)
            log.write("a line of ours\n" if "50" in text else "")

    assert (tmp_path / "run.log").read_text() == "before\na line of ours\nafter\n\n"
    assert "\r100 %" in capsys.readouterr().out


def test_secrets_are_hidden_also_where_they_come_in_parts(log: LogFile, tmp_path: Path) -> None:
    log.write("token hun")
    log.write("ter2\n")

    assert (tmp_path / "run.log").read_text() == "token **********\n"


def test_the_last_line_is_kept_whole_or_not(tmp_path: Path) -> None:
    with closing(LogFile(tmp_path / "run.log")) as log:
        log.write("unfinished")

    assert (tmp_path / "run.log").read_text() == "unfinished\n"


def test_a_secret_of_several_lines_reaches_no_log(tmp_path: Path) -> None:
    with closing(LogFile(tmp_path / "run.log", texts_of({"key": "first line\nsecond line\n"}))) as log:
        for piece in ("the key: fir", "st line\nseco", "nd line\n", "'first line\\nsecond line\\n'\n"):
            log.write(piece)

    text = (tmp_path / "run.log").read_text()
    assert "line" not in text
    assert text.startswith("the key: ****")


def test_a_full_disk_costs_lines_and_no_training(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.log").symlink_to("/dev/full")

    with closing(LogFile(tmp_path / "run.log")) as log:
        for _ in range(3):
            log.write("line\n")
        log.write("the rest")

    assert capfd.readouterr().err == f"warning: {tmp_path / 'run.log'} lacks lines: No space left on device\n"
