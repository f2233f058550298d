"""The files of a sharded checkpoint: torch's distributed checkpoint, written our way, and read without running code.

torch pickles the plan of such a checkpoint, `.metadata`, and objects among its tensors, and unpickles what it finds.
Here a plan may hold the classes that plans are made of and nothing else, and objects are loaded with
`weights_only=True`, as all we load is.
"""

import io
import os
import pickle
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from torch import distributed
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.default_planner import DefaultLoadPlanner, DefaultSavePlanner
from torch.distributed.checkpoint.filesystem import FileSystem, FileSystemReader, FileSystemWriter
from torch.distributed.checkpoint.metadata import Metadata, StorageMeta, TensorStorageMetadata
from torch.distributed.checkpoint.planner import ReadItem, WriteItem
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save
from typing_extensions import Buffer, override

from typedcfg.disk import disk
from typedcfg.errors import Problem, RecordError
from typedcfg.records.checkpoint_content import Part
from typedcfg.records.hashed_file import HashedFile
from typedcfg.runner.lightning.ranks import gathered
from typedcfg.storage import staged

State = dict[str, Any]
"""Tensors and plain values, in dicts within dicts."""

_PLAN: Final = ".metadata"
_IN_PLANS: Final = {
    "torch": {"Size", *(name for name, value in vars(torch).items() if isinstance(value, torch.dtype))},
    "torch.serialization": {"_get_layout"},
    "torch.distributed.checkpoint.filesystem": {"_StorageInfo"},
    "torch.distributed.checkpoint.metadata": {
        "BytesStorageMetadata",
        "ChunkStorageMetadata",
        "Metadata",
        "MetadataIndex",
        "StorageMeta",
        "TensorProperties",
        "TensorStorageMetadata",
        "_MEM_FORMAT_ENCODING",
    },
    "pathlib": {"PosixPath"},
    "pathlib._local": {"PosixPath"},  # from Python 3.13 on
}
"""What plans are made of."""


def write_shards(state: State, folder: Path) -> dict[str, Part]:
    """Write a state, each rank its part; on all ranks at once.

    Args:
        state: What to write; tensors that are split are the same on all ranks but for the parts.
        folder: An empty folder that all ranks see.

    Returns:
        The files that all ranks wrote.

    Raises:
        RecordError: A rank cannot write; it is raised on all of them.
    """
    files = _HashedFiles()
    writer = FileSystemWriter(folder, sync_files=False)  # `staged` sees to it
    writer.fs = files
    with _told(folder, "write"):
        # What is whole on every rank is rank 0's, always: which one it is must not depend on sizes.
        save(state, storage_writer=writer, planner=_PlainSavePlanner(dedup_save_to_lowest_rank=True))
    of_ranks = gathered(files.parts, distributed.get_world_size())
    return {name: part for parts in of_ranks for name, part in parts.items()}


def read_shards(state: State, folder: Path) -> None:
    """Fill a state with what was written of it; on all ranks at once, however many wrote.

    Raises:
        RecordError: It lacks something, or holds what cannot be loaded safely; it is raised on all ranks.
    """
    with _told(folder, "read"):
        reader = _SafeReader(folder)
        reader.read_metadata()  # torch says less of a plan that it cannot read
        load(state, storage_reader=reader, planner=_SafeLoadPlanner())


def read_tensors(folder: Path, key: str) -> dict[str, torch.Tensor]:
    """The whole tensors that were written under a key, in one process.

    Raises:
        RecordError: They cannot be read, or not safely.
    """
    with _told(folder, "read", (Exception,)):  # whatever a plan brings torch to: nothing else is done here
        reader, planner = _SafeReader(folder), _SafeLoadPlanner()
        plan = reader.read_metadata()
        found: dict[str, torch.Tensor] = {}
        for name, stored in plan.state_dict_metadata.items():
            top, *rest = plan.planner_data[name]
            if top == key and len(rest) == 1 and isinstance(stored, TensorStorageMetadata):
                found[rest[0]] = torch.empty(stored.size, dtype=stored.properties.dtype)
        # What torch's `load` does; that warns in a process that is alone.
        planner.set_up_planner({key: found}, plan, is_coordinator=True)
        reader.set_up_storage_reader(plan, is_coordinator=True)
        local = reader.prepare_local_plan(planner.create_local_plan())
        reader.read_data(planner.finish_plan(local), planner).wait()
    return found


