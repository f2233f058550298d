from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from typedcfg.compiler.shown import quoted

TIMES = TypeAdapter(timedelta)


@pytest.mark.parametrize("text", ["-0:00:04", "-1 day, 12:00:00", "0:00:00", "3:50:00"])
def test_a_time_is_shown_as_it_is_written(text: str) -> None:
    assert quoted(TIMES.validate_python(text)) == text


@given(st.timedeltas(timedelta(days=-9999), timedelta(days=9999)))
def test_what_is_shown_of_a_time_reads_back(time: timedelta) -> None:
    assert TIMES.validate_python(quoted(time)) == time
