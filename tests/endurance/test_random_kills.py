"""A run may be killed at any moment, as often as anybody likes."""

from pathlib import Path

import pytest
from random_kills import kill_at_random

pytestmark = [pytest.mark.slow, pytest.mark.multiprocess, pytest.mark.timeout(900)]


def test_a_run_that_is_killed_at_random_comes_to_the_same_end(tmp_path: Path) -> None:
    tally = kill_at_random(25, seed=2, top=tmp_path)

    assert tally.kills == 25
    assert tally.differing == 0
