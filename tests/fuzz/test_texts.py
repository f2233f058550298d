"""No text, wherever it comes from, gives a traceback, hangs or runs anything; what does compile stays what it is."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from attempts import attempt
from hypothesis import example, given
from hypothesis import strategies as st
from soup import KEYS, LONG, PIECES, SEEDS, SOUP, VALUES, Params, alias_bomb, mutated, texts

from typedcfg import Config
from typedcfg.compiler.compile import compile_sources
from typedcfg.key_path import KeyPathError, parse_key_path, render_key_path
from typedcfg.sources.environment import environment_sources
from typedcfg.sources.overrides import split_arguments

BESIDE = {"part.yaml": "seed: 5\nloader: {batch_size: 32}\n", "wide.json": '{"width": 64}', "fuzzed.yaml": ""}


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Where the file is that a test writes again and again, beside those that it may extend."""
    with TemporaryDirectory() as path:
        for name, text in BESIDE.items():
            Path(path, name).write_text(text)
        yield Path(path)


def look_over(compile_it: Callable[[], Config[Any]], folder: Path) -> None:
    """Compile, ask all that one can ask, and read back what is written."""
    config = attempt(compile_it)
    if config is None:
        return
    assert attempt(lambda: [config.explain(), repr(config), *(config.explain(key) for key, _ in config.leaves())])
    for look in (lambda: config.diff(Params.compile()), config.to_python, lambda: config.to_yaml(origins=True)):
        attempt(look)
    written = attempt(config.to_yaml)
    if written is not None:
        file = folder / "written.yaml"
        file.write_text(written)
        # A secret is not written.
        read = Params.compile(file, overrides={"token": config["token"]})
        assert read == config
        assert read.fingerprint == config.fingerprint


@pytest.mark.parametrize("suffix", SEEDS)
@given(data=st.data())
def test_no_text_of_a_file_crashes(suffix: str, folder: Path, data: st.DataObject) -> None:
    file = folder / f"fuzzed{suffix}"
    file.write_bytes(data.draw(texts(suffix)).encode("utf-8", "surrogatepass"))

    look_over(lambda: Params.compile(file), folder)


@pytest.mark.parametrize("suffix", SEEDS)
@given(raw=st.binary(max_size=60), bom=st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"seed: 1\n"]))
def test_no_bytes_of_a_file_crash(suffix: str, folder: Path, raw: bytes, bom: bytes) -> None:
    file = folder / f"fuzzed{suffix}"
    file.write_bytes(bom + raw)

    look_over(lambda: Params.compile(file), folder)


@given(text=alias_bomb())
def test_no_aliases_of_aliases_hang(folder: Path, text: str) -> None:
    file = folder / "fuzzed.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))

    look_over(lambda: Params.compile(file), folder)


INSTRUCTIONS = st.fixed_dictionaries(
    {},
    optional={
        "$replace": st.booleans() | SOUP,
        "$delete": SOUP | st.lists(st.sampled_from(KEYS) | SOUP, max_size=3),
        "$extends": st.sampled_from([*BESIDE, "fuzzed.json", ".", "..", "/", "nope.yaml"]) | st.lists(SOUP, max_size=2),
        "$version": st.integers() | SOUP,
        "$$": SOUP,
        "kind": st.sampled_from(["sgd", "adamw"]) | SOUP,
        "width": st.integers() | SOUP,
    },
)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | SOUP | st.sampled_from(VALUES) | INSTRUCTIONS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KEYS) | SOUP, inner, max_size=3),
        st.tuples(INSTRUCTIONS, st.dictionaries(st.sampled_from(KEYS), inner, max_size=2)).map(
            lambda pair: {**pair[0], **pair[1]}
        ),
    ),
    max_leaves=8,
)
TOPS = st.dictionaries(st.sampled_from(list(Params.model_fields)), TREES, max_size=4) | INSTRUCTIONS


@given(tree=TOPS)
def test_no_tree_of_instructions_crashes(folder: Path, tree: dict[str, Any]) -> None:
    file = folder / "fuzzed.json"
    file.write_text(json.dumps(tree))

    look_over(lambda: Params.compile(file), folder)


