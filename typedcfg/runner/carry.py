"""What an attempt that goes on takes over: of its own run all that led there, of another the checkpoint alone."""

from typedcfg.records.checkpoint_record import Verified, committed, manifest_path, write_manifest
from typedcfg.records.journal import Journal
from typedcfg.records.result_record import Result, read_results
from typedcfg.runner.run_dir import AttemptDir, CheckpointDir
from typedcfg.storage import staged_folder, take_over


def carry_over(found: Verified, attempt: AttemptDir) -> None:
    """Give a new attempt the results and the checkpoints that led to where it begins.

    What is best stays known, and each attempt's folder tells its whole story. Epochs that an earlier attempt went
    on to after that checkpoint are left out: they will be trained again.

    Args:
        found: The checkpoint to resume from, in the folder of an earlier attempt.
        attempt: The new attempt.

    Raises:
        RecordError: They cannot be read or written.
    """
    source = AttemptDir.of(found.path)
    with Journal(attempt.result_files.journal) as journal:
        for epoch, result in read_results(source.result_files.journal).items():
            if epoch <= found.manifest.epoch:
                journal.append(result.model_dump(mode="json"))
    # All or none: with the older ones alone, this attempt would seem to be one to resume from.
    with staged_folder(attempt.checkpoints.path) as folder:
        for path, manifest in committed(source.checkpoints.path).items():
            is_own = manifest.is_of(found.manifest.fingerprint)
            if is_own and manifest.place <= found.manifest.place and path.exists():
                take_over(path, folder / path.name)
                take_over(manifest_path(path), manifest_path(folder / path.name))


def take_in(found: Verified, attempt: AttemptDir) -> None:
    """Give a new attempt a checkpoint that another run wrote: it is there to resume from whatever becomes of that run.

    Its results begin with a line that measures nothing, and says how far that one was.

    Raises:
        RecordError: It cannot be read or written.
    """
    manifest = found.manifest
    begin = Result(epoch=manifest.epoch, step=manifest.step, samples=manifest.samples, splits={})
    with Journal(attempt.result_files.journal) as journal:
        journal.append(begin.model_dump(mode="json"))
    with staged_folder(attempt.checkpoints.path) as folder:
        name = CheckpointDir(folder).step(manifest.step)
        take_over(found.path, name)
        # Written anew: that of a name for people has another name.
        write_manifest(name, manifest)
