"""A checkpoint's manifest: the small file that says it is whole.

The manifest is written last, so it is the commit: a checkpoint without one was never finished. It holds the sha256 of
the checkpoint, since a flipped bit in a tensor loads without a complaint. To find where to resume, manifests alone
are read, in the order of their steps and epochs; clocks and modification times are not to be trusted. So a manifest
holds its own sha256 too: a step or an epoch that was changed in it would lead elsewhere.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple

from annotated_types import Ge
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from typedcfg.errors import Problem, RecordError
from typedcfg.records.checkpoint_content import ITSELF, Part, read_content, read_part, sizes
from typedcfg.records.json_text import read_json, to_json
from typedcfg.refusal import remedy
from typedcfg.storage import write_atomically

SCHEMA_VERSION: Final = 2
"""The version of a manifest that is written, and the newest that is read."""

STEPS: Final = "step-*.ckpt"
"""What the checkpoints of a run are called, which each have a manifest of their own; other names are for people."""

_STEP: Final = re.compile(r"step-(?P<step>[0-9]+)(?:\.(?P<number>[0-9]+))?\.ckpt")
_OWN_DIGEST: Final = "manifest_sha256"
_CHECKPOINT_SUFFIX: Final = ".ckpt"
_MANIFEST_SUFFIX: Final = ".ckpt.json"
_UNDER_WAY: Final = 1
"""How many checkpoints of an attempt a kill can leave that never had a manifest: a save waits for the one before."""


class Manifest(BaseModel):
    """What a checkpoint is, and how to tell that it still is."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[2] = SCHEMA_VERSION
    kind: Literal["file", "sharded"] = "file"
    """One file, or a folder that every rank wrote its part of."""
    sha256: str
    """Of the file; of a folder, that of the list of its files."""
    size: Annotated[int, Ge(0)]
    """In bytes, of all files together."""
    files: dict[str, Part] = Field(default={}, exclude_if=lambda files: not files)
    """Those of a folder; none where it is a file itself."""
    step: Annotated[int, Ge(0)]
    """Optimizer steps taken."""
    epoch: Annotated[int, Ge(0)]
    """Epochs finished."""
    batch: Annotated[int, Ge(0)] = 0
    """Batches of the running epoch that each rank was trained on; 0 at the end of an epoch."""
    samples: Annotated[int, Ge(0)] | None = None
    """Training samples seen, on all ranks together; None where nothing counted them."""
    world_size: Annotated[int, Ge(1)]
    fingerprint: str | None = None
    """Of the configuration; None in a training that has none."""
    time: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    manifest_sha256: str | None = None
    """Of all else in the manifest, as JSON without spaces; None until it is written."""

    @property
    def parts(self) -> dict[str, Part]:
        """Each file that it consists of."""
        return self.files or {ITSELF: Part(sha256=self.sha256, size=self.size)}

    @property
    def place(self) -> tuple[int, int]:
        """Where the training was: a step counts before an epoch, which may end without one."""
        return self.step, self.epoch

    @property
    def is_inside_epoch(self) -> bool:
        """Whether it was written in the midst of an epoch, whose result nobody knows yet."""
        return self.batch > 0

    def is_of(self, fingerprint: str | None) -> bool:
        """Whether it may be of a configuration: it states that one's fingerprint, or none."""
        return self.fingerprint in {None, fingerprint}


class Verified(NamedTuple):
    """A checkpoint that is what its manifest says, and those passed over to find it."""

    path: Path
    manifest: Manifest
    refused: tuple[Problem, ...] = ()


class StepName(NamedTuple):
    """What the name of a checkpoint says."""

    step: int
    """Optimizer steps taken."""
    number: int
    """Which of those at that step it is, the first being 0."""

    @classmethod
    def of(cls, checkpoint: Path) -> "StepName":
        """What a name says; zeros for one that carries no step.

        Example:
            >>> StepName.of(Path("step-00001200.1.ckpt"))
            StepName(step=1200, number=1)
        """
        match = _STEP.fullmatch(checkpoint.name)
        return cls(int(match["step"]), int(match["number"] or 0)) if match else cls(0, 0)

    def __str__(self) -> str:
        """The name.

        Example:
            >>> str(StepName(1200, 0))
            'step-00001200.ckpt'
        """
        return f"step-{self.step:08d}.{self.number}.ckpt" if self.number else f"step-{self.step:08d}.ckpt"


def manifest_path(checkpoint: Path) -> Path:
    """Where the manifest of a checkpoint stands.

    Example:
        >>> manifest_path(Path("step-00001200.ckpt")).name
        'step-00001200.ckpt.json'
    """
    return checkpoint.with_name(checkpoint.name + ".json")


