"""Version 2: a section and a field have other names, and a limit is in seconds."""

from typing import Annotated, Any

from typedcfg import ConfigTemplate, Experiment, NotInIdentity, RenamedFrom, migrates


class Loader(ConfigTemplate):
    """How minibatches are read."""

    batch_size: Annotated[int, RenamedFrom("data.bs")] = 4


class Sample(Experiment):
    """An experiment that grows from version to version."""

    loader: Loader
    lr: float = 0.05
    limit_s: Annotated[float, NotInIdentity()] = 300.0
    tags: Annotated[str, NotInIdentity()] = ""


@migrates(Sample, from_version=1)
def count_in_seconds(values: dict[str, Any]) -> dict[str, Any]:
    """Minutes become seconds."""
    values["limit_s"] = 60 * values.pop("limit_min")
    return values
