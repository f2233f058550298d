import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from typedcfg.runner.importing import collector_paused


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    yield
    gc.enable()


def test_the_collector_is_off_within_the_block_alone() -> None:
    with collector_paused():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_an_import_that_fails_leaves_the_collector_on() -> None:
    with pytest.raises(ImportError), collector_paused():
        raise ImportError

    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()

    with collector_paused():
        pass

    assert not gc.isenabled()


@pytest.mark.slow
@pytest.mark.usefixtures("tiny_app")
def test_a_run_imports_lightning_and_what_reads_configurations_and_no_more() -> None:
    code = (
        "import sys, lightning.pytorch; before = set(sys.modules);"
        "from typedcfg import Runner; from tiny import Tiny; Runner(Tiny.compile()).fit();"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names;"
        "print(*sorted(new - {'pydantic', 'pydantic_core', 'annotated_types', 'typing_inspection', 'orjson'}))"
    )

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.splitlines()[-1] == "tiny torch typedcfg"  # of torch what Lightning's trainer imports late
