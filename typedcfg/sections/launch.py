"""`launch`: how the processes that train are started."""

import re
from datetime import timedelta
from typing import Annotated, Final, Literal, TypeAlias

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, StringConstraints

from typedcfg.template.base import ConfigTemplate
from typedcfg.template.marks import Unit
from typedcfg.template.words import Words

_LONGEST_LEAD: Final = timedelta(seconds=(1 << 16) - 1)
"""SLURM counts the seconds before the end in two bytes."""
_PORTS: Final = range(1, 1 << 16)
_LINE: Final = re.compile(r"[^\n\r\0]*\Z")


def _endpoint(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) not in _PORTS:
        raise ValueError("a host and a port, node0:29400")
    return text


def _one_line(text: str) -> str:
    if not _LINE.match(text):
        raise ValueError("a text of one line")
    return text


_WORD: Final = "[A-Za-z0-9._+@-]+"
_ASKED: Final = f"{_WORD}(/{_WORD})?(:{_WORD}){{0,2}}"

Name = Annotated[str, StringConstraints(pattern=f"^{_WORD}$"), Words("a name of letters, digits and . _ + @ -")]
Names = Annotated[
    str,
    StringConstraints(pattern=f"^{_WORD}(,{_WORD})*$"),
    Words("a name of letters, digits and . _ + @ -, or several with commas between"),
]
Memory = Annotated[
    str,
    StringConstraints(pattern="^[0-9]+[KMGTkmgt]?$"),
    Words("a whole number with K, M, G or T behind it, or none for M"),
]
Resources = Annotated[
    str,
    StringConstraints(pattern=f"^{_ASKED}(,{_ASKED})*$"),
    Words("name, name:number or name:type:number, with commas between: gpu:4, or gpu:a100:4,shard:1"),
]
"""As SLURM writes them; what SLURM would not take, or take for the end of the option, is refused."""
Line = Annotated[str, AfterValidator(_one_line)]
"""A text that may stand in a script's comment: a second line of it would be a command."""
Wait = Annotated[timedelta, Gt(timedelta(0))]


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
    """Threads that each process computes with; if null as many as before at a resume, else torchrun's own choice, 1."""
    max_restarts: Annotated[int, Ge(0), Unit("restarts")] = 0
    """How often a training that failed is begun once more, from its newest checkpoint."""
    node_rank: Annotated[int, Ge(0)] = 0
    """Which of `trainer.num_nodes` this one is; 0 owns the run."""
    rdzv_endpoint: Annotated[str | None, AfterValidator(lambda text: text and _endpoint(text))] = None
    """Where the nodes meet: node 0 as all of them know it, and a port of it that is free, `node0:29400`."""
    join_timeout: Wait = timedelta(minutes=10)
    """How long the nodes wait for all to come."""
    link_timeout: Wait = timedelta(minutes=1)
    """How long a node may not be heard of until all end: it died, or a network is cut."""


class SlurmLaunch(ConfigTemplate):
    """By SLURM: `typedcfg run` submits a job, in which each task of `srun` is a rank."""

    kind: Literal["slurm"] = "slurm"
    submit: bool = True
    """Submit the script, rather than write and show it."""
    partition: Names | None = None
    """The partition; the cluster's default if null."""
    account: Name | None = None
    """The account that is charged; the user's default if null."""
    time: Annotated[timedelta | None, Ge(timedelta(minutes=1))] = None
    """How long the job may take; the partition's limit if null."""
    cpus_per_task: Annotated[int | None, Ge(1), Unit("CPUs per rank")] = None
    """CPUs for each rank, loader workers among them."""
    mem: Memory | None = None
    """Memory of each node, `64G`."""
    gres: Resources | None = None
    """What else each node is to have, `gpu:4`."""
    requeue: bool = True
    """Have the job queued once more when it is preempted or its time is up; it goes on where it stopped."""
    lead_time: Annotated[timedelta, Ge(timedelta(seconds=1)), Le(_LONGEST_LEAD)] = timedelta(minutes=1)
    """How long before the end SLURM tells the training to save; about a minute more is added by SLURM itself."""
    lines: tuple[Line, ...] = ()
    """More lines for the head of the script: `#SBATCH --qos=high`, `module load cuda`."""
    join_timeout: Wait = timedelta(minutes=10)
    """How long the ranks wait for all to come."""
    link_timeout: Wait = timedelta(minutes=1)
    """How long a rank may not be heard of until all end: it died, or a network is cut."""


Launch: TypeAlias = AutoLaunch | InProcessLaunch | TorchrunLaunch | SlurmLaunch
