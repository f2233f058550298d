import subprocess
import sys

import typedcfg.testing

PUBLIC = [
    "LauncherContract",
    "SourceContract",
    "assert_round_trips",
    "assert_same_identity",
    "compile_for_test",
    "problems_of",
]


def test_the_public_names_are_these() -> None:
    assert typedcfg.testing.__all__ == PUBLIC
    assert all(getattr(typedcfg.testing, name).__name__ == name for name in PUBLIC)


def test_it_loads_neither_pytest_nor_what_trains() -> None:
    script = "import sys, typedcfg.testing; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert not {"pytest", "torch", "lightning", "pydantic_settings"} & set(done.stdout.split())


def test_without_pytest_a_test_that_cannot_be_skipped_says_so() -> None:
    script = """
import sys
sys.modules["pytest"] = None
from typedcfg.testing import SourceContract
class Mine(SourceContract):
    make_source = None
Mine().test_what_is_wrong_is_told_with_its_place()
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.stderr.splitlines()[-1].endswith("without pytest no test can be skipped: pip install pytest")
