"""A run's folder: every path inside it is built here, and nowhere else.

{project_root}/{place}/{experiment_name}-{run_name}-{id}/     the run; found by *-{id}; most have no place
  .typedcfg                                            our marker: the run's full UUID, and its place
  lock  .lock.1                                        held by the process that owns the run; the term it owns it in
  run.yaml  run.json  git.patch                        configuration with origins; record; what git did not hold
  run.json.damaged  run.yaml.damaged                   what stood there and was none
  slurm.yaml  slurm.sh                                 what a job trains, and what it does
  20261121T052440.123456Z/                             an attempt, named by the UTC time at which it began
    run.log  run.rank1.log  results.jsonl  results.json  latest.json  best.json
    checkpoints/  step-00001200.ckpt  step-00001200.ckpt.json  latest.ckpt  best.ckpt  epoch-10.ckpt
"""

import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Final
from uuid import UUID

from typedcfg import storage
from typedcfg.errors import Problem, RunError
from typedcfg.records.checkpoint_record import (
    STEPS,
    Manifest,
    StepName,
    Verified,
    manifest_path,
    newest_verified,
    verify,
)
from typedcfg.records.result_record import ResultFiles
from typedcfg.refusal import refusal
from typedcfg.runner.run_folders import (
    AT_THE_TOP,
    MARKER,
    check_place,
    inside,
    long_id,
    marked_folders,
    marked_place,
    marked_uuid,
    marker_of,
    own_folder,
)

_NAME: Final = re.compile(r"[A-Za-z0-9._=-]{1,161}\Z")
"""Two names of up to 80 characters and the hyphen between them."""
_RANK_LOG: Final = re.compile(r"run\.rank([0-9]{1,9})\.log")
_ATTEMPT_TIME: Final = "%Y%m%dT%H%M%S.%fZ"
_log: Final = logging.getLogger(__name__)


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
        """The first checkpoint after so many optimizer steps; the name that a manifest stands beside."""
        return self.path / str(StepName(step, 0))

    def new_step(self, step: int) -> Path:
        """A name for one more checkpoint after so many steps: that of none that is committed, and behind theirs.

        To write over a checkpoint would be to have none for that long.
        """
        names = (StepName.of(path) for path in self.steps() if manifest_path(path).exists())
        last = max((name.number for name in names if name.step == step), default=-1)
        return self.path / str(StepName(step, last + 1))

    def steps(self) -> tuple[Path, ...]:
        """All checkpoints that carry a step, committed or not."""
        return tuple(sorted(self.path.glob(STEPS), key=StepName.of))

    def names(self) -> tuple[Path, ...]:
        """All names for people."""
        return tuple(path for path in sorted(self.path.glob("*.ckpt")) if not path.name.startswith("step-"))


