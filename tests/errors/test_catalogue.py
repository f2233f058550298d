"""The catalogue of errors: every problem is provoked, and says what the page shows.

Each entry of `docs/reference/errors.md` is worked through in a folder of its own, in this process: its files are
written, its commands run, and what they print is compared. What stands before the first entry of a chapter is there for
all of its entries. `REGENERATE=1` writes what was printed into the page.

A new `Problem` needs an entry that shows it: a heading, the files, and below `$` the command.
"""

import contextlib
import importlib
import io
import linecache
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from typedcfg.cli.main import call
from typedcfg.errors import TypedcfgError

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "reference" / "errors.md"
HOME = "/home/ada/"

NOT_SHOWN: dict[str, str] = {
    "cli/app.py:_import_file 1": "not shown yet",
    "cli/app.py:_import_file 2": "not shown yet",
    "cli/app.py:_import_module": "not shown yet",
    "cli/app.py:_no_class 1": "not shown yet",
    "cli/app.py:_no_class 2": "not shown yet",
    "cli/app.py:_not_importable 1": "not shown yet",
    "cli/app.py:_not_importable 2": "not shown yet",
    "cli/app.py:load_app": "not shown yet",
    "cli/commands/completion.py:run": "not shown yet",
    "cli/commands/explain.py:run": "not shown yet",
    "cli/commands/init.py:_refuse 1": "not shown yet",
    "cli/commands/init.py:_refuse 2": "not shown yet",
    "cli/commands/init.py:_refuse 3": "not shown yet",
    "cli/commands/resume.py:_check_fixed": "not shown yet",
    "cli/commands/resume.py:_check_secrets": "not shown yet",
    "cli/commands/resume.py:run": "not shown yet",
    "cli/commands/runs.py:run": "not shown yet",
    "cli/commands/worker.py:run": "not shown yet",
    "cli/context.py:Context._refuse_misspelt": "not shown yet",
    "cli/context.py:Context._without_options": "not shown yet",
    "cli/context.py:Context.app": "not shown yet",
    "cli/context.py:Context.choice": "not shown yet",
    "cli/context.py:Context.finish": "not shown yet",
    "cli/context.py:Context.word": "not shown yet",
    "cli/main.py:_verb": "not shown yet",
    "compiler/compile.py:_changed_behind": "not shown yet",
    "compiler/copies.py:Copies._source": "not shown yet",
    "compiler/copies.py:_target 1": "not shown yet",
    "compiler/copies.py:_target 2": "not shown yet",
    "compiler/evaluation.py:_variable 3": "not shown yet",
    "compiler/grammar.py:_Reader.constant 2": "not shown yet",
    "compiler/grammar.py:_parsed 2": "not shown yet",
    "compiler/grammar.py:_unexpected 2": "not shown yet",
    "compiler/python_text.py:mapping_to_python": "not shown yet",
    "compiler/saving.py:_lost": "not shown yet",
    "compiler/saving.py:losses": "not shown yet",
    "compiler/validate.py:_problem 4": "not shown yet",
    "errors.py:TypedcfgError.__init__": "not shown yet",
    "identity/canonical.py:Members.refuse_repeated": "not shown yet",
    "identity/canonical.py:_flatten": "not shown yet",
    "identity/code_version.py:_Git.__call__": "not shown yet",
    "identity/jcs.py:_scalar 3": "not shown yet",
    "identity/jcs.py:check_depth": "not shown yet",
    "key_path.py:_step": "not shown yet",
    "key_path.py:parse_key_path 1": "not shown yet",
    "records/checkpoint_record.py:newest_verified": "not shown yet",
    "records/checkpoint_record.py:read_manifest": "not shown yet",
    "records/checkpoint_record.py:verify 1": "not shown yet",
    "records/checkpoint_record.py:verify 2": "not shown yet",
    "records/checkpoint_record.py:verify 3": "not shown yet",
    "records/checkpoint_record.py:verify 4": "not shown yet",
    "records/journal.py:_refused": "not shown yet",
    "records/journal.py:_whole_lines": "not shown yet",
    "records/json_text.py:read_json 1": "not shown yet",
    "records/json_text.py:read_json 2": "not shown yet",
    "records/result_record.py:_parse": "not shown yet",
    "records/result_record.py:explain_unscored": "not shown yet",
    "records/run_record.py:read_run_record 1": "not shown yet",
    "records/run_record.py:read_run_record 2": "not shown yet",
    "runner/failure.py:problem_of": "not shown yet",
    "runner/launchers/choose.py:choose_launcher": "not shown yet",
    "runner/lightning/checkpoint_io.py:VerifiedCheckpointIO.load_checkpoint": "not shown yet",
    "runner/lightning/checkpoint_io.py:_check_loadable": "not shown yet",
    "runner/lightning/worker.py:_surroundings": "not shown yet",
    "runner/lightning/worker.py:test 1": "not shown yet",
    "runner/lightning/worker.py:test 2": "not shown yet",
    "runner/lookup.py:find_run": "not shown yet",
    "runner/lookup.py:iter_runs": "not shown yet",
    "runner/ownership.py:_owned": "not shown yet",
    "runner/ownership.py:_unlockable": "not shown yet",
    "runner/recordable.py:check_recordable": "not shown yet",
    "runner/run.py:Runner.attempt": "not shown yet",
    "runner/run.py:Runner.dir": "not shown yet",
    "runner/run.py:_not_compiled 1": "not shown yet",
    "runner/run.py:_not_compiled 2": "not shown yet",
    "runner/run_dir.py:RunDir._make": "not shown yet",
    "runner/run_dir.py:RunDir.at": "not shown yet",
    "runner/run_dir.py:_check_name": "not shown yet",
    "runner/run_dir.py:_inside": "not shown yet",
    "runner/template_reference.py:check_loadable": "not shown yet",
    "runner/template_reference.py:check_same_class": "not shown yet",
    "runner/template_reference.py:check_trusted": "not shown yet",
    "runner/training.py:Training._check_same": "not shown yet",
    "runner/training.py:_bad_end": "not shown yet",
    "runner/worker.py:_another 1": "not shown yet",
    "runner/worker.py:_another 2": "not shown yet",
    "runner/worker.py:_loaded": "not shown yet",
    "runner/worker.py:rebuild": "not shown yet",
    "settings.py:TypedcfgSource._problem 1": "not shown yet",
    "settings.py:TypedcfgSource._problem 2": "not shown yet",
    "settings.py:TypedcfgSource._problem 3": "not shown yet",
    "settings.py:TypedcfgSource._problem 4": "not shown yet",
    "settings.py:TypedcfgSource.origin": "not shown yet",
    "sources/yaml_reader.py:_Reader._unprintable 1": "not shown yet",
    "sources/yaml_value.py:read_value": "not shown yet",
    "storage.py:_reported": "not shown yet",
    "testing/compiling.py:_InFolder._settled": "not shown yet",
}
"""Sites that no entry shows, each with the reason."""

