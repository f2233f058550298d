"""Reading: attributes and fingerprints of a finished configuration."""

from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from compiling import compiled
from stopwatch import Row, race
from workload import PlainSection, workload

from typedcfg import ConfigTemplate
from typedcfg.identity.fingerprint import Fingerprint, fingerprint_of
from typedcfg.identity.section_text import identity_text


class Schedule(ConfigTemplate):
    """The innermost of three sections."""

    warmup: int = 500


class Optimizer(ConfigTemplate):
    """The middle of three sections."""

    schedule: Schedule


class Params(ConfigTemplate):
    """The outermost of three sections."""

    optimizer: Optimizer


class PlainSchedule(PlainSection):
    """As `Schedule`, by hand."""

    warmup: int = 500


class PlainOptimizer(PlainSection):
    """As `Optimizer`, by hand."""

    schedule: PlainSchedule = PlainSchedule()


class PlainParams(PlainSection):
    """As `Params`, by hand."""

    optimizer: PlainOptimizer = PlainOptimizer()


class PlainConfig(PlainSection):
    """What holds the parameters, as a `Config` does."""

    params: PlainParams = PlainParams()


def read_attributes(seconds: float) -> Iterator[Row]:
    """A value three sections down, in as many steps as by hand."""
    names = {"config": Params.compile(), "by_hand": PlainConfig(), "params": PlainParams()}
    below = "optimizer.schedule.warmup"
    for subject, floor in (
        (f"config.params.{below}", f"by_hand.params.{below}"),
        (f"config.{below}", f"params.{below}"),
    ):
        yield race(f"read {subject}", subject, floor, seconds=seconds, target=1.0, names=names)


def fingerprint(sizes: tuple[int, ...], seconds: float) -> Iterator[Row]:
    """The fingerprint of a configuration, against hashing its plain values as orjson writes them."""
    with TemporaryDirectory() as folder:
        for leaves in sizes:
            config = compiled(workload(leaves, Path(folder)))
            yield race(
                f"fingerprint {leaves:,} leaves",
                partial(_fingerprint, config.params),
                partial(_hash, config.plain()),
                seconds=seconds,
                target=10,
            )


def _fingerprint(params: ConfigTemplate) -> Fingerprint:
    # As `config.fingerprint`, which keeps the text: what is measured is making it.
    return fingerprint_of(identity_text(params))


def _hash(plain: dict[str, Any]) -> str:
    return sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()
