"""A run's folder: every path inside it is built here, and nowhere else.

{project_root}/{experiment_name}-{run_name}-{id}/     the run; found by *-{id}
  .typedcfg                                            our marker: the run's full UUID
  lock                                                 held by the process that owns the run
  run.yaml  run.json  git.patch                        configuration with origins; record; what git did not hold
  20261121T052440.123456Z/                             an attempt, named by the UTC time at which it began
    run.log  run.rank1.log  results.jsonl  results.json  latest.json  best.json
    checkpoints/  step-00001200.ckpt  step-00001200.ckpt.json  latest.ckpt  best.ckpt  epoch-10.ckpt
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from typedcfg import storage
from typedcfg.errors import Problem, RunError
from typedcfg.records.checkpoint_record import Verified, newest_verified
from typedcfg.records.result_record import ResultFiles

_NAME: Final = re.compile(r"[A-Za-z0-9._=-]{1,161}\Z")
"""Two names of up to 80 characters and the hyphen between them."""
_ATTEMPT_TIME: Final = "%Y%m%dT%H%M%S.%fZ"
_ATTEMPT_NAME: Final = re.compile(r"\d{8}T\d{6}\.\d{6}Z\Z")
_MARKER: Final = ".typedcfg"
_CODE_DIGITS: Final = 8
_LONG_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class CheckpointDir:
    """The checkpoints of one attempt."""

    path: Path

    @property
    def latest(self) -> Path:
        """A name for people: the last checkpoint."""
        return self.path / "latest.ckpt"

    @property
    def best(self) -> Path:
        """A name for people: the checkpoint with the best score."""
        return self.path / "best.ckpt"

    def epoch(self, epochs: int) -> Path:
        """A name for people: the checkpoint after so many epochs."""
        return self.path / f"epoch-{epochs}.ckpt"

    def step(self, step: int) -> Path:
        """The checkpoint after so many optimizer steps; the name that a manifest stands beside."""
        return self.path / f"step-{step:08d}.ckpt"

    def steps(self) -> tuple[Path, ...]:
        """All checkpoints that carry a step, committed or not."""
        return tuple(sorted(self.path.glob("step-*.ckpt")))

    def names(self) -> tuple[Path, ...]:
        """All names for people."""
        return tuple(path for path in sorted(self.path.glob("*.ckpt")) if not path.name.startswith("step-"))


@dataclass(frozen=True, slots=True)
class AttemptDir:
    """The folder of one attempt."""

    path: Path

    @property
    def timestamp(self) -> str:
        """When the attempt began, in UTC: the folder's name."""
        return self.path.name

    @property
    def checkpoints(self) -> CheckpointDir:
        """Its checkpoints."""
        return CheckpointDir(self.path / "checkpoints")

    @property
    def result_files(self) -> ResultFiles:
        """Its results."""
        return ResultFiles(
            journal=self.path / "results.jsonl",
            results=self.path / "results.json",
            latest=self.path / "latest.json",
            best=self.path / "best.json",
        )

    def log(self, rank: int = 0) -> Path:
        """The log of one rank."""
        return self.path / (f"run.rank{rank}.log" if rank else "run.log")