_CHAPTER = re.compile(r"(?=^## )", re.MULTILINE)
_ENTRY = re.compile(r"(?=^### )", re.MULTILINE)
_BLOCK = re.compile(r"^```(?P<info>[a-z]+(?: error)?)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?:#|//) file: (?P<name>\S+)\n")
_PROMPT = re.compile(r"^\$ ", re.MULTILINE)
_VOLATILE = {
    r"\d{8}T\d{6}\.\d{6}Z": "20261121T052440.123456Z",
    r"\bprocess \d+": "process 4242",
    r"\bkill \d+": "kill 4242",
}


class Entry(NamedTuple):
    """A part of the page that provokes something."""

    title: str
    chapter: str
    """What stands at the head of the page, and of the chapter."""
    text: str


class Shown(NamedTuple):
    """An entry as it should be."""

    text: str
    sites: frozenset[str]


def entries() -> Iterator[Entry]:
    top, *chapters = _CHAPTER.split(PAGE.read_text(encoding="utf-8"))
    for chapter in chapters:
        head, *parts = _ENTRY.split(chapter)
        for part in parts:
            yield Entry(part.partition("\n")[0].removeprefix("### "), top + head, part)


ENTRIES = {entry.title: entry for entry in entries()}


@pytest.fixture(scope="session")
def show(sites: list[Any], spoken: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Shown]:
    """Works an entry through, once, by its title."""
    done: dict[str, Shown] = {}
    heads: dict[str, Path] = {}
    by_span = {span: site.name for site in sites for span in site.spans}

    def head_of(entry: Entry) -> Path:
        if entry.chapter not in heads:
            folder = tmp_path_factory.mktemp("entry") / "ada"
            folder.mkdir()
            work_through(entry.chapter, folder)
            heads[entry.chapter] = folder.rename(folder.parent / "head")
        return heads[entry.chapter]

    def show_entry(title: str) -> Shown:
        if title not in done:
            entry = ENTRIES[title]
            head = head_of(entry)
            folder = head.parent / "ada"
            shutil.copytree(head, folder, symlinks=True)
            spoken.clear()
            try:
                text = work_through(entry.text, folder)
            finally:
                shutil.rmtree(folder)
            printed = " ".join(text.split())
            heard = {span for one in spoken if " ".join(one.text.split()) in printed for span in one.stack}
            done[title] = Shown(stable(text, folder), frozenset(by_span[span] for span in heard & by_span.keys()))
        return done[title]

    return show_entry


