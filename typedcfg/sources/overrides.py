"""Overrides: settings as text, on a command line or in a list, `optimizer.lr=0.1`.

A token is an override if what precedes its first `=` is a key path, and a file otherwise. Messages show keys and never
values: a value may be a secret.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from typedcfg.errors import ConfigError, Problem
from typedcfg.key_path import KeyPath, KeyPathError, parse_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import MOST_LEVELS, Appended, Branch, Edit, Layer, Removed, Text, branch_at, branch_from
from typedcfg.sources.mapping import settings_in
from typedcfg.text import NO_SWEEPS, nearest, shorten

_FLAG: Final = "--"
_RESET: Final = "~"
_KEY_AND_SIGN: Final = re.compile(r"""(?:[^="']|"(?:[^"\\]|\\.)*"|'[^']*')*=""")
_FIRST_STEP: Final = re.compile(r"[^.\[]*")
_EDITS: Final[dict[str, type[Appended | Removed]]] = {"+": Appended, "-": Removed}
_EXPECTED: Final = "key=value, where a key is optimizer.lr, layers[2].width or groups['backbone.0'].lr"

Settled: TypeAlias = Callable[[KeyPath, object, str], object]


class OverrideSource:
    """Overrides as one layer: one voice, in which `optimizer=sgd optimizer.momentum=0.9` mean the same in any order.

    Each is a tree of its own, in the order written, because the last one wins. Values stay text: the type of their
    field says what they mean.
    """

    def __init__(self, strength: str, roots: Sequence[Branch], problems: Sequence[Problem] = ()) -> None:
        """Hold what was understood, and what was not, until it is read."""
        self.strength = strength
        self.roots = tuple(roots)
        self.problems = tuple(problems)

    def read(self) -> Iterator[Layer]:
        """One layer, or none where nothing is overridden.

        Raises:
            ConfigError: With a problem for each token that is no override.
        """
        if self.roots:
            yield Layer(self.strength, self.strength, self.roots)
        ConfigError.raise_any(self.problems)


def split_arguments(
    arguments: Sequence[tuple[int, str]], *, options: Collection[str] = ()
) -> tuple[list[tuple[str, Origin]], OverrideSource]:
    """The files among the arguments of a command, each with its place, and the overrides.

    Understood are `a.b=1`, `--a.b=1`, `--a.b 1`, `tags+=x` and `tags-=x`, which edit a list, and `~a.b`, which takes
    back what weaker layers and earlier arguments put there. A name with a folder in it may hold a `=` if there is such
    a file.

    Args:
        arguments: What a command has not taken for itself, each with its position on the command line.
        options: What may stand behind two dashes, without them: what one dash is answered with.

    Example:
        >>> files, overrides = split_arguments([(3, "base.yaml"), (4, "optimizer.lr=0.1"), (5, "--seed"), (6, "-1")])
        >>> [file for file, _ in files], overrides.roots
        (['base.yaml'], ({'optimizer': {'lr': '0.1'}}, {'seed': '-1'}))
        >>> str(overrides.roots[1].origins["seed"])
        'argument 5'
    """
    positions, words = [position for position, _ in arguments], [word for _, word in arguments]
    tokens = _Tokens(words, lambda number: Origin(f"argument {positions[number]}"), options)
    tokens.read()
    return tokens.files, OverrideSource("command line", tokens.roots, tokens.problems)


def override_source(overrides: Sequence[str] | Mapping[str, object], settled: Settled | None = None) -> OverrideSource:
    """The overrides that Python code passes: texts as on a command line, or values by key path.

    Args:
        overrides: Weakest first.
        settled: What makes settings of a value, given its key and where it stands; by default each section in it is
            what was set explicitly there.

    Example:
        >>> [layer] = override_source(["optimizer=sgd", "~seed"]).read()
        >>> layer.roots, str(layer.roots[0].origins["optimizer"])
        (({'optimizer': 'sgd'}, {'seed': <Edit.RESET: 'back to the default'>}), 'overrides[0]')
        >>> [layer] = override_source({"optimizer.lr": 0.1}).read()
        >>> layer.roots, str(layer.roots[0].origins["optimizer"])
        (({'optimizer': {'lr': 0.1}},), "overrides['optimizer.lr']")
    """
    if isinstance(overrides, Mapping):
        return _from_mapping(overrides, settled or _settled)
    tokens = _Tokens(overrides, lambda number: Origin(f"overrides[{number}]"))
    tokens.read()
    stray = [
        Problem(
            f"{shorten(file)!r} sets nothing", where=str(origin), expected=_EXPECTED, fix="pass files before overrides"
        )
        for file, origin in tokens.files
    ]
    return OverrideSource("overrides", tokens.roots, [*tokens.problems, *stray])


def _settled(_: KeyPath, value: object, where: str) -> object:
    return settings_in(value, where=where)


def _from_mapping(overrides: Mapping[str, object], settled: Settled) -> OverrideSource:
    roots: list[Branch] = []
    problems: list[Problem] = []
    for key, value in overrides.items():
        origin = Origin(f"overrides[{key!r}]")
        try:
            path = parse_key_path(key)
            setting = branch_from({"value": settled(path, value, str(origin))}, origin)["value"]
            roots.append(branch_at(path, setting, origin))
        except ConfigError as error:
            problems += error.problems
        except ValueError as error:  # no key path, or one that begins with a position
            problems.append(Problem(str(error), where=str(origin), expected="a key path"))
    return OverrideSource("overrides", roots, problems)


def covered(words: Iterable[str], is_secret: Callable[[KeyPath], bool], cover: str) -> list[str]:
    """The words of a command, with a cover in place of each value whose key is secret, however it is written.

    Example:
        >>> covered(["run", "lr=0.1", "token='it''s'", "--token", "hush"], lambda path: path == ("token",), "*")
        ['run', 'lr=0.1', 'token=*', '--token', '*']
    """
    found: list[str] = []
    is_value = False
    for word in words:
        if is_value:
            found.append(cover)
            is_value = False
            continue
        begin = len(_FLAG) if word.startswith(_FLAG) else 0
        end = _end_of_key(word) if "=" in word else len(word)
        try:
            sets_secret = is_secret(parse_key_path(word[begin:end].rstrip("".join(_EDITS))))
        except KeyPathError:
            sets_secret = False
        found.append(word[: end + 1] + cover if sets_secret and end < len(word) else word)
        is_value = sets_secret and begin > 0 and end == len(word)
    return found


class _Tokens:
    """Tokens from left to right; a flag takes the one after it."""

    def __init__(
        self, tokens: Sequence[str], origin_of: Callable[[int], Origin], options: Collection[str] = ()
    ) -> None:
        self.files: list[tuple[str, Origin]] = []
        self.roots: list[Branch] = []
        self.problems: list[Problem] = []
        self._tokens: Iterator[tuple[int, str]] = enumerate(tokens)
        self._all = tokens
        self._origin_of = origin_of
        self._options = options

    def read(self) -> None:
        for number, token in self._tokens:
            origin = self._origin_of(number)
            if token.startswith(_FLAG):
                self._read_flag(number, token, origin)
            elif token.startswith(_RESET):
                self._put(token, len(_RESET), len(token), Edit.RESET, origin)
            elif token.startswith("-"):
                head = token.partition("=")[0]
                near, fix = (None, NO_SWEEPS) if head == "-m" else (self._meant_with_two(head), "")
                self._complain(f"unknown option {shorten(head)!r}", origin, suggestion=near, fix=fix)
            elif "=" not in token or _is_file_in_a_folder(token):
                self.files.append((token, origin))
            else:
                self._read_assignment(token, 0, origin)

    def _meant_with_two(self, head: str) -> str | None:
        """The option that one dash was written before; None if there is none like it."""
        name = head.removeprefix("-")
        first = _FIRST_STEP.match(name)[0]  # type: ignore[index]  # it matches the empty text too
        near = nearest(first, self._options)
        return None if near is None else shorten(f"{_FLAG}{near}{name.removeprefix(first)}")

    def _read_flag(self, number: int, token: str, origin: Origin) -> None:
        if "=" in token:
            self._read_assignment(token, len(_FLAG), origin)
        elif number + 1 == len(self._all) or self._all[number + 1].startswith(_FLAG):
            self._complain(f"{shorten(token)!r} has no value", origin, fix=f"write {shorten(token)}=value")
        else:
            _, value = next(self._tokens)
            self._put(token, len(_FLAG), len(token), Text(value), origin)

    def _read_assignment(self, token: str, begin: int, origin: Origin) -> None:
        end = _end_of_key(token)
        key, text = token[begin:end], Text(token[end + 1 :])
        edit = _EDITS.get(key[-1:])
        if edit is None:
            self._put(token, begin, end, text, origin)
        else:
            self._put(token, begin, end - 1, edit(text), origin)

    def _put(self, token: str, begin: int, end: int, value: Text | Edit | Appended | Removed, origin: Origin) -> None:
        """Set what the text between two columns names."""
        column = 0
        try:
            path = parse_key_path(token[begin:end])
        except KeyPathError as error:
            column = error.column
        else:
            if len(path) > MOST_LEVELS:
                self._complain(f"{shorten(token[:end])!r} goes down more than {MOST_LEVELS} steps", origin)
                return
            if not isinstance(path[0], int):  # the whole configuration is no list
                self.roots.append(branch_at(path, value, origin))
                return
        if _is_file(token):
            self.files.append((token, origin))
        else:
            what = f"{shorten(token[:end])!r} is not a key path from column {begin + column + 1} on"
            self._complain(what, origin, fix=_meant(token[begin:end], column))

    def _complain(self, what: str, origin: Origin, *, suggestion: str | None = None, fix: str = "") -> None:
        self.problems.append(Problem(what, where=str(origin), expected=_EXPECTED, suggestion=suggestion, fix=fix))


def _meant(key: str, column: int) -> str:
    """How to write a key that other tools, or a shell without quotes, made of one."""
    if key.startswith("+"):
        return f"drop the {key[: len(key) - len(key.lstrip('+'))]}: every key is declared, and is set as it stands"
    opening = key.rfind("[", 0, column + 1)
    name = key[opening + 1 :].partition("]")[0]
    if opening < 0 or "]" not in key[opening:] or not name or name[0] in "\"'":
        return ""
    quoted = f'{key[:opening]}["{name}"]{key[opening:].partition("]")[2]}'
    return f"quote the name, and the whole argument again for a shell: '{shorten(quoted)}=...'"


def _is_file_in_a_folder(token: str) -> bool:
    head = token.partition("=")[0]
    return any(separator in head for separator in {"/", os.sep}) and _is_file(token)


def _is_file(token: str) -> bool:
    return os.path.isfile(token)  # noqa: PTH113  # any text has an answer; Path.is_file raises where one is too long


def _end_of_key(token: str) -> int:
    """Where the first `=` stands that no quoted key contains; the first of all where the quotes do not close."""
    match = _KEY_AND_SIGN.match(token)
    return match.end() - 1 if match else token.index("=")
