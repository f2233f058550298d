"""Identities that were given out: a change here renames every run that people have.

`REGENERATE=1 pytest tests/identity/test_golden.py` writes the file for a new `VERSION`; it never writes over one.
"""

import json
import os
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Final
from uuid import UUID

import pytest

from typedcfg.identity.canonical import VERSION, canonical_text
from typedcfg.identity.code_version import CodeVersion
from typedcfg.identity.fingerprint import fingerprint_of
from typedcfg.identity.run_identity import identify_run
from typedcfg.key_path import KeyPath

GOLDEN: Final = Path(__file__).parents[1] / "golden" / f"canonical.v{VERSION}.json"

LEAVES: Final[dict[str, list[tuple[KeyPath, object]]]] = {
    "nothing": [],
    "a small run": [
        (("optimizer", "kind"), "adamw"),
        (("optimizer", "lr"), 0.01),
        (("optimizer", "betas"), (0.9, 0.999)),
        (("trainer", "limit_train_batches"), 1.0),
        (("trainer", "max_epochs"), 15),
        (("model", "layers"), [{"width": 64, "bias": True}, {"width": 128, "bias": False}]),
        (("data", "root"), PurePosixPath("data/cifar10")),
        (("data", "limit"), None),
        (("run", "seed"), 0),
    ],
    "numbers": [
        (("floats",), [0.0, -0.0, 1.0, 0.1, 1e-6, 1e-7, 1e16, 1e21, 5e-324, 1.7976931348623157e308]),
        (("not finite",), [float("nan"), float("inf"), float("-inf")]),
        (("integers",), [0, -1, 2**53 - 1, 2**53, -(2**64)]),
        (("complex",), [1.5 + 2j, complex(-0.0, float("nan"))]),
        (("decimals",), [Decimal("1.10"), Decimal("1E+3"), Decimal("NaN")]),
    ],
    "texts": [
        (("texts",), ["", "é", "e\u0301", '"\\/\x00\x1f\x7f\u2028', "\U0001f600", "\ufb33"]),
        (("bytes",), [b"", b"\x00\xff"]),
        (("uuid",), UUID("78787878-7878-7878-7878-787878787878")),
    ],
    "times": [
        (("naive",), datetime(2026, 11, 21, 5, 24, 40)),  # noqa: DTZ001 - naive on purpose
        (("aware",), datetime(2026, 11, 21, 5, 24, 40, 123456, tzinfo=UTC)),
        (("date",), date(2026, 11, 21)),
        (("time",), time(5, 24)),
        (("durations",), [timedelta(), timedelta(days=1, microseconds=1), timedelta(seconds=-90)]),
    ],
    "containers": [
        (("empty",), [[], {}, set(), [[]], {"inner": {}}]),
        (("sets",), [{"b", "a"}, frozenset({1, "1", 2.0, None, (1, 2), frozenset({b""})})]),
        (("groups",), {"backbone.0": {"lr": 0.1}, "$odd": 1, "": 2, "\U0001f600": 3, "\ufb33": 4, 'a"b': 5}),
        (("keyed",), {1: "int", None: "none", 0.5: "float", 2.0**60: "tagged"}),
    ],
}
"""Configurations; the golden file has their texts."""

COMMIT: Final = "5ae59433210ddbee64d02632c81eedada837d10c"
CODES: Final = {
    "outside git": CodeVersion.outside("not a git repository"),
    "clean": CodeVersion(COMMIT, "77f7ccef39b296620d9e81c6787f9b7e8b614ce6", is_dirty=False, patch=b""),
    "dirty": CodeVersion(COMMIT, "4b825dc642cb6eb9a060e54bf8d69288fbee4904", is_dirty=True, patch=b""),
}


def identity_of(leaves: list[tuple[KeyPath, object]]) -> dict[str, object]:
    text = canonical_text(leaves)
    runs = {name: identify_run(code, text, experiment_name="golden", run_name="run") for name, code in CODES.items()}
    return {
        "canonical": text,
        "fingerprint": str(fingerprint_of(text)),
        "runs": {
            name: {
                "experiment_uuid": str(run.experiment_uuid),
                "code_uuid": str(run.code_uuid),
                "run_uuid": str(run.run_uuid),
                "id": run.id,
                "uuid": str(run.uuid),
            }
            for name, run in runs.items()
        },
    }


@pytest.fixture(scope="module")
def golden() -> dict[str, object]:
    if os.environ.get("REGENERATE"):
        with GOLDEN.open("x", encoding="utf-8") as file:
            json.dump({name: identity_of(leaves) for name, leaves in LEAVES.items()}, file, indent=2)
            file.write("\n")
    vectors: dict[str, object] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return vectors


@pytest.mark.parametrize("name", LEAVES)
def test_an_identity_that_was_given_out_stands(golden: dict[str, object], name: str) -> None:
    assert identity_of(LEAVES[name]) == golden[name]


def test_no_golden_identity_is_left_untested(golden: dict[str, object]) -> None:
    assert set(golden) == set(LEAVES)
