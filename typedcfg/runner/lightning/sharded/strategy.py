"""Lightning's strategy for FSDP2, with checkpoints that are whole or are not there."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.strategies import ModelParallelStrategy
from lightning.pytorch.utilities.model_helpers import is_overridden
from torch import Tensor
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.tensor import DTensor
from typing_extensions import override

from typedcfg.errors import Problem, RecordError, RunOwned
from typedcfg.records.checkpoint_content import Part, content_of_folder
from typedcfg.records.checkpoint_record import Manifest, manifest_path, write_manifest
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO, save_plain
from typedcfg.runner.lightning.ranks import gathered
from typedcfg.runner.lightning.safe_load import REST, WEIGHTS_KEY, load_safely
from typedcfg.runner.lightning.sharded.shards import read_shards, write_shards
from typedcfg.runner.lightning.sharded.split import split
from typedcfg.storage import fill_atomically, make_folder, remove, staged_folder

BUFFERS_KEY: Final = "typedcfg_buffers"
"""Where a checkpoint holds every rank's buffers: ranks share parameters, and count statistics each by itself."""

Result = TypeVar("Result")


class ShardedStrategy(ModelParallelStrategy):
    """Splits weights, gradients and optimizer states among ranks (FSDP2), and saves them in parts.

    A module that overrides `configure_model` may split itself, with `self.device_mesh["data_parallel"]`; `split` says
    how any other is split. A checkpoint is a folder that each rank wrote a file of. All are staged, fsynced and
    hashed, the folder is moved to its name, and the manifest comes last.

    Example:
        `Trainer(devices=2, strategy=ShardedStrategy(2), plugins=[VerifiedCheckpointIO()])`
    """

    def __init__(self, ranks: int) -> None:
        """Split among so many ranks, all there are."""
        super().__init__(data_parallel_size=ranks, tensor_parallel_size=1)

    @override
    def setup(self, trainer: Trainer) -> None:
        """Split the module, and set up its optimizers.

        Raises:
            RunError: It cannot be split.
            MisconfigurationException: The trainer lacks the plugin that checkpoints are committed by.
        """
        module = self.lightning_module
        assert module is not None, "Lightning connects it first"
        if not isinstance(self.checkpoint_io, VerifiedCheckpointIO):
            raise MisconfigurationException("ShardedStrategy needs Trainer(plugins=[VerifiedCheckpointIO()])")
        if self.checkpoint_io.asynchronous:
            raise MisconfigurationException("shards are not written in the background: asynchronous must be False")
        if self.world_size == 1:
            # Lightning takes a group of one for several, which ought to put together what they log.
            warnings.filterwarnings("ignore", "It is recommended to use `self.log", PossibleUserWarning)
        split(module, self.device_mesh["data_parallel"])
        with _configured(module):
            super().setup(trainer)

    @override
    def save_checkpoint(self, checkpoint: dict[str, Any], filepath: Any, storage_options: Any | None = None) -> None:
        """Write and commit one checkpoint; on all ranks at once.

        Raises:
            RecordError: A rank cannot write, or it holds what cannot be loaded safely; it is raised on all ranks.
            TypeError: `storage_options` is given.
        """
        if storage_options is not None:
            raise TypeError("storage_options are not supported: a checkpoint is one local folder")
        target, (rest, facts) = Path(self.broadcast(str(filepath))), self._io.describe(checkpoint)
        rest = {**rest, BUFFERS_KEY: gathered(_buffers(self._module), self.world_size)}
        state = {WEIGHTS_KEY: rest.pop(WEIGHTS_KEY)}
        state |= {_optimizer(number): optimizer for number, optimizer in enumerate(rest.pop("optimizer_states", []))}
        with ExitStack() as staging:
            stage = self._agreed(lambda: staging.enter_context(_staged(target, self._io.guard)))
            shards = write_shards(state, stage)

            def commit() -> None:
                file = fill_atomically(stage / REST, partial(save_plain, rest, target))
                content = content_of_folder({**shards, REST: Part(sha256=file.hexdigest(), size=file.size)})
                self._io.guard()  # once more: to write it may have taken long
                staging.close()
                write_manifest(target, Manifest(kind="sharded", **content._asdict(), **facts._asdict()))

            self._agreed(commit)

    @override
    def load_checkpoint(self, checkpoint_path: Any, weights_only: bool | None = None) -> dict[str, Any]:
        """Bring the model and its optimizers back to where they were, after every file was found to be whole.

        Returns:
            All the rest.

        Raises:
            RecordError: It was never finished, is damaged, is one file, or holds what cannot be loaded safely; it is
                raised on all ranks.
        """
        path, model = Path(self.broadcast(str(checkpoint_path))), self._module
        self._agreed(lambda: self._io.check(path, weights_only=weights_only))
        if not path.is_dir():
            what, fix = (
                f"checkpoint {path.name} is one file, and this training saves folders",
                "load_pretrained reads it",
            )
            raise RecordError(Problem(what, where=str(path), fix=fix))
        rest = load_safely(path / REST)
        weights = {WEIGHTS_KEY: get_model_state_dict(model)}
        read_shards(weights, path)
        model.load_state_dict(weights[WEIGHTS_KEY], strict=model.strict_loading)
        for number, optimizer in enumerate(self.optimizers):
            state = {_optimizer(number): get_optimizer_state_dict(model, optimizer)}
            read_shards(state, path)
            # Read on the CPU, which has room for it.
            options = StateDictOptions(cpu_offload=True)
            set_optimizer_state_dict(model, optimizer, optim_state_dict=state[_optimizer(number)], options=options)
        buffers = rest.pop(BUFFERS_KEY)
        if len(buffers) == self.world_size:
            model.load_state_dict(buffers[self.global_rank], strict=False)
        return rest

    @property
    def _io(self) -> VerifiedCheckpointIO:
        assert isinstance(self.checkpoint_io, VerifiedCheckpointIO), "setup saw to it"
        return self.checkpoint_io

    @property
    def _module(self) -> LightningModule:
        assert isinstance(self.model, LightningModule), "setup saw to it"
        return self.model

    def _agreed(self, deed: Callable[[], Result]) -> Result:
        """What rank 0 gets by a deed that it does for all, on all ranks; or the error that it meets."""
        result: Any = None
        if self.is_global_zero:
            try:
                result = None, deed()
            except (RecordError, RunOwned) as error:
                result = error, None
        failure, got = self.broadcast(result)
        if failure is not None:
            raise failure
        return got  # type: ignore[no-any-return]  # it went through a broadcast


@contextmanager
def _configured(module: LightningModule) -> Iterator[None]:
    """Let Lightning see a `configure_model`, which it insists on: where there is none, the module was split without."""
    if is_overridden("configure_model", module):
        yield
        return
    module.configure_model = lambda: None  # type: ignore[method-assign]  # for the length of the block
    try:
        yield
    finally:
        del module.configure_model


@contextmanager
def _staged(target: Path, guard: Callable[[], None]) -> Iterator[Path]:
    guard()  # before a folder is made where a run was moved away from
    if not target.parent.is_dir():
        make_folder(target.parent)
    # First the old commit goes: it must not vouch for the new content.
    remove(manifest_path(target))
    with staged_folder(target) as folder:
        yield folder


def _optimizer(number: int) -> str:
    """Where a checkpoint holds an optimizer's state."""
    return f"optimizer_{number}"


def _buffers(module: LightningModule) -> dict[str, Tensor]:
    """What is in the state of a module and is not split."""
    kept = module.state_dict().keys()
    return {
        name: buffer.detach().to("cpu", copy=True)
        for name, buffer in module.named_buffers()
        if name in kept and not isinstance(buffer, DTensor)
    }