@dataclass(frozen=True, slots=True)
class AttemptDir:
    """The folder of one attempt."""

    path: Path

    @classmethod
    def of(cls, checkpoint: Path) -> "AttemptDir":
        """The attempt in whose folder a checkpoint lies."""
        return cls(checkpoint.parent.parent)

    @property
    def run(self) -> "RunDir":
        """The run that it is an attempt at."""
        return RunDir(self.path.parent)

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

    def logs(self) -> dict[int, Path]:
        """The logs that are there, by rank.

        Raises:
            RecordError: The folder cannot be read.
        """
        try:
            of_ranks = [(_RANK_LOG.fullmatch(path.name), path) for path in self.path.iterdir()]
            found = {0: self.log(), **{int(match[1]): path for match, path in of_ranks if match}}
            return {rank: path for rank, path in sorted(found.items()) if path.is_file()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise refusal(self.path, "read", error) from error


@dataclass(frozen=True, slots=True)
class RunDir:
    """The folder of one run."""

    path: Path

    @classmethod
    def open(
        cls,
        project_root: Path,
        *,
        name: str,
        id: str,  # noqa: A002  # as users see it
        run_uuid: UUID,
        place: PurePosixPath = AT_THE_TOP,
    ) -> "RunDir":
        """The folder of a run, made if there is none yet.

        A folder whose name ends in the same 16 characters but that belongs to another run is left alone, and this
        run's then ends in all 16 digits of its own identifier instead of 8.

        Args:
            project_root: Where all runs live.
            name: `experiment_name-run_name`; decides only what a new folder is called.
            id: The run's 16 characters: 8 of the code, 8 of the run.
            run_uuid: The run's whole identity.
            place: The folders between `project_root` and a new folder; one that there is stays where it is.

        Raises:
            RunError: The name is no name for a folder, leads out of `project_root` or into another run, a folder of
                that name is no run of ours, or the run's was copied, and nobody can tell which is meant.
            RecordError: The folder cannot be made.
        """
        for text in (name, id):
            _check_name(text)
        marked = marked_folders(project_root, id, run_uuid)
        own = own_folder(project_root, marked, name, run_uuid)
        if own is not None:
            return cls(own)
        ending = long_id(id, run_uuid) if marked else id
        check_place(project_root, place)
        path = project_root / place / f"{name}-{ending}"
        return cls._make(project_root, path, run_uuid, place)

    @classmethod
    def find(
        cls,
        project_root: Path,
        *,
        name: str,
        id: str,  # noqa: A002  # as users see it
        run_uuid: UUID,
    ) -> "RunDir | None":
        """The folder of a run, if there is one; nothing is made.

        Raises:
            RunError: The folder leads out of `project_root`, or was copied, and nobody can tell which is meant.
        """
        own = own_folder(project_root, marked_folders(project_root, id, run_uuid), name, run_uuid)
        return None if own is None else cls(own)

    @classmethod
    def at(cls, path: Path) -> "RunDir":
        """The run that a folder is.

        Raises:
            RunError: The folder is no run.
        """
        run = cls.within(path)
        if run is None:
            expected = f"a folder that `typedcfg run` made: it holds a file {MARKER}"
            raise RunError(Problem(f"{path} is no run", where=str(path), expected=expected))
        return run

    @classmethod
    def within(cls, path: Path) -> "RunDir | None":
        """The run that a folder is; None if it is none."""
        return None if marked_uuid(path) is None else cls(path)

    @property
    def run_uuid(self) -> UUID:
        """The run's whole identity, as its marker states it."""
        marked = marked_uuid(self.path)
        assert marked is not None
        return marked

    @property
    def project_root(self) -> Path:
        """The folder of runs that it lies in, wherever that was moved to; the one above it where it was moved alone."""
        steps = marked_place(self.path).parts
        for above in (self.path.parent, self.path.absolute().parent):
            if steps and above.parts[-len(steps) :] == steps:
                return above.parents[len(steps) - 1]
        return self.path.parent

    @property
    def record(self) -> Path:
        """`run.json`."""
        return self.path / "run.json"

    def new_damaged_record(self) -> Path:
        """A name that is free, for a `run.json` that is no record: `run.json.damaged`, `run.json.damaged.2`."""
        return _name_aside(self.record)

    def new_damaged_config(self) -> Path:
        """A name that is free, for a `run.yaml` that is not the run's configuration: `run.yaml.damaged`."""
        return _name_aside(self.config)

    @property
    def config(self) -> Path:
        """`run.yaml`: the resolved configuration, with origins."""
        return self.path / "run.yaml"

    @property
    def patch(self) -> Path:
        """`git.patch`: what the tree held and the commit did not."""
        return self.path / "git.patch"

    @property
    def job_config(self) -> Path:
        """`slurm.yaml`: the configuration that a job trains."""
        return self.path / "slurm.yaml"

    @property
    def job_script(self) -> Path:
        """`slurm.sh`: what a job does."""
        return self.path / "slurm.sh"

    @property
    def made(self) -> datetime:
        """When the folder was made."""
        return datetime.fromtimestamp((self.path / MARKER).stat().st_mtime, UTC)

    @property
    def lock(self) -> Path:
        """The file that the owner of the run holds locked."""
        return self.path / "lock"

    def named(self, checkpoint: Path) -> Path | None:
        """A checkpoint of this run by its name in the run's folder, whatever links lead there; None if it is none."""
        for attempt in self.attempts():
            folder = attempt.checkpoints.path
            if _is_folder(folder) and _is_folder(checkpoint.parent) and folder.samefile(checkpoint.parent):
                return folder / checkpoint.name
        return None

    def attempts(self) -> tuple[AttemptDir, ...]:
        """All attempts, oldest first; a link is one, also where it leads to a disk that is not mounted."""
        named = (path for path in sorted(self.path.iterdir()) if _time_of(path.name) is not None)
        return tuple(AttemptDir(path) for path in named if _is_folder(path) or path.is_symlink())

    def new_attempt(self) -> AttemptDir:
        """Make the folder of a new attempt; only for who owns the run.

        Its name is later than that of every attempt before, also where the clock was set back.

        Raises:
            RecordError: The folder cannot be made.
        """
        time = datetime.now(UTC)
        if before := self.attempts():
            last = _time_of(before[-1].timestamp)
            assert last is not None, "it is named by a time"
            time = max(time, last + timedelta(microseconds=1))
        while not storage.make_folder(self.path / time.strftime(_ATTEMPT_TIME)):
            time += timedelta(microseconds=1)
        attempt = AttemptDir(self.path / time.strftime(_ATTEMPT_TIME))
        storage.make_folder(attempt.checkpoints.path)
        return attempt

    def latest_checkpoint(self, *, since: str = "", check: Callable[[Path], Manifest] = verify) -> Verified | None:
        """Where to resume: the newest whole checkpoint of the newest attempt that has one; None if there is none yet.

        Args:
            since: The first attempt that counts; attempts before it were given up.
            check: What tells that a checkpoint is whole.

        Raises:
            RecordError: Checkpoints were committed, and not one of them is whole, or a folder of them cannot be read.
        """
        counting = [attempt for attempt in self.attempts() if attempt.timestamp >= since]
        return newest_verified((attempt.checkpoints.path for attempt in reversed(counting)), check=check)

    def tidy(self) -> None:
        """Remove what writers that were killed left behind, everywhere in the run; only for who owns the run.

        Raises:
            RecordError: A leftover cannot be removed.
        """
        attempts = self.attempts()
        folders = [*(attempt.checkpoints.path for attempt in attempts), *(attempt.path for attempt in attempts)]
        storage.sweep(self.path, within=filter(_is_folder, folders))

    @classmethod
    def _make(cls, project_root: Path, path: Path, run_uuid: UUID, place: PurePosixPath) -> "RunDir":
        made = storage.make_filled_folder(path, {MARKER: marker_of(run_uuid, place)})
        if not made and marked_uuid(path) != run_uuid:  # if it is ours, another process made it a moment ago
            what = f"{path} is in the way: it is no run of typedcfg"
            raise RunError(Problem(what, where=str(path), fix="move it away, or choose another run.run_name"))
        return cls(inside(path, project_root))


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112  # Path.is_dir raises where a folder may not be looked into


def _name_aside(path: Path) -> Path:
    name = f"{path.name}.damaged"
    paths = (path.with_name(name if number == 1 else f"{name}.{number}") for number in count(1))
    return next(path for path in paths if not path.exists() and not path.is_symlink())


def _time_of(name: str) -> datetime | None:
    """When an attempt that is named so began; None where no attempt is."""
    try:
        time = datetime.strptime(name, _ATTEMPT_TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
    # The last year there is has no room for a later attempt.
    return time if time.strftime(_ATTEMPT_TIME) == name and time.year < MAXYEAR else None


def _check_name(text: str) -> None:
    if not _NAME.match(text):
        expected = "1 to 80 letters, digits and . _ = - for each of the experiment's and the run's name"
        raise RunError(Problem(f"{text!r} is no name for a run", expected=expected, fix="set run.experiment_name"))
