"""What a command is called with: its options, its APP, and the sources that the rest of its arguments name."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from typedcfg.cli.verbs import EVERYWHERE, VERBS, usage, verb_named
from typedcfg.compiler.compile import compile_sources
from typedcfg.compiler.config import Config
from typedcfg.errors import ConfigError, Problem
from typedcfg.origin import Origin
from typedcfg.sources.base import Source
from typedcfg.template.base import ConfigTemplate
from typedcfg.text import nearest, one_of

_THE_RUN: Final = Origin("the run")

Token = tuple[int, str]
"""An argument, and its position on the command line, counted from 1 behind the program's name."""


class UsageError(ConfigError):
    """A command is called with arguments that it does not understand."""


class App(NamedTuple):
    """The template that a command is about."""

    template: type[ConfigTemplate]
    reference: str
    """As the user named it, `path.py:Class`; empty for a script."""


class Context:
    """The arguments of one command, taken one after the other."""

    def __init__(
        self,
        verb: str,
        tokens: Sequence[Token],
        template: type[ConfigTemplate] | None,
        presets: tuple[Mapping[str, object] | ConfigTemplate, ...],
        *,
        program: str | None = None,
    ) -> None:
        """Take the command's own options out of everything behind the verb.

        Args:
            verb: The command.
            tokens: What follows it.
            template: The template of a script, which then has no APP.
            presets: The presets of a script.
            program: How the script is called, for messages.

        Raises:
            UsageError: An option lacks its value.
        """
        self.template = template
        self.options: dict[str, str] = {}
        """The command's own options that were given; one without a value is the empty text."""
        self._verb = verb
        self._presets = presets
        self._program = program
        self._tokens = self._without_options(tokens)

    @property
    def usage(self) -> str:
        """How the command is called."""
        return usage(self._verb, program=self._program)

    def _without_options(self, tokens: Sequence[Token]) -> list[Token]:
        options = verb_named(self._verb).options
        rest: list[Token] = []
        unread = iter(tokens)
        for position, token in unread:
            name, sign, value = token.partition("=")
            if name not in options:
                rest.append((position, token))
            elif not options[name].value:
                self.options[name] = ""
            elif sign:
                self.options[name] = value
            elif (following := next(unread, None)) is not None:
                self.options[name] = following[1]
            else:
                raise UsageError(Problem(f"{name} has no value", expected=f"{name} {options[name].value}"))
        return rest

    def choice(self, option: str) -> str:
        """An option's value; the first of its choices if it was not given.

        Raises:
            UsageError: It is none of them.
        """
        choices = verb_named(self._verb).options[option].choices
        value = self.options.get(option, choices[0])
        if value in choices:
            return value
        near = nearest(value, choices)
        raise UsageError(Problem(f"{option} has no choice {value!r}", expected=one_of(choices), suggestion=near))

    def app(self) -> App:
        """The template: the script's own, or the one that the next argument names.

        Raises:
            AppError: It cannot be loaded.
        """
        if self.template is not None:
            return App(self.template, "")
        from typedcfg.cli.app import load_app

        reference = self.word("APP")
        return App(load_app(reference), reference)

    def word(self, what: str) -> str:
        """The next argument.

        Raises:
            UsageError: There is none.
        """
        if not self._tokens or self._tokens[0][1].startswith("-"):
            self._refuse_misspelt(self._tokens[:1])
            raise UsageError(Problem(f"{what} is missing", expected=self.usage))
        return self._tokens.pop(0)[1]

    def has_more(self) -> bool:
        """Whether there are arguments left."""
        return bool(self._tokens)

    def origin(self) -> Origin:
        """Where the next argument stands."""
        return Origin(f"argument {self._tokens[0][0]}") if self._tokens else Origin("command line")

    def peek(self) -> str:
        """The next argument, left where it is; empty if there is none."""
        return self._tokens[0][1] if self._tokens else ""

    def has_sources(self) -> bool:
        """Whether files, settings or other sources are named, so that there is a configuration to tell of."""
        return self.has_more() or bool({"--dotenv", "--secrets-dir"} & self.options.keys())

    def finish(self) -> None:
        """Refuse what is left.

        Raises:
            UsageError: Something is.
        """
        if self._tokens:
            self._refuse_misspelt(self._tokens[:1])
            position, token = self._tokens[0]
            raise UsageError(Problem(f"{token!r} is not understood here", f"argument {position}", self.usage))

    def compile(
        self, template: type[ConfigTemplate], *, base: Sequence[str | Path] = (), asked: Origin = _THE_RUN
    ) -> Config[ConfigTemplate]:
        """The configuration that the rest of the arguments, the environment and the presets make.

        Args:
            template: What is configured.
            base: Files that are weaker than those among the arguments.
            asked: Who wants those.

        Raises:
            ConfigError: With everything wrong with it.
        """
        fields = template.__pydantic_fields__
        flags = [token for token in self._tokens if token[1].startswith("--")]
        self._refuse_misspelt([flag for flag in flags if _first_step(flag[1]) not in fields])
        return compile_sources(template, self.sources(template, base, asked=asked))

    def _known(self) -> list[str]:
        """The options that the command takes."""
        return [*verb_named(self._verb).options, *EVERYWHERE]

    def _refuse_misspelt(self, tokens: Sequence[Token]) -> None:
        """Refuse what was meant to be an option; left to itself it would be taken for a setting.

        Raises:
            UsageError: With every such token.
        """
        options = self._known()
        named = [(position, token.partition("=")[0]) for position, token in tokens if token.startswith("-")]
        problems = [
            Problem(f"there is no option {name}", f"argument {position}", suggestion=near)
            for position, name in named
            if not any(name in verb.options for verb in VERBS.values())
            # With two dashes it may be a key; with one it is nothing.
            if (near := nearest(name, options)) is not None or not name.startswith("--")
        ]
        problems += [
            Problem(f"{name} is no option of {self._verb}", f"argument {position}", fix=f"{one_of(verbs)} takes it")
            for position, name in named
            if (verbs := [verb for verb, known in VERBS.items() if name in known.options]) and name not in options
        ]
        if problems:
            raise UsageError(*problems)

    def prefix(self, template: type[ConfigTemplate]) -> str:
        """What variables begin with that set values."""
        return self.options.get("--env-prefix", default_prefix(template))

    def sources(
        self, template: type[ConfigTemplate], base: Sequence[str | Path] = (), *, asked: Origin = _THE_RUN
    ) -> list[Source]:
        """What the rest of the arguments names, and what is always read; nothing is read yet.

        Raises:
            ConfigError: The prefix of variables is none.
        """
        from typedcfg.sources.environment import environment_sources
        from typedcfg.sources.overrides import split_arguments

        sources: list[Source] = []
        if self._presets:
            from typedcfg.sources.mapping import MappingSource

            sources += [MappingSource(f"presets[{i}]", preset) for i, preset in enumerate(self._presets)]
        options = [option.removeprefix("--") for option in self._known()]
        files, overrides = split_arguments(self._tokens, options=[*options, *template.__pydantic_fields__])
        if base or files:
            from typedcfg.sources.files import FileSource

            paths = [*base, *(path for path, _ in files)]
            origins = [*(asked for _ in base), *(origin for _, origin in files)]
            sources.append(FileSource(paths, origins=origins))
        sources += environment_sources(
            template,
            self.prefix(template),
            dotenv=self.options.get("--dotenv"),
            secrets_dir=self.options.get("--secrets-dir"),
            origins=(Origin("--dotenv"), Origin("--secrets-dir")),
        )
        return [*sources, overrides]


def _first_step(token: str) -> str:
    """The field that a token would set: `loader` of `--loader.batch_size=3`."""
    found = re.match(r"-*(\w*)", token)
    return found[1] if found else ""


def default_prefix(template: type[ConfigTemplate]) -> str:
    """What variables begin with that set a template's values, unless the command line says otherwise.

    Two underscores, so that a variable of another program that begins with the same word is not taken for ours.

    Example:
        >>> class DigitsCnn(ConfigTemplate):
        ...     pass
        >>> default_prefix(DigitsCnn)
        'DIGITS_CNN__'
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", template.__name__)
    return f"{words.upper()}__"