def write_manifest(checkpoint: Path, manifest: Manifest) -> None:
    """Commit a checkpoint.

    Raises:
        RecordError: The manifest cannot be written; the checkpoint does not count.
    """
    content = manifest.model_dump(mode="json")
    sealed = {**content, _OWN_DIGEST: _digest_of(content)}
    write_atomically(manifest_path(checkpoint), to_json(sealed, indent=True))


def read_manifest(checkpoint: Path) -> Manifest:
    """The manifest of a checkpoint.

    Raises:
        RecordError: There is none, it cannot be read, was changed, or was written by a newer typedcfg.
    """
    path = manifest_path(checkpoint)
    content: Any = read_json(path)
    try:
        manifest = Manifest.model_validate(_of_today(content, path))
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        key = ".".join(map(str, found["loc"]))
        raise RecordError(Problem(f"{path.name} is no manifest: {key}: {found['msg']}", where=str(path))) from None
    if manifest.manifest_sha256 != _digest_due(content):
        raise RecordError(Problem(f"{path.name} was changed: it is not what its {_OWN_DIGEST} states", where=str(path)))
    return manifest


def _digest_due(content: dict[str, Any]) -> str | None:
    """What a manifest has to state of itself; the first version stated nothing."""
    if content.get("schema_version") == 1 and _OWN_DIGEST not in content:
        return None
    return _digest_of(content)


def _digest_of(content: dict[str, Any]) -> str:
    return hashlib.sha256(to_json({key: content[key] for key in content if key != _OWN_DIGEST})).hexdigest()


def _of_today(content: Any, path: Path) -> Any:
    """What a manifest of any version says, as today's says it."""
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version == 1:  # it knew one kind, no samples, and only the ends of epochs: the defaults
        return {**content, "schema_version": SCHEMA_VERSION}
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise RecordError(
            Problem(
                f"{path.name} was written by a newer typedcfg: it has schema version {version}",
                where=str(path),
                expected=f"schema version {SCHEMA_VERSION} or older",
                fix="update typedcfg",
            )
        )
    return content


def committed(folder: Path) -> dict[Path, Manifest]:
    """The checkpoints of a folder that were finished, the newest last; nobody looked whether they still are whole.

    Raises:
        RecordError: The folder cannot be read; see `checkpoint_files`.
    """
    found, _ = _committed(folder)
    return dict(found)


def uncommitted(folder: Path) -> list[Path]:
    """The checkpoints of a folder that have no manifest, by steps: never finished, or their manifests are lost.

    Raises:
        RecordError: The folder cannot be read; see `checkpoint_files`.
    """
    steps = (path for path in checkpoint_files(folder) if path.match(STEPS))
    return [path for path in sorted(steps, key=StepName.of) if not manifest_path(path).exists()]


