"""For tests of what you build on typedcfg: compile in a test, compare configurations, hold sources to their contract.

A package of its own, which nothing else here imports: `from typedcfg.testing import compile_for_test`.
"""

from typedcfg.testing.assertions import assert_round_trips as assert_round_trips
from typedcfg.testing.assertions import assert_same_identity as assert_same_identity
from typedcfg.testing.compiling import compile_for_test as compile_for_test
from typedcfg.testing.compiling import problems_of as problems_of
from typedcfg.testing.launcher_contract import LauncherContract as LauncherContract
from typedcfg.testing.source_contract import SourceContract as SourceContract

__all__ = [
    "LauncherContract",
    "SourceContract",
    "assert_round_trips",
    "assert_same_identity",
    "compile_for_test",
    "problems_of",
]