class _HashedFiles(FileSystem):
    """Where torch writes: each file is staged, fsynced and hashed on the way."""

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}

    @override
    @contextmanager
    def create_stream(self, path: str | os.PathLike[str], mode: str) -> Generator[io.IOBase, None, None]:
        assert mode == "wb", "a writer reads nothing"
        with staged(Path(path)) as file, HashedFile(file) as hashed:
            try:
                yield _Stream(hashed)
            except RuntimeError:
                # torch's own, raised on the way out, says nothing of what the disk said.
                if hashed.refused is None:
                    raise
                raise hashed.refused from None
        self.parts[Path(path).name] = Part(sha256=hashed.hexdigest(), size=hashed.size)

    @override
    def rename(self, path: str | os.PathLike[str], new_path: str | os.PathLike[str]) -> None:
        disk().replace(Path(path), Path(new_path))
        self.parts[Path(new_path).name] = self.parts.pop(Path(path).name)


class _Stream(io.RawIOBase):
    """A hashed file that knows how far it is, and is closed by who opened it."""

    def __init__(self, file: HashedFile) -> None:
        self._file = file

    @override
    def tell(self) -> int:
        return self._file.size

    @override
    def write(self, content: Buffer) -> int:
        return self._file.write(content)


class _PlainSavePlanner(DefaultSavePlanner):
    """Refuses to write what could not be loaded safely: at resume it would be too late."""

    @override
    def transform_object(self, write_item: WriteItem, object: Any) -> Any:
        written = super().transform_object(write_item, object)
        if isinstance(written, io.BytesIO):
            written.seek(0)
            _load_plain(written, write_item.index.fqn)
        return written


class _SafeLoadPlanner(DefaultLoadPlanner):
    """Loads objects as all else is loaded: plain values."""

    @override
    def load_bytes(self, read_item: ReadItem, value: io.BytesIO) -> None:
        plain = io.BytesIO()
        # Written anew, plain as it is, for the planner to put in its place in the state.
        torch.save(_load_plain(value, read_item.dest_index.fqn), plain)
        plain.seek(0)
        super().load_bytes(read_item, plain)


class _SafeReader(FileSystemReader):
    """Reads a plan that holds what plans are made of."""

    @override
    def read_metadata(self, *args: Any, **kwargs: Any) -> Metadata:
        with (Path(self.path) / _PLAN).open("rb") as file:
            try:
                plan = _checked(_PlanReader(file).load())
                plan.storage_meta = plan.storage_meta or StorageMeta()
            except (OSError, pickle.UnpicklingError):
                raise
            except Exception as error:  # of whatever kind: what was damaged may lead anywhere
                raise pickle.UnpicklingError(f"its plan is damaged: {_told_of(error)}") from error
        return plan


def _checked(plan: object) -> Metadata:
    """A plan that is one, and leads to nothing but files of its folder."""
    if not isinstance(plan, Metadata):
        raise pickle.UnpicklingError(f"it is a {type(plan).__name__}")
    for info in (plan.storage_data or {}).values():
        place = info.relative_path
        if not isinstance(place, str) or "/" in place or place in {"", ".", ".."}:
            raise pickle.UnpicklingError(f"{place!r} is no file in its folder")
    return plan


class _PlanReader(pickle.Unpickler):
    """Knows the classes of a plan."""

    @override
    def find_class(self, module: str, name: str, /) -> Any:
        if name not in _IN_PLANS.get(module, ()):
            raise pickle.UnpicklingError(f"{module}.{name} is not taken")
        return super().find_class(module, name)


def _load_plain(content: io.BytesIO, name: str) -> Any:
    try:
        return torch.load(content, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        what, expected = f"{name} cannot be loaded safely", "tensors, numbers, text, lists and dicts"
        raise RecordError(Problem(what, expected=expected)) from error


@contextmanager
def _told(
    folder: Path, verb: str, refused: tuple[type[Exception], ...] = (OSError, pickle.UnpicklingError)
) -> Generator[None, None, None]:
    """Turn what torch gathers from all ranks into an error that says what happened on the first.

    Args:
        folder: The checkpoint.
        verb: What is done with it.
        refused: What counts as a refusal, where one process is asked.
    """
    try:
        yield
    except CheckpointException as gathered:
        error, _ = gathered.failures[min(gathered.failures)]
        if isinstance(error, RecordError):
            raise error from gathered
        raise _refusal(folder, verb, error) from gathered
    except RecordError:
        raise
    except refused as error:
        raise _refusal(folder, verb, error) from error


def _refusal(folder: Path, verb: str, error: BaseException) -> RecordError:
    return RecordError(Problem(f"cannot {verb} checkpoint {folder.name}: {_told_of(error)}", where=str(folder)))


def _told_of(error: BaseException) -> str:
    """An error in a line; of many kinds the kind says more than the text, which may be none."""
    return str(error) if isinstance(error, (OSError, RuntimeError, pickle.UnpicklingError)) else repr(error)
