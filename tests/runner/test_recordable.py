from pathlib import Path
from typing import Any

import pytest

from typedcfg import ConfigTemplate
from typedcfg.errors import RunError
from typedcfg.runner.recordable import check_recordable


class Params(ConfigTemplate):
    width: int = 1
    data: Path = Path("data")
    names: set[str] = {"a", "b"}
    anything: Any = None


def test_values_that_come_back_as_they_were_can_be_recorded() -> None:
    check_recordable(Params.compile(overrides=["anything={a: [1, 2.0, text]}"]))


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", 1 + 2j])
def test_a_value_that_would_come_back_as_another_is_refused(value: Any) -> None:
    config = Params(anything=value).to_config()

    with pytest.raises(RunError, match="anything"):
        check_recordable(config)
