"""Completing a command line: which word stands where, and what may follow what is typed of it."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from typedcfg.cli.completion.candidate import Candidate
from typedcfg.cli.verbs import EVERYWHERE, VERBS, VERSION, Option, Verb

if TYPE_CHECKING:
    from typedcfg.cli.completion.keys import Keys

_SETTING: Final = re.compile(r"(?P<key>(?:[^=\[]|\[[^\]]*\])*?)(?P<sign>[+-]?=)(?P<value>.*)", re.DOTALL)


def complete(words: Sequence[str]) -> list[Candidate]:
    """What may stand in the place of the last word.

    Args:
        words: The command line behind the program's name, up to the cursor; the last word is being typed, and may be
            empty.

    Example:
        >>> [candidate.text for candidate in complete(["expl"])]
        ['explain']
    """
    *before, word = words
    before = [one for one in before if one not in EVERYWHERE]
    if not before:
        choices = {**{name: verb.summary for name, verb in VERBS.items()}, **dict.fromkeys((*EVERYWHERE, VERSION), "")}
        found = (Candidate(text, about) for text, about in choices.items() if word or not text.startswith("-"))
        return _beginning(found, word)
    name, *rest = before
    return _beginning(_Line(name, VERBS[name], rest, word).candidates(), word) if name in VERBS else []


def _beginning(candidates: Iterable[Candidate], word: str) -> list[Candidate]:
    return [candidate for candidate in dict.fromkeys(candidates) if candidate.text.startswith(word)]


class _Line:
    """The words of one command."""

    def __init__(self, name: str, verb: Verb, words: Sequence[str], word: str) -> None:
        """Tell options from what stands in its place."""
        self.name = name
        self.verb = verb
        self.words = words
        self.word = word
        self.pending: Option | None = None
        """The option whose value is being typed."""
        self.placed: list[str] = []
        unread = iter(words)
        for given in unread:
            option = verb.options.get(given.partition("=")[0])
            if option is None:
                self.placed.append(given)
            elif option.value and "=" not in given and next(unread, None) is None:
                self.pending = option

    def candidates(self) -> Iterator[Candidate]:
        """What may stand in the place of the word."""
        flag, sign, value = self.word.partition("=")
        if self.pending is not None:
            yield from _of_option(self.pending, self.word)
        elif sign and flag in self.verb.options:
            for candidate in _of_option(self.verb.options[flag], value):
                yield Candidate(f"{flag}={candidate.text}", candidate.about)
        else:
            if self.word.startswith("-"):
                yield from (Candidate(flag, option.summary) for flag, option in self.verb.options.items())
                yield from map(Candidate, EVERYWHERE)
            yield from self._in_place()

    def _in_place(self) -> Iterator[Candidate]:
        """What the command's usage has at this position."""
        if "|" in self.verb.usage:
            yield from self._alternatives()
            return
        roles = [role.strip("[]") for role in self.verb.usage.removesuffix(" ...]").split()]
        position = len(self.placed)
        role = roles[min(position, len(roles) - 1)] if position < len(roles) or "FILES" in roles else ""
        if role == "APP":
            yield from _apps(self.word)
        elif role == "RUN":
            yield from _runs()
        elif role in ("A", "B"):
            yield from _settings_files(self.word)
            yield from _runs()
        elif role == "FILE":
            yield from _files(self.word)
        elif role == "CHECKPOINT":
            yield from _files(self.word, [".ckpt"])
        elif role == "KEY" and "FILES" not in self.verb.usage.partition("KEY]")[2]:
            yield from self._keys(end="")
        elif role:
            yield from self._settings(with_key=role == "KEY")

    def _alternatives(self) -> Iterator[Candidate]:
        """Of `ls [FOLDER] | show RUN`: the first words, then what follows the one that stands there."""
        for alternative in self.verb.usage.split(" | "):
            first, *roles = alternative.split()
            if not self.placed:
                yield Candidate(first)
            elif self.placed[0] == first and len(self.placed) <= len(roles):
                is_run = roles[len(self.placed) - 1] == "RUN"
                yield from _runs() if is_run else _files(self.word, folders_only=True)

    # --- what an APP is needed for ----------------------------------------------------------------------------------

    def _settings(self, *, with_key: bool) -> Iterator[Candidate]:
        """Files, and settings: `key=value`, `~key`, `--key=value`; a key alone where one may stand too."""
        yield from _settings_files(self.word)
        if not self.verb.usage.startswith("APP"):
            return
        given = self.placed[-1] if self.placed else ""
        if given.startswith("--") and "=" not in given:
            yield from self._values(given.removeprefix("--"), self.word, "")
            return
        lead = next((lead for lead in ("--", "~") if self.word.startswith(lead)), "")
        setting = _SETTING.fullmatch(self.word.removeprefix(lead))
        if setting:
            head = f"{lead}{setting['key']}{setting['sign']}"
            yield from self._values(setting["key"], setting["value"], head)
        else:
            yield from self._keys(lead, end="" if with_key or lead == "~" else "=")

    def _keys(self, lead: str = "", *, end: str) -> Iterator[Candidate]:
        for candidate in self._template_keys().keys(self.word.removeprefix(lead), end=end):
            yield Candidate(lead + candidate.text, candidate.about)

    def _values(self, key: str, start: str, head: str) -> Iterator[Candidate]:
        for candidate in self._template_keys().values(key, start):
            yield Candidate(head + candidate.text, candidate.about)

    def _template_keys(self) -> "Keys":
        """The keys of the APP on the line, with what stands on it so far."""
        from typedcfg.cli.commands.help import is_key
        from typedcfg.cli.completion.keys import Keys
        from typedcfg.cli.context import Context

        context = Context(self.name, list(enumerate(self.words, 2)), None, ())
        template = context.app().template
        if "KEY" in self.verb.usage and is_key(context.peek(), template):
            context.word("KEY")
        return Keys(template, context.sources(template))


def _of_option(option: Option, start: str) -> Iterator[Candidate]:
    """The values of an option."""
    if option.choices:
        yield from map(Candidate, option.choices)
    elif option.value in ("FILE", "FOLDER"):
        yield from _files(start, folders_only=option.value == "FOLDER")
    elif option.value == "APP":
        yield from _apps(start)


def _apps(start: str) -> Iterator[Candidate]:
    from typedcfg.cli.completion.files import apps

    return apps(start)


def _files(start: str, suffixes: Collection[str] | None = None, *, folders_only: bool = False) -> Iterator[Candidate]:
    from typedcfg.cli.completion.files import files

    return files(start, () if folders_only else suffixes)


def _settings_files(start: str) -> Iterator[Candidate]:
    from typedcfg.cli.completion.files import SETTINGS

    return _files(start, SETTINGS)


def _runs() -> Iterator[Candidate]:
    """The ids of the runs where runs lie by default, the newest first."""
    from typedcfg.runner.lookup import DEFAULT_ROOT, iter_runs

    if not DEFAULT_ROOT.is_dir():
        return
    for _, record in iter_runs(DEFAULT_ROOT):
        if record is not None:
            yield Candidate(record.identity.id, record.identity.name)
