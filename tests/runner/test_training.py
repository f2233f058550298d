from typing import TYPE_CHECKING

import pytest

from typedcfg.runner.run import Runner
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.training import Asked, Training, bad_end

if TYPE_CHECKING:
    from typedcfg.sections.experiment import Experiment


@pytest.mark.parametrize(
    ("exit_code", "how"), [(1, "ended with 1"), (137, "was killed by SIGKILL"), (255, "ended with 255")]
)
def test_a_process_that_says_nothing_is_told_of_by_its_exit_code(
    exit_code: int, how: str, tiny: "type[Experiment]"
) -> None:
    config = tiny.compile()
    run = Runner(config).make()
    with Training(run, config, Asked()).attempted(world_size=2) as attempt:
        error = bad_end(RunBook(run), attempt, exit_code)

    assert f"a process of the run {how}" in str(error)
