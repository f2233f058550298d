from collections.abc import Iterator
from pathlib import Path

import pytest
from lightning.pytorch import Callback

import typedcfg.lightning

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "use-the-callbacks.md"


@pytest.mark.parametrize("name", sorted({*typedcfg.lightning.__all__} - {"Preempted", "exact", "why_not_exact"}))
def test_the_page_says_what_each_is_for(name: str) -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]

    assert any(f"`{name}`" in row.split("|")[1] for row in rows)


def test_every_callback_of_a_run_is_offered() -> None:
    # What compares the ranks of one run has nothing to say outside of it, and a bar is Lightning's to offer.
    assert {*callbacks_below(Callback)} - {"Agreement", "Bar"} <= {*typedcfg.lightning.__all__}


def callbacks_below(kind: type) -> Iterator[str]:
    """The names of ours that no other class builds on."""
    below: list[type] = kind.__subclasses__()
    if not below and kind.__module__.startswith("typedcfg"):
        yield kind.__name__
    for one in below:
        yield from callbacks_below(one)
