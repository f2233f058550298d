"""Version 1 of a schema, as it was released."""

from typing import Annotated

from typedcfg import ConfigTemplate, Experiment, NotInIdentity


class Data(ConfigTemplate):
    """What is trained on."""

    bs: int = 4


class Sample(Experiment):
    """An experiment that grows from version to version."""

    data: Data
    lr: float = 0.05
    limit_min: Annotated[float, NotInIdentity()] = 5.0
    tags: Annotated[str, NotInIdentity()] = ""