def stable(text: str, folder: Path) -> str:
    """What was printed, without what differs from one machine and one day to the next."""
    text = text.replace(f"{folder}/", HOME).replace(str(folder), HOME.rstrip("/"))
    for pattern, instead in _VOLATILE.items():
        text = re.sub(pattern, instead, text)
    return text


def work_through(text: str, folder: Path) -> str:
    """A part of the page, with what its commands print in a folder."""

    def block(found: re.Match[str]) -> str:
        if found["info"] == "console error":
            return f"```console error\n{''.join(commands(found['body'], folder))}```"
        if named := _FILE.match(found["body"]):
            path = folder / named["name"]
            path.parent.mkdir(parents=True, exist_ok=True)
            is_code = found["info"] != "json"
            path.write_text(found["body"] if is_code else found["body"][named.end() :], encoding="utf-8")
        return found[0]

    return _BLOCK.sub(block, text)


def commands(body: str, folder: Path) -> Iterator[str]:
    starts = [match.start() for match in _PROMPT.finditer(body)]
    for start, end in pairwise([*starts, len(body)]):
        command = body[start:end].partition("\n")[0]
        yield f"{command}\n{run(command.removeprefix('$ '), folder)}"


def run(command: str, folder: Path) -> str:
    """What a command prints, errors too: ours and Python's in this process, others in a shell."""
    words = shlex.split(command)
    given = [words.pop(0).split("=", 1) for word in [*words] if words and re.match(r"[A-Za-z_]+=", words[0])]
    words = [found for word in words for found in found_in(folder, word)]
    if not words or words[0] not in ("typedcfg", "python"):
        done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout
    # As standard error does: what no encoding has is written as an escape.
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace", newline="\n")
    with as_a_process(folder, dict(given)) as patch:
        patch.setattr(sys, "argv", words[1:])
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            if words[0] == "typedcfg":
                call(words[1:])
            else:
                run_script(words[1])
    printed.seek(0)
    return "".join(f"{line.rstrip()}\n" for line in printed)


def found_in(folder: Path, word: str) -> list[str]:
    """What a shell makes of a word: the names that a pattern fits, if there are any."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.glob(word)) if "/*" in word else []
    return names or [word]


def run_script(name: str) -> None:
    """What `python name` does; of a traceback only the end."""
    try:
        runpy.run_path(name, run_name="__main__")
    except SystemExit:
        pass
    except TypedcfgError as error:
        sys.stderr.write("".join(traceback.format_exception_only(error)))


@contextlib.contextmanager
def as_a_process(folder: Path, variables: dict[str, str]) -> Iterator[pytest.MonkeyPatch]:
    """What a command finds when it begins: its folder, its variables, and no module of the one before."""
    loaded = {*sys.modules}
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("default")
        patch.chdir(folder)
        patch.setattr(sys, "path", [str(folder), *sys.path])
        patch.setattr(sys, "dont_write_bytecode", True)
        for name, value in variables.items():
            patch.setenv(name, value)
        linecache.clearcache()
        importlib.invalidate_caches()
        yield patch
    for name in {*sys.modules} - loaded:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


@pytest.mark.parametrize("title", ENTRIES)
def test_an_entry_shows_what_is_printed(title: str, show: Callable[[str], Shown]) -> None:
    text = show(title).text

    if os.environ.get("REGENERATE"):
        PAGE.write_text(PAGE.read_text(encoding="utf-8").replace(ENTRIES[title].text, text), encoding="utf-8")

    assert text == ENTRIES[title].text or os.environ.get("REGENERATE")


@pytest.mark.parametrize("title", ENTRIES)
def test_an_entry_shows_a_problem(title: str, show: Callable[[str], Shown]) -> None:
    assert show(title).sites


def test_no_two_entries_have_one_title() -> None:
    assert len([*entries()]) == len(ENTRIES)


def test_every_problem_has_an_entry(sites: list[Any], show: Callable[[str], Shown]) -> None:
    told = {site for title in ENTRIES for site in show(title).sites}
    not_shown = {site.name for site in sites} - told

    assert not not_shown - NOT_SHOWN.keys()