@dataclass(frozen=True, slots=True)
class RunDir:
    """The folder of one run."""

    path: Path

    @classmethod
    def open(cls, project_root: Path, *, name: str, id: str, run_uuid: UUID) -> "RunDir":  # noqa: A002  # as users see it
        """The folder of a run, made if there is none yet.

        A folder whose name ends in the same 16 characters but that belongs to another run is left alone, and this
        run's then ends in all 16 digits of its own identifier instead of 8.

        Args:
            project_root: Where all runs live.
            name: `experiment_name-run_name`; decides only what a new folder is called.
            id: The run's 16 characters: 8 of the code, 8 of the run.
            run_uuid: The run's whole identity.

        Raises:
            RunError: The name is no name for a folder, leads out of `project_root`, or a folder of that name is
                no run of ours.
            RecordError: The folder cannot be made.
        """
        for text in (name, id):
            _check_name(text)
        marked = _marked_folders(project_root, id, run_uuid)
        own = next((path for path, owner in marked if owner == run_uuid), None)
        if own is not None:
            return cls(_inside(own, project_root))
        ending = _long_id(id, run_uuid) if marked else id
        return cls._make(project_root, project_root / f"{name}-{ending}", run_uuid)

    @classmethod
    def find(cls, project_root: Path, *, id: str, run_uuid: UUID) -> "RunDir | None":  # noqa: A002  # as users see it
        """The folder of a run, if there is one; nothing is made.

        Raises:
            RunError: The folder leads out of `project_root`.
        """
        marked = _marked_folders(project_root, id, run_uuid)
        own = next((path for path, owner in marked if owner == run_uuid), None)
        return None if own is None else cls(_inside(own, project_root))

    @classmethod
    def at(cls, path: Path) -> "RunDir":
        """The run that a folder is.

        Raises:
            RunError: The folder is no run.
        """
        run = cls.within(path)
        if run is None:
            expected = f"a folder that `typedcfg run` made: it holds a file {_MARKER}"
            raise RunError(Problem(f"{path} is no run", where=str(path), expected=expected))
        return run

    @classmethod
    def within(cls, path: Path) -> "RunDir | None":
        """The run that a folder is; None if it is none."""
        return None if _marked_uuid(path) is None else cls(path)

    @property
    def run_uuid(self) -> UUID:
        """The run's whole identity, as its marker states it."""
        marked = _marked_uuid(self.path)
        assert marked is not None
        return marked

    @property
    def record(self) -> Path:
        """`run.json`."""
        return self.path / "run.json"

    @property
    def config(self) -> Path:
        """`run.yaml`: the resolved configuration, with origins."""
        return self.path / "run.yaml"

    @property
    def patch(self) -> Path:
        """`git.patch`: what the tree held and the commit did not."""
        return self.path / "git.patch"

    @property
    def lock(self) -> Path:
        """The file that the owner of the run holds locked."""
        return self.path / "lock"

    def attempts(self) -> tuple[AttemptDir, ...]:
        """All attempts, oldest first."""
        return tuple(AttemptDir(p) for p in sorted(self.path.iterdir()) if _ATTEMPT_NAME.match(p.name))

    def new_attempt(self) -> AttemptDir:
        """Make the folder of a new attempt; only for who owns the run.

        Its name is later than that of every attempt before, also where the clock was set back.

        Raises:
            RecordError: The folder cannot be made.
        """
        time = datetime.now(UTC)
        if before := self.attempts():
            last = datetime.strptime(before[-1].timestamp, _ATTEMPT_TIME).replace(tzinfo=UTC)
            time = max(time, last + timedelta(microseconds=1))
        while not storage.make_folder(self.path / time.strftime(_ATTEMPT_TIME)):
            time += timedelta(microseconds=1)
        attempt = AttemptDir(self.path / time.strftime(_ATTEMPT_TIME))
        storage.make_folder(attempt.checkpoints.path)
        return attempt

    def latest_checkpoint(self, *, since: str = "") -> Verified | None:
        """Where to resume: the newest whole checkpoint of the newest attempt that has one; None if there is none yet.

        Args:
            since: The first attempt that counts; attempts before it were given up.

        Raises:
            RecordError: Checkpoints were committed, and not one of them is whole.
        """
        counting = [attempt for attempt in self.attempts() if attempt.timestamp >= since]
        return newest_verified(attempt.checkpoints.path for attempt in reversed(counting))

    @classmethod
    def _make(cls, project_root: Path, path: Path, run_uuid: UUID) -> "RunDir":
        made = storage.make_filled_folder(path, {_MARKER: f"{run_uuid}\n".encode()})
        if not made and _marked_uuid(path) != run_uuid:  # if it is ours, another process made it a moment ago
            what = f"{path} is in the way: it is no run of typedcfg"
            raise RunError(Problem(what, where=str(path), fix="move it away, or choose another run.name"))
        return cls(_inside(path, project_root))


def _check_name(text: str) -> None:
    if not _NAME.match(text):
        expected = "1 to 80 letters, digits and . _ = - for each of the experiment's and the run's name"
        raise RunError(Problem(f"{text!r} is no name for a run", expected=expected, fix="choose another run.name"))


def _marked_uuid(path: Path) -> UUID | None:
    """Whose folder it is; None where it is nobody's that we know."""
    try:
        return UUID((path / _MARKER).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None


def _long_id(id: str, run_uuid: UUID) -> str:  # noqa: A002  # as users see it
    return id[:_CODE_DIGITS] + run_uuid.hex[:_LONG_DIGITS]


def _marked_folders(project_root: Path, id: str, run_uuid: UUID) -> list[tuple[Path, UUID]]:  # noqa: A002  # as above
    """The runs whose folders are named as this run's could be, each with whose it is."""
    found = (path for ending in (id, _long_id(id, run_uuid)) for path in sorted(project_root.glob(f"*-{ending}")))
    return [(path, owner) for path in found if (owner := _marked_uuid(path)) is not None]


def _inside(path: Path, project_root: Path) -> Path:
    """The path, if it does not lead out of `project_root` by a link."""
    if not path.resolve().is_relative_to(project_root.resolve()):
        what = f"{path} leads out of {project_root}"
        raise RunError(Problem(what, where=str(path.resolve()), fix="remove the link, or choose another run.name"))
    return path
