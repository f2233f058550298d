"""What a run does to its folder, in the order in which it does it, without a training around it.

A deed begins from what `prepare` left, says what it promises as soon as it may be relied on, and can be begun again
by another process whatever became of the first: it goes on from what it finds.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

from typedcfg.records.checkpoint_record import (
    Manifest,
    committed,
    manifest_path,
    verify,
    write_manifest,
)
from typedcfg.records.result_record import BY_LOSS, Result, ResultHeader, ResultLog, best_index, read_results
from typedcfg.records.run_record import (
    AttemptRecord,
    Identity,
    Machine,
    RunRecord,
    Score,
    TemplateReference,
    read_run_record,
)
from typedcfg.runner.carry import carry_over
from typedcfg.runner.ownership import Ownership, read_owner
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import AttemptDir, CheckpointDir, RunDir
from typedcfg.runner.run_folders import iter_run_folders
from typedcfg.storage import link_atomically, make_folder, remove, staged, staged_folder, sweep, write_atomically

Promise: TypeAlias = Callable[[str], None]
"""Says that something may be relied on from now: "result 3", "checkpoint 30", "epoch 3", "done"."""

SOME_UUID: Final = UUID("78787878-7878-7878-7878-787878787878")
SOME_TIME: Final = datetime(2026, 11, 21, 5, 24, 40, 123456, tzinfo=UTC)
ID: Final = "x" * 8 + SOME_UUID.hex[:8]
EPOCHS: Final = 3
"""How long a run is; an epoch has ten steps."""


class Deed(NamedTuple):
    """Something that a run does."""

    name: str
    prepare: Callable[[Path], None]
    act: Callable[[Path, Promise], None]


def open_run(root: Path) -> RunDir:
    return RunDir.open(root / "experiments", name="digits-base", id=ID, run_uuid=SOME_UUID)


def first_attempt(root: Path) -> AttemptDir:
    return open_run(root).attempts()[0]


def start(root: Path, promise: Promise) -> None:
    """Begin a run: its folder, its lock, its files, its first attempt."""
    run = open_run(root)
    with Ownership(run.lock):
        run.tidy()
        write_atomically(run.config, b"$version: 1\n")
        write_atomically(run.patch, b"diff\n" * 100)
        book = RunBook(run)
        if book.record is not None:
            book.mark_lost()
        attempt = run.new_attempt()
        book.begin(book.record or _record(), _attempt_record(attempt))
        promise("record")


def save(root: Path, promise: Promise) -> None:
    """Write the checkpoint of the third epoch, name the latest and the best, and remove the first, which neither is."""
    open_run(root).tidy()
    folder = first_attempt(root).checkpoints
    results = read_results(first_attempt(root).result_files.journal)
    save_checkpoint(folder.step(30), step=30)
    promise("checkpoint 30")
    best = best_index(results, BY_LOSS)
    for path, manifest in committed(folder.path).items():
        link_atomically(path, folder.latest)
        if manifest.epoch == best:
            link_atomically(path, folder.best)
    promise("latest 30")
    keep(folder, folder.step(20), folder.step(30))


def save_again(root: Path, promise: Promise) -> None:
    """Write the checkpoint of an epoch that ended without a step, where only the one of that step is kept."""
    open_run(root).tidy()
    folder = first_attempt(root).checkpoints
    if all(manifest.epoch < EPOCHS for manifest in committed(folder.path).values()):
        save_checkpoint(folder.new_step(20), step=20, epoch=EPOCHS)
    promise(f"epoch {EPOCHS}")
    newest = list(committed(folder.path))[-1]
    for name in (folder.latest, folder.epoch(EPOCHS)):
        link_atomically(newest, name)
    keep(folder, newest)


def keep(folder: CheckpointDir, *kept: Path) -> None:
    """Remove all checkpoints but some, as `CheckpointPolicy` does."""
    for path in folder.steps():
        if path not in kept:
            remove(manifest_path(path))
            remove(path)


def save_checkpoint(path: Path, *, step: int, epoch: int | None = None) -> None:
    """Write and commit one checkpoint, as `VerifiedCheckpointIO` does; an epoch has ten steps unless it is given."""
    epoch = step // 10 if epoch is None else epoch
    content = content_of(step) + b"and %d epochs\n" % epoch
    remove(manifest_path(path))
    with staged(path) as file:
        for begin in range(0, len(content), 1000):
            file.write(content[begin : begin + 1000])
    told = Manifest(sha256=hashlib.sha256(content).hexdigest(), size=len(content), step=step, epoch=epoch, world_size=1)
    write_manifest(path, told)


def content_of(step: int) -> bytes:
    return f"weights after {step} steps\n".encode() * 200


def record_results(root: Path, promise: Promise) -> None:
    """Append two results, and derive the files for people."""
    attempt = first_attempt(root)
    open_run(root).tidy()
    with ResultLog(attempt.result_files, ResultHeader("digits-base"), BY_LOSS) as log:
        for epoch in range(3, 5):
            log.append(result_of(epoch))
            promise(f"result {epoch}")


def result_of(epoch: int) -> Result:
    return Result(epoch=epoch, step=epoch * 10, time=SOME_TIME, splits={"val": {"loss": abs(epoch - 1.9)}})


def own(root: Path, promise: Promise) -> None:
    """Take the lock of a run that was owned before, and give it back."""
    with Ownership(open_run(root).lock):
        promise("owned")


def end(root: Path, promise: Promise) -> None:
    """Record the last result, save the last checkpoint, and then say that the run is done."""
    run = open_run(root)
    with Ownership(run.lock):
        run.tidy()
        attempt = run.attempts()[0]
        with ResultLog(attempt.result_files, ResultHeader("digits-base"), BY_LOSS) as log:
            if EPOCHS not in log.results:
                log.append(result_of(EPOCHS))
            promise(f"result {EPOCHS}")
        save_checkpoint(attempt.checkpoints.step(30), step=30)
        promise("checkpoint 30")
        RunBook(run).end(attempt, status="done", exit_code=0)
        promise("done")


def resume(root: Path, promise: Promise) -> None:
    """Begin another attempt with what led to the newest checkpoint."""
    run = open_run(root)
    with Ownership(run.lock):
        run.tidy()
        book = RunBook(run)
        book.mark_lost()
        found = run.latest_checkpoint()
        assert found is not None
        attempt = run.new_attempt()
        carry_over(found, attempt)
        assert book.record is not None
        book.begin(book.record, _attempt_record(attempt))
        promise("record")


def save_shards(root: Path, promise: Promise) -> None:
    """Write a folder that several processes put their parts in, over one that was left there by a killed one."""
    folder = root / "shards" / "step-00000030.ckpt"
    make_folder(folder.parent)
    sweep(folder.parent)
    with staged_folder(folder) as stage:
        for rank in range(2):
            # The ranks' own writers are torch's, and know nothing of our disk.
            (stage / f"__{rank}_0.distcp").write_bytes(content_of(rank))
        (stage / "sub").mkdir()
        write_atomically(stage / "sub" / ".metadata", b"whole")
    promise("shards")


def prepare_nothing(_: Path) -> None:
    """An empty folder."""


def prepare_run(root: Path) -> None:
    """A run that ended its second epoch, whose best is the second."""
    start(root, lambda _: None)
    attempt = first_attempt(root)
    with ResultLog(attempt.result_files, ResultHeader("digits-base"), BY_LOSS) as log:
        log.append(result_of(1), result_of(2))
    folder = attempt.checkpoints
    for step in (10, 20):
        save_checkpoint(folder.step(step), step=step)
        link_atomically(folder.step(step), folder.latest)
    link_atomically(folder.step(20), folder.best)


def prepare_last(root: Path) -> None:
    """A run that ended its third epoch, whose one checkpoint was written within it."""
    start(root, lambda _: None)
    attempt = first_attempt(root)
    with ResultLog(attempt.result_files, ResultHeader("digits-base"), BY_LOSS) as log:
        log.append(result_of(1), result_of(2), result_of(3))
    save_checkpoint(attempt.checkpoints.step(20), step=20)
    link_atomically(attempt.checkpoints.step(20), attempt.checkpoints.latest)


def prepare_shards(root: Path) -> None:
    """A folder of shards that is not whole."""
    folder = root / "shards" / "step-00000030.ckpt"
    folder.mkdir(parents=True)
    (folder / "__0_0.distcp").write_bytes(b"half")


DEEDS: Final = (
    Deed("start", prepare_nothing, start),
    Deed("save", prepare_run, save),
    Deed("save again", prepare_last, save_again),
    Deed("record results", prepare_run, record_results),
    Deed("own", prepare_run, own),
    Deed("end", prepare_run, end),
    Deed("resume", prepare_run, resume),
    Deed("save shards", prepare_shards, save_shards),
)


def check(root: Path, promises: Sequence[str]) -> None:
    """Hold what a folder must be whatever happened, and what was promised."""
    experiments = root / "experiments"
    visible = [path for path in experiments.glob("*") if not path.name.startswith(".")]
    assert [*iter_run_folders(experiments)] == visible, "what is not whole is nobody's run"
    assert len(visible) <= 1, "one run has one folder"
    for path in visible:
        _check_run(RunDir.at(path), promises)
    shards = root / "shards" / "step-00000030.ckpt"
    if "shards" in promises:
        assert [(shards / f"__{rank}_0.distcp").read_bytes() for rank in range(2)] == [content_of(0), content_of(1)]
        assert (shards / "sub" / ".metadata").read_bytes() == b"whole"
    assert visible or not {"record", "done"} & {*promises}


def _check_run(run: RunDir, promises: Sequence[str]) -> None:
    record = read_run_record(run.record) if run.record.exists() else None
    results = {epoch for attempt in run.attempts() for epoch in read_results(attempt.result_files.journal)}
    steps, epochs = (
        [int(promise.split()[1]) for promise in promises if promise.startswith(kind)]
        for kind in ("checkpoint", "epoch")
    )
    found = run.latest_checkpoint()
    for attempt in run.attempts():
        _check_names(attempt)
    if run.attempts() and read_results(run.attempts()[0].result_files.journal):
        assert found is not None, "what was committed before the deed is there still"
        assert found.manifest.step >= max([20, *steps]), "I1: never older than the last that was promised"
        assert found.manifest.epoch >= max(epochs, default=0), "I1: nor of an earlier epoch at its step"
        assert {1, 2} <= results, "I2: lines that were there before"
    assert {int(promise.split()[1]) for promise in promises if promise.startswith("result")} <= results, "I2"
    if record is not None and record.status == "done":
        assert EPOCHS in results, "I4: nothing is done without its result"
        assert found is not None, "I4: nor without its weights"
        assert found.manifest.step == EPOCHS * 10
    assert record is not None or not {"record", "done"} & {*promises}
    assert record is None or "done" not in promises or record.status == "done"
    with Ownership(run.lock):
        assert read_owner(run.lock) is not None, "I3: whoever comes next owns it"


def _check_names(attempt: AttemptDir) -> None:
    for name in attempt.checkpoints.names():
        verify(name)


def leftovers(root: Path) -> list[str]:
    """What was staged and is there still."""
    return sorted(path.relative_to(root).as_posix() for path in root.rglob(".*.staged"))


def _record() -> RunRecord:
    return RunRecord(
        identity=Identity(
            run_uuid=SOME_UUID,
            run_id=SOME_UUID.hex,
            id=ID,
            uuid=SOME_UUID,
            name="digits-base",
            experiment_id="x" * 16,
            experiment_uuid=SOME_UUID,
            code_uuid=SOME_UUID,
            fingerprint="f" * 64,
            canonical_version=1,
        ),
        template=TemplateReference(qualname="Digits", module="__main__", path="d.py", absolute_path="/code/d.py"),
        argv=("digits.py",),
        app=None,
        score=Score(metric="loss", mode="min", split=None),
        status="running",
    )


def _attempt_record(attempt: AttemptDir) -> AttemptRecord:
    machine = Machine(hostname="box", platform="Linux", cpu_count=2, user="ada")
    return AttemptRecord(folder=attempt.timestamp, started=SOME_TIME, machine=machine, pid=7, world_size=1)
