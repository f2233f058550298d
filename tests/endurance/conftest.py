"""What the tests of runs that are disturbed share."""

from collections.abc import Iterator
from functools import cache

import pytest
from lives import Calm, Zygote


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Starts processes that have imported all they need."""
    with Zygote() as started:
        yield started


@pytest.fixture(scope="session")
def calm(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """What runs come to that nobody disturbs, by their shape."""
    return cache(lambda shape: zygote.finish(tmp_path_factory.mktemp("calm") / "run", *shape.settings))