def checkpoint_files(folder: Path) -> list[Path]:
    """What lies in a folder of checkpoints, by names; nothing where there is no such folder.

    Raises:
        RecordError: It cannot be read, or what has its name or that of a folder above it is none: a file, or a link to
            a disk that is not mounted. Whether it holds checkpoints nobody knows.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        standing = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
        if isinstance(error, FileNotFoundError) and os.path.isdir(standing):  # noqa: PTH112  # Path.is_dir may raise
            return []
        lost = f"bring back what {standing} leads to, a disk that is not mounted perhaps"
        is_lost = os.path.islink(standing) and not os.path.exists(standing)  # noqa: PTH110, PTH114  # as above
        what = f"cannot read {folder.name}: {error.strerror}"
        fix = lost if is_lost else remedy(folder, error)
        raise RecordError(Problem(what, where=str(folder), fix=fix)) from error


def verify(checkpoint: Path) -> Manifest:
    """The manifest of a checkpoint that is what the manifest says, to the last bit.

    A further name for people, `best.ckpt`, has no manifest of its own: that of the same content beside it counts.

    Raises:
        RecordError: It was never finished, is gone, cut short or changed; for a folder, any of its files.
    """
    try:
        if manifest_path(checkpoint).exists():
            manifest = read_manifest(checkpoint)
            _compare(checkpoint, manifest)
            return manifest
        sizes(checkpoint)
        manifests = committed(checkpoint.parent).values()
        if not manifests:
            fix = "copy its manifest too, from where it lay; what was never finished had none"
            raise RecordError(_unvouched(checkpoint, fix=fix))
        content = read_content(checkpoint)
    except OSError as error:
        problem = Problem(f"cannot read checkpoint {checkpoint.name}: {error.strerror}", where=str(checkpoint))
        raise RecordError(problem) from error
    for manifest in manifests:
        if manifest.sha256 == content.sha256:
            return manifest
    what = f"checkpoint {checkpoint.name} was never finished, or is damaged: no manifest states its sha256"
    raise RecordError(Problem(what, where=str(checkpoint), expected=_manifest_of(checkpoint)))


def _compare(checkpoint: Path, manifest: Manifest) -> None:
    """See that a checkpoint has the parts that are stated, and no other; what is cheap to see comes first."""
    stated, found = manifest.parts, sizes(checkpoint)
    if (ITSELF in stated) != (ITSELF in found):
        raise _damage(checkpoint, f"it is {'a file' if ITSELF in found else 'a folder'}")
    for name in stated:
        if name not in found:
            raise _damage(checkpoint, f"{name} is missing")
    for name in found:
        if name not in stated:
            raise _damage(checkpoint, f"{name} is none of its files")
    for name, part in stated.items():
        if found[name] != part.size:
            raise _damage(checkpoint, f"{name or 'it'} has {found[name]} bytes instead of {part.size}")
    for name, part in stated.items():
        if read_part(checkpoint / name).sha256 != part.sha256:
            of_it = f"the sha256 of {name}" if name else "its sha256"
            raise _damage(checkpoint, f"{of_it} is not the one its manifest states", expected=part.sha256)


def _damage(checkpoint: Path, what: str, *, expected: str = "") -> RecordError:
    what = f"checkpoint {checkpoint.name} is damaged: {what}"
    return RecordError(Problem(what, where=str(checkpoint), expected=expected))


def newest_verified(
    folders: Iterable[Path],
    *,
    check: Callable[[Path], Manifest] = verify,
    instead: str = "begin from nothing with --resume never",
) -> Verified | None:
    """The newest whole checkpoint of the first folder that has one; None where nothing was ever committed.

    Args:
        folders: Where to look, the one to prefer first.
        check: Gives the manifest of a checkpoint that is whole, and raises RecordError for another.
        instead: What the caller's user may do where none is whole and none can be restored.

    Raises:
        RecordError: Checkpoints were committed, and not one of them is whole, or a folder of them cannot be read:
            starting afresh in silence would throw the run's work away.
    """
    refused: list[Problem] = []
    unvouched: list[Problem] = []
    were_committed = False
    for folder in folders:
        found, unreadable = _committed(folder)
        refused += unreadable
        without = uncommitted(folder)
        for checkpoint, _ in reversed(found):
            try:
                manifest = check(checkpoint)
            except RecordError as error:
                refused += error.problems
            else:
                newer = [_unvouched(path) for path in without if StepName.of(path) > StepName.of(checkpoint)]
                return Verified(checkpoint, manifest, (*unvouched, *newer, *refused))
        unvouched += map(_unvouched, without)
        were_committed = were_committed or len(without) > _UNDER_WAY
    if refused or were_committed:
        fix = f"restore one of them from a copy, and its manifest, or {instead}"
        raise RecordError(Problem("no checkpoint of this run is whole", fix=fix), *refused, *unvouched)
    return None


def _unvouched(checkpoint: Path, *, fix: str = "") -> Problem:
    what = f"checkpoint {checkpoint.name} has no manifest: its save was never finished, or the manifest is lost"
    return Problem(what, where=str(checkpoint), expected=_manifest_of(checkpoint), fix=fix)


def _manifest_of(checkpoint: Path) -> str:
    """What is to stand beside a checkpoint: of a name for people, that of the step which it leads to."""
    own = f"{manifest_path(checkpoint).name} beside it"
    return own if checkpoint.match(STEPS) else f"{own}, or the {STEPS}.json of the same content"


def _committed(folder: Path) -> tuple[list[tuple[Path, Manifest]], list[Problem]]:
    """What manifests state, the newest last, and what is wrong with those that cannot be read."""
    found: list[tuple[Path, Manifest]] = []
    unreadable: list[Problem] = []
    manifests = (path for path in checkpoint_files(folder) if path.name.endswith(_MANIFEST_SUFFIX))
    for path in manifests:
        checkpoint = path.with_name(path.name.removesuffix(_MANIFEST_SUFFIX) + _CHECKPOINT_SUFFIX)
        try:
            found.append((checkpoint, read_manifest(checkpoint)))
        except RecordError as error:
            unreadable += error.problems
    return sorted(found, key=lambda entry: (entry[1].place, StepName.of(entry[0]).number)), unreadable
