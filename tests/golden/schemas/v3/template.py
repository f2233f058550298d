"""Version 3: tags are a list, and gradients may be clipped."""

from typing import Annotated, Any

from typedcfg import AddedIn, ConfigTemplate, Experiment, NotInIdentity, RenamedFrom, migrates


class Loader(ConfigTemplate):
    """How minibatches are read."""

    batch_size: Annotated[int, RenamedFrom("data.bs")] = 4


class Sample(Experiment):
    """An experiment that grows from version to version."""

    loader: Loader
    lr: float = 0.05
    clip: Annotated[float | None, AddedIn(was=None)] = None
    limit_s: Annotated[float, NotInIdentity()] = 300.0
    tags: Annotated[list[str], NotInIdentity()] = []


@migrates(Sample, from_version=1)
def count_in_seconds(values: dict[str, Any]) -> dict[str, Any]:
    """Minutes become seconds."""
    values["limit_s"] = 60 * values.pop("limit_min")
    return values


@migrates(Sample, from_version=2)
def list_tags(values: dict[str, Any]) -> dict[str, Any]:
    """A text with commas becomes a list."""
    values["tags"] = values["tags"].split(",")
    return values