TOKENS = st.one_of(
    st.builds("{}{}{}".format, st.sampled_from(KEYS), st.sampled_from(["=", "+=", "-="]), SOUP | LONG),
    st.builds("{}.{}={}".format, st.sampled_from(KEYS), st.sampled_from(KEYS), PIECES),
    st.builds("{}[{}]{}={}".format, st.sampled_from(KEYS), st.integers(-3, 3), st.sampled_from(["", ".width"]), PIECES),
    st.builds("~{}".format, st.sampled_from(KEYS) | SOUP),
    st.builds("{}={{{}: {}, {}}}".format, st.sampled_from(KEYS), PIECES, PIECES, SOUP),
    mutated(
        ["layers[2].width=64", "optimizer={$replace: true, kind: sgd}", "tags+=[x, y]", "--any", "groups['a.b']=1"]
    ),
    SOUP,
    LONG,
)


@given(tokens=st.lists(TOKENS, max_size=5))
def test_no_arguments_crash(folder: Path, tokens: list[str]) -> None:
    look_over(lambda: compile_sources(Params, [split_arguments(list(enumerate(tokens, 1)))[1]]), folder)


@given(tokens=st.lists(TOKENS, max_size=3), tree=TOPS)
def test_no_overrides_and_presets_in_code_crash(folder: Path, tokens: list[str], tree: dict[str, Any]) -> None:
    look_over(lambda: Params.compile(presets=[tree], overrides=tokens), folder)
    look_over(lambda: Params.compile(overrides=tree), folder)


EXPRESSIONS = st.builds("${{{}}}".format, SOUP | LONG) | mutated(
    ["${loader.batch_size / 128 * 0.01}", "${min(seed, lr) if flag else len(layers)}", "a ${name}-$${x} ${here['any']}"]
)


@given(texts=st.lists(EXPRESSIONS, min_size=1, max_size=4), keys=st.data())
def test_no_expressions_crash(folder: Path, texts: list[str], keys: st.DataObject) -> None:
    fields = keys.draw(st.lists(st.sampled_from(list(Params.model_fields)), min_size=4, max_size=4))

    look_over(lambda: Params.compile(presets=[dict(zip(fields, texts, strict=False))]), folder)


NAMES = st.lists(st.sampled_from(KEYS) | PIECES, max_size=4).map("__".join)
NAMES |= NAMES.map(str.upper)
VARIABLES = st.builds("FUZZ__{}{}{}\n".format, NAMES, st.sampled_from(["=", " = ", "", "='", '="']), SOUP | LONG)


@given(text=st.lists(VARIABLES | SOUP, max_size=4).map("".join))
def test_no_dotenv_crashes(folder: Path, text: str) -> None:
    file = folder / "fuzzed.env"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))

    look_over(lambda: Params.compile(env_prefix="FUZZ__", dotenv=file), folder)


@given(variables=st.dictionaries(NAMES.map("FUZZ__{}".format), SOUP | LONG, max_size=3))
def test_no_environment_crashes(folder: Path, variables: Mapping[str, str]) -> None:
    look_over(
        lambda: compile_sources(Params, environment_sources(Params, "FUZZ__", environ=variables)),
        folder,
    )


@given(text=SOUP | LONG)
def test_every_text_is_a_key_path_or_none(text: str) -> None:
    with suppress(KeyPathError):
        path = parse_key_path(text)
        assert parse_key_path(render_key_path(path)) == path
    config = Params.compile()
    attempt(lambda: config[text])
    attempt(lambda: config.explain(text))
    attempt(lambda: config.get(text))


@given(tree=TOPS, other=TOPS)
def test_no_values_without_a_schema_crash(tree: dict[str, Any], other: dict[str, Any]) -> None:
    config = attempt(lambda: Config.from_dict(tree))
    if config is not None:
        for look in (config.to_yaml, config.to_python, config.explain, config.plain, lambda: config.fingerprint):
            attempt(look)
        attempt(lambda: config.merge(other).diff(config))


@given(edits=st.lists(st.tuples(st.sampled_from(KEYS) | SOUP, TREES), max_size=4))
@example(edits=[("rates", {"$replace": False})])
def test_no_edits_of_a_draft_crash(folder: Path, edits: list[tuple[str, Any]]) -> None:
    draft = Params.compile().unlock()
    for key, value in edits:
        attempt(lambda key=key, value=value: draft.__setitem__(key, value))  # type: ignore[misc]
    look_over(draft.lock, folder)
