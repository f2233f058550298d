"""Which of an attempt's checkpoints is tested."""

from math import isnan

from typedcfg.errors import Problem, RecordError
from typedcfg.records.checkpoint_record import Manifest, Verified, committed, manifest_path, read_manifest, verify
from typedcfg.records.result_record import ScoreRule, best_index, read_results, scores
from typedcfg.runner.run_dir import AttemptDir


def checkpoint_to_test(attempt: AttemptDir, rule: ScoreRule) -> Verified | None:
    """The best weights that are whole, or the newest where nothing says which are best; None before the first epoch.

    What was saved in the midst of an epoch has no result to add to. That of the best epoch may be damaged, which those
    of others are not: then the next best are tested rather than nothing, each time anew.

    Raises:
        RecordError: There are such weights, and all of them are damaged.
    """
    results = read_results(attempt.result_files.journal)
    measured = scores(results, rule)
    sign = -1 if rule.mode == "min" else 1

    def merit(manifest: Manifest) -> tuple[bool, float, int]:
        score = measured.get(manifest.epoch, float("nan"))
        return (False, 0.0, manifest.epoch) if isnan(score) else (True, sign * score, -manifest.epoch)

    ends = {path: one for path, one in committed(attempt.checkpoints.path).items() if not one.is_inside_epoch}
    is_best_known = best_index(results, rule) in {None, *(one.epoch for one in ends.values())}
    refused = [] if is_best_known else _unreadable(attempt)
    for path in sorted(ends, key=lambda path: merit(ends[path]), reverse=True):
        try:
            return Verified(path, verify(path), tuple(refused))
        except RecordError as error:
            refused += error.problems
    if refused:
        fix = "restore one of them from a copy, or train once more: --resume never, or --again where the run is done"
        raise RecordError(Problem("the weights of no epoch are whole: there is nothing to test", fix=fix), *refused)
    return None


def _unreadable(attempt: AttemptDir) -> list[Problem]:
    """What is wrong with manifests that do not even say which epoch theirs is."""
    problems: list[Problem] = []
    for path in attempt.checkpoints.steps():
        if manifest_path(path).exists():
            try:
                read_manifest(path)
            except RecordError as error:
                problems += error.problems
    return problems
