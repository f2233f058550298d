"""The catalogue of errors: every problem is provoked, and says what the page shows.

Each entry of `docs/reference/errors.md` is worked through in a folder of its own, in this process: its files are
written, its commands run, and what they print is compared. What stands before the first entry of a chapter is there for
all of its entries. `REGENERATE=1` writes what was printed into the page.

A new `Problem` needs an entry that shows it: a heading, the files, and below `$` the command.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from page_commands import run

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "reference" / "errors.md"
HOME = "/home/ada/"

NOT_SHOWN = {
    "cli/main.py:_unprinted": "needs an output with few letters",
    "cli/main.py:_refused 1": "needs an output that cannot be written to",
    "cli/main.py:_refused 2": "a guard: what is refused is told where it was asked for",
    "compiler/expressions/grammar.py:_parsed 2": "a guard: the bounds before it leave the parser nothing to refuse",
    "compiler/expressions/tokens.py:_unexpected 2": "a guard: no brace is found behind an open quote",
    "compiler/writing/python_text.py:mapping_to_python": "a guard: no value has a canonical text and no Python",
    "compiler/writing/saving.py:_lost": "a guard: no template is known that reads more back than was written",
    "errors.py:TypedcfgError.__init__": "pydantic's own words, for a class whose fields are right one by one",
    "identity/canonical.py:Members.refuse_repeated": "a guard: two fields of one name are refused in their class",
    "runner/environment.py:Environment._check_reached": "needs an attempt that was stopped; tests/runner shows it",
    "runner/environment.py:Environment.resume 2": "needs an attempt that was stopped; tests/runner shows it",
    "runner/environment.py:_attempted": "needs two processes, the first of which fails",
    "runner/joining.py:_shared": "needs two machines without a shared folder",
    "runner/launchers/group/meeting.py:_admit": "needs several processes",
    "records/json_text.py:read_json 1": "needs a file that goes between two looks",
    "runner/launchers/group/meeting.py:_connected": "needs several processes",
    "runner/launchers/group/meeting.py:_missing": "needs several processes",
    "runner/launchers/group/meeting.py:_opened": "needs several processes",
    "runner/launchers/group/meeting.py:lost": "needs several processes",
    "runner/launchers/group/meeting.py:raise_for": "needs several processes",
    "runner/launchers/slurm.py:Slurm.of_task 1": "needs a run from Python: the command line submits a job instead",
    "runner/launchers/slurm.py:Slurm.of_task 2": "needs a job of SLURM's",
    "runner/lightning/callbacks/agreement.py:Agreement.setup": "needs another launcher",
    "runner/lightning/export.py:_safetensors": "depends on what is installed",
    "runner/lightning/machine.py:check_accelerator": "depends on the machine: whether it has a GPU",
    "runner/lightning/sharded/shards.py:_load_plain": "needs a checkpoint of several processes",
    "runner/lightning/sharded/shards.py:_refusal": "needs a checkpoint of several processes",
    "runner/lightning/sharded/split.py:_check_complete": "needs a checkpoint of several processes",
    "runner/lightning/sharded/split.py:split": "needs a checkpoint of several processes",
    "runner/lightning/sharded/strategy.py:ShardedStrategy.load_checkpoint": "needs a checkpoint of several processes",
    "runner/lightning/worker.py:train": "needs a disk that is full at the last save",
    "runner/run_book.py:RunBook.attempt": "needs a record that is replaced while a training runs",
    "runner/run_book.py:RunBook.begun": "needs a record that is removed while a training runs",
    "runner/run_book.py:_check_there": "needs a folder that is moved while a training runs",
    "runner/run_book.py:_replaced": "needs a record that is replaced while a training runs",
    "runner/submission.py:_submitted": "needs SLURM, to refuse a job",
    "runner/submission.py:check_submittable 2": "depends on the machine: whether it has SLURM",
    "runner/preflight.py:check_started_once": "needs a process that torchrun started; tests/runner shows it",
    "runner/failure.py:problem_of 1": "needs several processes, one of which is killed",
    "runner/worker.py:_loaded": "needs a process that a launcher starts, and that starts the run again",
    "runner/recorded_config.py:rebuild": "a guard: a launcher hands on the class that began the run",
    "sources/yaml_mistakes.py:unprintable 1": "a guard: the parser complains of a character, and names none",
    "sources/yaml_value.py:read_value": "never told: the value's field says what is wrong with the text",
    "template/refusals.py:unknown_types 2": "depends on the version of Python: which types pydantic refuses",
}
"""Sites that no entry shows, each with the reason."""

_CHAPTER = re.compile(r"(?=^## )", re.MULTILINE)
_ENTRY = re.compile(r"(?=^### )", re.MULTILINE)
_BLOCK = re.compile(r"^```(?P<info>[a-z]+(?: error)?)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?:#|//) file: (?P<name>\S+)\n")
_PROMPT = re.compile(r"^\$ ", re.MULTILINE)
_VOLATILE = {
    r"\d{8}T\d{6}\.\d{6}Z": "20261121T052440.123456Z",
    r"\bprocess \d+ on \S+": "process 4242 on turing",
    r"(?<= on turing) since [\d-]+ [\d:]+ UTC": " since 2026-11-21 05:24:40 UTC",
    r"\bkill \d+": "kill 4242",
    # What depends on the versions of torch and git.
    r"(?<=^time    ).*": "0.1 s",
    r"(?<=train/)loss [\d.]+": "loss 0.25",
    r"instead of \d+": "instead of 16481",
    r"(?<=expected      )[0-9a-f]{64}$": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    r"(exits with \d+: fatal: ).*": r"\1.git/index: index file smaller than expected",
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


@pytest.fixture(scope="module")
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
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
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
        printed = run(command.removeprefix("$ "), folder).splitlines()
        yield "".join(f"{line.rstrip()}\n" for line in [command, *printed])


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

    assert {site.name for site in sites} - told == NOT_SHOWN.keys()
