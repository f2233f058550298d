"""Texts that nobody means: real ones with pieces changed, and pieces put together at random."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Gt
from hypothesis import strategies as st
from pydantic import SecretStr

from typedcfg import ConfigTemplate, NotInIdentity, derived, section


class Layer(ConfigTemplate):
    width: Annotated[int, Gt(0)] = 8
    act: str = "relu"
    double: int = derived(lambda c: c.width * 2)


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.9


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = derived(lambda c: c.root.loader.batch_size / 128 * 0.01)
    inner: Layer


class Loader(ConfigTemplate):
    batch_size: Annotated[int, Gt(0)] = 128
    workers: Annotated[int, NotInIdentity()] = 2


class Params(ConfigTemplate):
    """Something of every type that a text may have to become."""

    loader: Loader
    optimizer: AdamW | Sgd = section(AdamW)
    layers: list[Layer] = [Layer(), Layer(width=2)]
    groups: dict[str, Layer] = {"a.b": Layer(width=3)}
    option: Layer | None = None
    either: list[AdamW | Sgd] = []
    seed: int = 1
    lr: float = 0.1
    name: str = "run"
    flag: bool = True
    tags: set[str] = {"x"}
    rates: dict[str, float] = {"a": 0.5}
    counts: dict[int, int] = {}
    size: tuple[int, int] = (32, 32)
    mode: Literal["min", "max", 3] = "max"
    union: int | str | None = None
    price: Decimal = Decimal(1)
    since: date | None = None
    raw: bytes = b""
    path: Path = Path("data")
    any: Any = None
    token: SecretStr | None = None


# --- pieces ---------------------------------------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    return text.split()


KEYS = _words(
    "loader batch_size workers optimizer kind lr momentum inner layers width act double groups a.b option either seed "
    "name flag tags rates counts size mode union price since raw path any token root parent here"
)
VALUES = _words(
    "1 -1 0 012 1.5 1e-3 1e999 -.inf .nan NaN Infinity true False null ~ on no 0x1f 0o17 1_000 2026-11-21 12:30 sgd "
    "adamw max x data/x {} [] [1,2] {a:1} '' \"\""
)
SIGNS = _words(
    "= += -= ~ -- - : , . [ ] { } ( ) ' \" # & * ! | > ? % @ ` \\ / // ** < == $ $$ $replace $delete $extends $version "
    "$schema ${ ${loader.batch_size} $${ << *a &a !!str !!python/object/apply:os.system --- ... %YAML +"
)
WORDS = _words(
    "and or not if else in is lambda import yield await for None True __class__ __import__('os').system('false') "
    "open('canary','w') eval exec min( max( abs( round( floor( ceil( len( int( float( str( env( 'HOME' :="
)
ODD = [
    " ",
    "\n",
    "  ",
    "\n  ",
    "\n- ",
    "\t",
    "\r",
    "\0",
    "\x1b[31m",
    "\x85",
    "\u2028",
    "\ufeff",
    "\u202e",
    "\ufb01",
    "é",
]
ODD += ["\U0001f600", "\ud800", "\udcff", "１", "ａ", "\x7f", "\ufffe"]  # noqa: RUF001  # NFKC makes ASCII of the two

PIECES = st.one_of(
    st.sampled_from(KEYS),
    st.sampled_from(VALUES),
    st.sampled_from(SIGNS),
    st.sampled_from(WORDS),
    st.sampled_from(ODD),
    st.text(max_size=3),
    st.integers().map(str),
    st.floats().map(repr),
)


AROUND = [
    "[…]",
    "{a: …}",
    "(…)",
    '{"a":…}',
    "${…}",
    "1 if … else 0",
    "- …",
    "? …",
    "- - …",
    "a: &a …",
    "\n…",
    " …",
    "'…",
]
AROUND += ["a.…", "x.…", "[0]…", "-…", "not …", "!…", "$${…", "${seed}…", "1+…", "9…", "0.…1", "1e…9", "0x…f"]
LONG = st.builds(
    lambda around, count, middle: middle.join(part * count for part in around.split("…")),
    st.sampled_from(AROUND),
    st.sampled_from([2, 30, 190, 210, 1_000, 20_000]),
    st.sampled_from(["", "1", "seed"]),
)
"""Pieces that are many: levels, digits, signs."""

SOUP = st.lists(PIECES, max_size=20).flatmap(
    lambda pieces: st.sampled_from(["", " "]).map(lambda glue: glue.join(pieces))
)
"""Any text at all, of pieces that mean something somewhere."""


# --- real texts, changed --------------------------------------------------------------------------------------------

_TOP = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(yaml|json|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL)

ALL_THERE_IS = """\
$extends: part.yaml
loader: {$delete: [workers], batch_size: 0x40}
optimizer:
  $replace: true
  kind: adamw
  lr: "${root.loader.batch_size / 128 * 0.01}"
  inner: {$extends: wide.json, act: "bs-${parent.lr}-$${x}"}
