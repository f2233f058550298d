"""`launch`: how the processes that train are started."""

from typing import Annotated, Literal, TypeAlias

from annotated_types import Ge

from typedcfg.template.base import ConfigTemplate
from typedcfg.template.marks import Unit


class AutoLaunch(ConfigTemplate):
    """In this process for one device, by torchrun for several."""

    kind: Literal["auto"] = "auto"


class InProcessLaunch(ConfigTemplate):
    """In this process: one device, and a debugger that stops where one expects."""

    kind: Literal["in_process"] = "in_process"


class TorchrunLaunch(ConfigTemplate):
    """By torchrun: a process for each device, ended together when one of them ends badly."""

    kind: Literal["torchrun"] = "torchrun"
    threads: Annotated[int | None, Ge(1), Unit("threads per process")] = None
    """Threads that each process computes with; torchrun's own choice, 1, if null."""


Launch: TypeAlias = AutoLaunch | InProcessLaunch | TorchrunLaunch
