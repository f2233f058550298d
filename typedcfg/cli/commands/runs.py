"""`typedcfg runs ls [FOLDER]`, `show RUN`, `diff RUN RUN`: the runs in a folder, all about one, and how two differ."""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from typedcfg.cli.commands import diff
from typedcfg.cli.context import Context, UsageError
from typedcfg.cli.table import table
from typedcfg.errors import Problem
from typedcfg.records.run_record import AttemptRecord, RunRecord, StopReason, TemplateReference
from typedcfg.runner.duration import duration_of
from typedcfg.runner.lookup import DEFAULT_ROOT, Summary, find_run, iter_runs, summaries, summarize
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.run_dir import RunDir
from typedcfg.runner.run_folders import iter_run_folders
from typedcfg.text import nearest

_HEADINGS: Final = ("id", "name", "status", "epochs", "best", "started", "folder")

_STOPPED: Final[Mapping[StopReason, str]] = {"SIGINT": "Ctrl-C", "max_time": "run.max_time, which was over"}
"""How people know what asked an attempt to stop, where not by its name."""


def run(context: Context) -> int:
    """List runs, show one, or compare two."""
    what = context.word("ls, show or diff")
    if what == "ls":
        root = Path(context.word("FOLDER")) if context.has_more() else DEFAULT_ROOT
        context.finish()
        _list(root, as_json="--json" in context.options)
    elif what == "show":
        found = find_run(context.word("RUN"))
        context.finish()
        _show(found, as_json="--json" in context.options)
    elif what == "diff":
        return diff.run(context)
    else:
        suggestion = nearest(what, ("ls", "show", "diff"))
        raise UsageError(Problem(f"{what!r} is nothing to do with runs", expected=context.usage, suggestion=suggestion))
    return 0


def _list(root: Path, *, as_json: bool) -> None:
    found = list(summaries(sorted(iter_runs(root), key=_began)))
    if as_json:
        _print_json([_plain(summary) for summary in found])
    elif found:
        rows = [[str(cell) if cell is not None else "-" for cell in _cells(summary)] for summary in found]
        print(table([_HEADINGS, *rows]))
    elif not any(iter_run_folders(root)):  # else they are passed over, with a warning each
        print(f"no runs in {root}")


def _plain(summary: Summary) -> dict[str, Any]:
    best = summary.best and summary.best._asdict()
    return {**summary._asdict(), "best": best, "time": summary.time._asdict()}


def _cells(summary: Summary) -> tuple[object, ...]:
    """What stands under the headings."""
    status = summary.status if summary.not_finite_since is None else f"{summary.status}, nan"
    return summary.id, summary.name, status, summary.epochs, summary.best, summary.started or None, summary.folder


def _began(found: tuple[RunDir, RunRecord | None]) -> datetime:
    """When the newest attempt did, or the folder was made: the newest run stands last, above the prompt."""
    run, record = found
    return record.attempts[-1].started if record and record.attempts else run.made


def _show(run: RunDir, *, as_json: bool) -> None:
    record = RunBook(run).as_it_stands()
    summary, files = summarize(run, record), _files(run)
    if as_json:
        plain = _plain(summary)
        told = {key: plain[key] for key in ("status", "best", "test", "time")}
        _print_json({**told, "files": files, "record": record and record.model_dump(mode="json")})
        return
    print(table(list(_about(summary, record).items())))
    known = {attempt.folder: attempt for attempt in record.attempts} if record else {}
    for folder in sorted({*known, *(attempt.timestamp for attempt in run.attempts())}):
        about = _about_attempt(run, known[folder]) if folder in known else {"status": "not recorded"}
        print(f"\nattempt {folder}")
        print(table(list(about.items()), indent="  "))
    if files:
        print("\nfiles")
        print(table(list(files.items()), indent="  "))


def _about(summary: Summary, record: RunRecord | None) -> dict[str, str]:
    told = {"name": summary.name, "id": summary.id, "status": summary.status}
    if record is None:
        return told
    identity = record.identity
    return told | {
        "epochs": str(summary.epochs),
        "best": str(summary.best) if summary.best else "no epoch has a score",
        **({"test": summary.tested} if summary.test else {}),
        "time": summary.took,
        "run uuid": str(identity.run_uuid),
        "experiment": identity.experiment_id,
        "code uuid": str(identity.code_uuid),
        "fingerprint": identity.fingerprint,
        "experiment class": _template(record.template),
        "command": " ".join(record.argv),
    }


def _template(template: TemplateReference) -> str:
    """The class; which version of it is worth a word once there is more than one."""
    return f"{template.app}, version {template.version}" if template.version > 1 else template.app


def _about_attempt(run: RunDir, attempt: AttemptRecord) -> dict[str, str]:
    rows = dict(_rows(run, attempt))
    return {label: text for label, text in rows.items() if text}


def _rows(run: RunDir, attempt: AttemptRecord) -> Iterator[tuple[str, str]]:
    yield "status", attempt.status
    yield "stopped by", _STOPPED.get(attempt.stopped_by, attempt.stopped_by) if attempt.stopped_by else ""
    yield "stopped early", attempt.stopped_early_because
    yield "exit code", "" if attempt.exit_code is None else str(attempt.exit_code)
    yield "started", attempt.started.isoformat()
    yield "ended", attempt.ended.isoformat() if attempt.ended else ""
    yield "time", str(duration_of(run, attempt))
    yield "migrated by", ", ".join(attempt.migrated)
    yield "resumed from", attempt.resumed_from or ""
    yield "not bitwise", "; ".join(attempt.not_bitwise_because)
    yield "not finite since step", "" if attempt.not_finite_since is None else str(attempt.not_finite_since)
    yield "last state not saved", attempt.unsaved_because.partition("\n")[0]
    yield "error", attempt.failure.what if attempt.failure else ""
    yield "at", attempt.failure.where if attempt.failure else ""
    yield "machine", f"{attempt.machine.hostname}, {attempt.machine.platform}, {attempt.machine.cpu_count} CPUs"
    yield "processes", str(attempt.world_size)
    if attempt.git is not None:
        yield "code", f"{attempt.git.commit[:12]}{', with changes' if attempt.git.is_dirty else ''}"
    yield "versions", ", ".join(f"{package} {version}" for package, version in attempt.versions.items())


def _files(run: RunDir) -> dict[str, str]:
    """Where things lie, of what there is."""
    files = {
        "configuration": run.config,
        "record": run.record,
        "patch": run.patch,
        "job's configuration": run.job_config,
        "job's script": run.job_script,
    }
    attempts = run.attempts()
    if attempts:
        newest = attempts[-1]
        files |= {
            "log": newest.log(),
            "results": newest.result_files.results,
            "latest": newest.checkpoints.latest,
            "best": newest.checkpoints.best,
        }
    return {label: str(path) for label, path in files.items() if os.path.exists(path)}  # noqa: PTH110  # Path.exists may raise


def _print_json(value: Any) -> None:
    from typedcfg.records.json_text import to_json

    print(to_json(value, indent=True).decode(), end="")