layers: &many
- {$extends: wide.json}
- width: 3
groups: {"my-key": {width: "${layers[0].width}"}, b: {}}
option: ${layers[-1]}
either: [{kind: sgd, lr: .5}, {kind: adamw}]
seed: 7
rates: {$delete: a, x: 1e-3, y: .nan}
counts: {1: 2}
size: [1, 2]
tags: [p, "on"]
union: 0o17
price: 0.12345678901234567890
since: 2026-11-21
path: ./a/../b
any: {$$ref: [*many, null, {a: -.inf}]}
name: >-
  folded
  text
"""

IN_JSON = """\
{
  "$extends": ["part.yaml"],
  "seed": 3,
  "any": {"a": [1, 2.5e3, null, true, "\\ud83d\\ude00"]},
  "layers": [{"$extends": "wide.json", "width": 2}],
  "optimizer": {"$replace": true, "kind": "sgd"}
}
"""

IN_TOML = """\
"$extends" = "part.yaml"
seed = 3
since = 2026-01-31
any = [1, 2.5, {a = inf}]
[optimizer]
kind = "sgd"
lr = 1e-3
[[layers]]
"$extends" = "wide.json"
width = 2
"""

SEEDS = {
    ".yaml": [ALL_THERE_IS, *(path.read_text() for path in sorted(_TOP.glob("examples/*/*.yaml")))],
    ".json": [IN_JSON],
    ".toml": [IN_TOML],
}
"""Texts to begin with, by the suffix of their file: what the examples and the pages have."""

for _page in sorted(_TOP.glob("docs/**/*.md")):
    for _language, _text in _BLOCK.findall(_page.read_text()):
        SEEDS[f".{_language}"].append(_text)


@st.composite
def mutated(draw: st.DrawFn, seeds: Sequence[str]) -> str:
    """A real text in which a few pieces are left out, written twice, moved or replaced."""
    text = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        begin = draw(st.integers(0, len(text)))
        end = draw(st.integers(begin, min(len(text), begin + 30)))
        other = draw(st.integers(0, len(text)))
        piece = draw(
            PIECES
            | SOUP
            | LONG
            | st.sampled_from(["", 2 * text[begin:end], text[other : other + 30], f"[{text[begin:end]}]"])
        )
        text = text[:begin] + piece + text[end:]
    return text


@st.composite
def alias_bomb(draw: st.DrawFn) -> str:
    """Anchors, each of which names the one before it again and again."""
    lines = [f"a0: &a0 {draw(PIECES)}"]
    times = draw(st.integers(1, 12))
    for number in range(1, draw(st.integers(1, 40))):
        alias = f"*a{number - 1} "
        lines.append(f"a{number}: &a{number} [{', '.join([alias] * times)}]")
    bomb = "\n  ".join(lines)
    return f"any:\n  {bomb}\n" + draw(st.sampled_from(["", "layers: *a1\n", "name: *a3\n"]))


def texts(suffix: str) -> st.SearchStrategy[str]:
    """Texts for a file of a suffix."""
    return mutated(SEEDS[suffix]) | SOUP | LONG | st.builds("{}: {}".format, st.sampled_from(KEYS), SOUP | LONG)
