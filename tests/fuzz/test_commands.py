"""No arguments make a command trace back: it ends with 0 to 3, and says what is wrong."""

import io
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attempts import attempt
from hypothesis import given
from hypothesis import strategies as st
from soup import KEYS, LONG, PIECES, SEEDS, SOUP, Params, mutated

from typedcfg.cli.main import call
from typedcfg.cli.verbs import HIDDEN, VERBS

READING = ["check", "show", "explain", "keys", "help", "schema"]
"""The commands that write nothing."""

APPS = ["fuzzed.py:App", "fuzzed:App", "fuzzed.py:Nope", "soup:Path", "nope.py:App", "fuzzed.yaml:App", ":", "a:b:c"]
WORDS = st.one_of(
    st.sampled_from(
        [f"--{option.lstrip('-')}" for verb in VERBS.values() for option in verb.options] + ["--help", "-h"]
    ),
    st.sampled_from(["--", "-", "--debug", "--format=json", "--format=yaml", "--format=markdown", "FUZZ__"]),
    st.sampled_from(
        ["fuzzed.yaml", "fuzzed.json", "fuzzed.toml", "fuzzed.env", ".", "..", "nope.yaml", "fuzzed.yaml/"]
    ),
    st.builds("{}={}".format, st.sampled_from(KEYS), SOUP | LONG),
    mutated(["layers[0].width=64", "optimizer={$replace: true, kind: sgd}", "--loader.batch_size=3", "~groups['a.b']"]),
    st.sampled_from([*KEYS, "layers[0].width", "groups['a.b']", "optimizer.lr"]),
    PIECES,
    SOUP,
)


@pytest.fixture(scope="module", autouse=True)
def _in_a_folder() -> Iterator[None]:
    path = [*sys.path]
    with TemporaryDirectory() as folder, chdir(folder):
        Path("fuzzed.env").write_text("PARAMS__SEED=3\n")
        Path("fuzzed.py").write_text("from soup import Params as App\n")
        for suffix, seeds in SEEDS.items():
            Path(f"fuzzed{suffix}").write_text(seeds[0])
        yield
    sys.path[:] = path
    sys.modules.pop("fuzzed", None)


def code_of(arguments: list[str], template: type[Params] | None = None, *, typed: str = "") -> int | None:
    """The exit code of a command, which prints what a terminal can show; none where --debug lets an error through."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors=errors) for errors in ("strict", "replace"))
    before, sys.stdin = sys.stdin, io.StringIO(typed)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            return attempt(lambda: call(arguments, template=template))
    finally:
        sys.stdin = before


def ends_well(code: int | None, arguments: list[str]) -> bool:
    """Whether an exit code is one of those that are promised."""
    return code in {0, 1, 2, 3} if code is not None else "--debug" in arguments


@given(verb=st.sampled_from(READING), words=st.lists(WORDS, max_size=5))
def test_no_arguments_of_a_script_crash(verb: str, words: list[str]) -> None:
    assert ends_well(code_of([verb, *words], Params), words)


@given(verb=st.sampled_from(READING), app=st.sampled_from(APPS) | SOUP, words=st.lists(WORDS, max_size=4))
def test_no_arguments_of_the_command_crash(verb: str, app: str, words: list[str]) -> None:
    assert ends_well(code_of([verb, app, *words]), [app, *words])


@given(words=st.lists(WORDS | SOUP, max_size=3))
def test_no_first_word_crashes(words: list[str]) -> None:
    if not words or words[0] not in {*VERBS, *HIDDEN}:
        assert ends_well(code_of(words), words)


@given(verb=st.sampled_from(READING), app=st.sampled_from(APPS), words=st.lists(WORDS, max_size=4))
def test_no_line_to_complete_crashes(verb: str, app: str, words: list[str]) -> None:
    line = ["typedcfg", verb, app, *words]

    assert code_of(["complete", "line"], typed=" ".join(line)) == 0
    assert code_of(["complete", "words"], typed="\0".join([*line, ""])) == 0
