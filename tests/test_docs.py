"""The pages say what is so: their commands are run in order, and print what stands below them.

A page is read as a person would work through it. A ```yaml or ```python block that begins with `# file: name` is
written to that file, a ```console block runs what stands behind each `$`. A block marked ```console slow trains, or
asks for what was trained. Python sessions (`>>>`) are doctests, which pytest runs by itself.
"""

import doctest
import json
import re
import shutil
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from jsonschema import Draft202012Validator
from page_commands import run, run_in_a_shell

from typedcfg.sources.yaml_reader import read_yaml

ROOT = Path(__file__).parent.parent

_BLOCK = re.compile(r"^```(?P<info>[a-z]+(?: slow)?)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# file: (?P<name>\S+)\n")
_COMPILES = re.compile(r"typedcfg (?:check|explain|show|run) (?P<app>\S+:\w+) (?P<rest>[^|>]+)")
_PROMPT = re.compile(r"^\$ ", re.MULTILINE)


class Written(NamedTuple):
    """A file that the page tells its reader to write."""

    name: str
    text: str


class Command(NamedTuple):
    """A command that the page runs, and what it shows below it."""

    line: int
    text: str
    expected: str
    is_slow: bool


def steps(page: Path) -> Iterator[Written | Command]:
    """What a reader does, in the order of the page."""
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        language, _, mark = block["info"].partition(" ")
        if language == "console":
            line = text.count("\n", 0, block.start("body")) + 1
            yield from _commands(block["body"], line, is_slow=bool(mark))
        elif named := _FILE.match(block["body"]):
            yield Written(named["name"], block["body"])


def _commands(body: str, first_line: int, *, is_slow: bool) -> Iterator[Command]:
    starts = [match.start() for match in _PROMPT.finditer(body)]
    for start, end in pairwise([*starts, len(body)]):
        command, _, expected = body[start:end].partition("\n")
        yield Command(first_line + body.count("\n", 0, start), command.removeprefix("$ "), expected, is_slow)


def pages(*, with_training: bool) -> list[Path]:
    """The pages that have something to run, or something that trains nothing."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]
    commands = {page: [step for step in steps(page) if isinstance(step, Command)] for page in found}
    return [page for page in found if any(with_training or not command.is_slow for command in commands[page])]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def work_through(page: Path, folder: Path, *, with_training: bool) -> list[str]:
    """Do what a page says in an empty folder that holds the examples; where it showed something else.

    With what trains, all of it is done in a shell, as a reader does; without, as much as can be in this process.
    """
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns(".*", "__pycache__"))
    differences = []
    for step in steps(page):
        if isinstance(step, Written):
            (folder / step.name).parent.mkdir(parents=True, exist_ok=True)
            (folder / step.name).write_text(step.text, encoding="utf-8")
        elif with_training or not step.is_slow:
            shown = run_in_a_shell(step.text, folder) if with_training else run(step.text, folder)
            if not doctest.OutputChecker().check_output(step.expected, shown, doctest.ELLIPSIS):
                expected = step.expected or "nothing\n"
                differences.append(
                    f"{name_of(page)}:{step.line}: $ {step.text}\n--- expected\n{expected}--- got\n{shown}"
                )
    return differences


@pytest.mark.parametrize("page", pages(with_training=False), ids=name_of)
def test_commands_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    differences = work_through(page, tmp_path, with_training=False)

    assert not differences, "\n\n".join(differences)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", pages(with_training=True), ids=name_of)
def test_in_a_shell_all_commands_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    differences = work_through(page, tmp_path, with_training=True)

    assert not differences, "\n\n".join(differences)


def compiled_files(page: Path, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Each APP that a page asks about with files, and the files, where they compile; in the folder as it is then."""
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns(".*", "__pycache__"))
    seen: set[str] = set()
    for step in steps(page):
        if isinstance(step, Written):
            (folder / step.name).parent.mkdir(parents=True, exist_ok=True)
            (folder / step.name).write_text(step.text, encoding="utf-8")
            seen.clear()
        elif asked := _COMPILES.match(step.text):
            files = [word for word in asked["rest"].split() if word.endswith((".yaml", ".yml"))]
            check = f"typedcfg check {asked['app']} {' '.join(files)}"
            if files and check not in seen and " compiles, fingerprint " in run(check, folder):
                yield asked["app"], files
            seen.add(check)


@pytest.mark.parametrize(
    "page", [page for page in pages(with_training=False) if ".yaml" in page.read_text(encoding="utf-8")], ids=name_of
)
def test_files_that_compile_on_a_page_are_taken_by_the_schema(page: Path, tmp_path: Path) -> None:
    for app, files in compiled_files(page, tmp_path):
        schema = Draft202012Validator(json.loads(run(f"typedcfg schema {app}", tmp_path)))
        for file in files:
            written = read_yaml((tmp_path / file).read_text(encoding="utf-8"), file)
            if "$version" not in written:  # what another version has saved need not be of today's schema
                schema.validate(written)


def test_a_page_is_read_in_order(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```yaml\n# file: a.yaml\nlr: 1\n```\n\n```console\n$ one\n1\n$ two\n```\n\n```console slow\n$ three\n```\n"
    )

    assert list(steps(page)) == [
        Written("a.yaml", "# file: a.yaml\nlr: 1\n"),
        Command(7, "one", "1\n", is_slow=False),
        Command(9, "two", "", is_slow=False),
        Command(13, "three", "", is_slow=True),
    ]


def test_a_page_that_shows_something_else_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "examples").mkdir()
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one\ntwo\n$ echo any thing\nany ...\n```\n")

    [difference] = work_through(page, tmp_path / "folder", with_training=False)

    assert difference.startswith("page.md:2: $ echo one")
