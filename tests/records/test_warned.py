import logging

import pytest

from typedcfg.records.warned import warn_once


def test_a_warning_of_one_content_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("typedcfg.records")

    for content in (b"torn", b"torn", b"other"):
        warn_once(log, "told/once.jsonl:1 is damaged", of=content)

    assert [record.getMessage() for record in caplog.records] == ["told/once.jsonl:1 is damaged"] * 2
