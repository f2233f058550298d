"""What a loop of one's own trains within: device, seeds, determinism and processes that agree; all is put back."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Final

import torch
from torch import distributed

from typedcfg.errors import Problem, RunError
from typedcfg.runner.lightning.seeds import determinism, host_states_kept, seed_all
from typedcfg.runner.process import Process
from typedcfg.sections.run import Run

_PATIENCE: Final = timedelta(minutes=5)


def device_of(accelerator: str, process: Process) -> torch.device:
    """The device that a process computes on.

    Raises:
        RunError: The machine has none of that kind, or not as many as it has processes.
    """
    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    kind = accelerator
    if accelerator == "auto":
        kind = "gpu" if has_cuda else "mps" if has_mps else "cpu"
    if kind == "gpu" and process.local_rank < torch.cuda.device_count():
        return torch.device("cuda", process.local_rank)
    if kind == "cpu" or (kind == "mps" and has_mps):
        return torch.device(kind)
    what = f"trainer.accelerator is {accelerator}, and there is no such device for process {process.local_rank}"
    raise RunError(Problem(what, fix="set trainer.accelerator=cpu, or start fewer processes"))


@contextmanager
def surroundings(run: Run, device: torch.device, *, rank: int, benchmark: bool, threads: int | None) -> Iterator[None]:
    """For the length of the block, seeds, determinism and threads as asked for."""
    with ExitStack() as stack:
        stack.enter_context(host_states_kept())
        stack.enter_context(determinism(is_on=run.deterministic))
        if benchmark:
            torch.backends.cudnn.benchmark = True  # `determinism` puts it back
        if threads is not None:
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(threads)
        if device.type == "cuda":
            stack.enter_context(torch.cuda.device(device))
        seed_all(run.seed, rank=rank if run.seed_per_rank else 0)
        yield


@contextmanager
def agreeing(process: Process, device: torch.device) -> Iterator[None]:
    """For the length of the block, processes that can talk to each other, if there are several."""
    if process.world_size == 1 or distributed.is_initialized():
        yield
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield
    finally:
        if not process.is_forked:
            distributed.destroy_process_group()


def told_by_the_first(process: Process, text: str, device: torch.device) -> str:
    """What the first process has to say, on every one."""
    if process.world_size == 1:
        return text
    told = [text]
    distributed.broadcast_object_list(told, src=0, device=device if device.type == "cuda" else None)
    return told[0]


def wait_for_all(process: Process) -> None:
    """Go on once every process came here; raises where one ended before."""
    if process.world_size > 1 and not process.is_forked:
        distributed.barrier()
