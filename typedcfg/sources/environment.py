"""Settings from outside the command line: environment variables, dotenv files, a folder of secrets.

All three name keys in one way (see `variables`), and all refuse a name with the program's prefix that means nothing.
"""

import io
import os
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Final

from typedcfg.errors import ConfigError, Problem
from typedcfg.origin import Origin
from typedcfg.sources.base import Layer, Source
from typedcfg.sources.file_reader import read_text
from typedcfg.sources.variables import SEPARATOR, Variable, bears, variables_layer
from typedcfg.template.base import ConfigTemplate

_DOTENV: Final = Origin("dotenv=")
_SECRETS_DIR: Final = Origin("secrets_dir=")


def environment_sources(  # noqa: PLR0913  # who asked belongs to what was asked for
    template: type[ConfigTemplate],
    prefix: str,
    *,
    dotenv: str | PathLike[str] | None = None,
    secrets_dir: str | PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
    origins: tuple[Origin, Origin] = (_DOTENV, _SECRETS_DIR),
) -> list[Source]:
    """The sources that a prefix opens, weakest first: secrets, a dotenv file, the environment.

    Args:
        template: What the keys are looked up in.
        prefix: What the names of all variables begin with: `DIGITS__`.
        dotenv: A file of variables, if one is to be read.
        secrets_dir: A folder with a file for each value, if one is to be read.
        environ: The environment; by default that of this process.
        origins: Who asked for the file and for the folder, to be named where one cannot be read.

    Raises:
        ConfigError: The prefix does not end with two underscores.
    """
    if not prefix.endswith(SEPARATOR):
        what = f"the prefix {prefix!r} of variables does not end with {SEPARATOR}"
        expected = "two underscores after the name, so that what begins alike and belongs to others is not read"
        fix = f"write {prefix.rstrip('_') or template.__name__.upper()}{SEPARATOR}"
        raise ConfigError(Problem(what, expected=expected, fix=fix))
    sources: list[Source] = [EnvironmentSource(template, prefix, os.environ if environ is None else environ)]
    if dotenv is not None:
        sources.insert(0, DotenvSource(template, prefix, dotenv, asked=origins[0]))
    if secrets_dir is not None:
        sources.insert(0, SecretsSource(template, prefix, secrets_dir, asked=origins[1]))
    return sources


class EnvironmentSource:
    """Environment variables with a prefix.

    Example:
        >>> class Digits(ConfigTemplate):
        ...     T_max: int = 10
        >>> [layer] = EnvironmentSource(Digits, "DIGITS__", {"DIGITS__T_MAX": "20", "HOME": "/root"}).read()
        >>> layer.roots, str(layer.roots[0].origins["T_max"])
        (({'T_max': '20'},), 'variable DIGITS__T_MAX')
    """

    def __init__(self, template: type[ConfigTemplate], prefix: str, environ: Mapping[str, str]) -> None:
        """Hold what will be looked at; nothing is read yet."""
        self.template = template
        self.prefix = prefix
        self.environ = environ

    def read(self) -> Iterator[Layer]:
        """One layer, or none where no variable bears the prefix.

        Raises:
            ConfigError: With a problem for each variable that is not understood.
        """
        variables = (
            Variable(name, value, Origin(f"variable {name}"))
            for name, value in self.environ.items()
            if bears(self.prefix, name)
        )
        return variables_layer(self.template, self.prefix, variables, name="environment", strength="environment")


class DotenvSource:
    """Variables in a dotenv file, as python-dotenv parses it; lines without the prefix are not looked at.

    Understood are comments, quotes with escapes, values over several lines in quotes, and `export`. Nothing is
    expanded: `${...}` in a value is an expression, as it is everywhere else.
    """

    def __init__(
        self, template: type[ConfigTemplate], prefix: str, path: str | PathLike[str], *, asked: Origin = _DOTENV
    ) -> None:
        """Hold where to look, and who asked for it; nothing is read yet."""
        self.template = template
        self.prefix = prefix
        self.path = os.fspath(path)
        self.asked = asked

    def read(self) -> Iterator[Layer]:
        """One layer, or none where no line bears the prefix.

        Raises:
            ConfigError: The file cannot be read, or with a problem for each line that is not understood.
        """
        text = read_text(self.path, self.path, self.asked, suffixes=())
        problems: list[Problem] = []
        variables = list(self._variables(text, problems))
        try:
            yield from variables_layer(self.template, self.prefix, variables, name=self.path, strength="dotenv")
        except ConfigError as error:
            problems += error.problems
        ConfigError.raise_any(problems)

    def _variables(self, text: str, problems: list[Problem]) -> Iterator[Variable]:
        from dotenv.parser import parse_stream

        for binding in parse_stream(io.StringIO(text)):
            written = binding.original.string
            blank_lines = written[: len(written) - len(written.lstrip())].count("\n")
            origin = Origin(self.path, binding.original.line + blank_lines)
            name = binding.key or written.strip().removeprefix("export").strip().partition("=")[0].strip()
            if not bears(self.prefix, name):
                continue
            if binding.error:
                problems.append(
                    Problem(f"{name} cannot be read", where=str(origin), expected="NAME=value, quotes closed")
                )
            elif binding.value is None:
                problems.append(Problem(f"{name} has no value", where=str(origin), fix=f"write {name}=value"))
            else:
                yield Variable(name, binding.value, origin)


class SecretsSource:
    """Files in a folder, one value in each, as containers are handed secrets.

    A file is named as a variable is, prefix included; others belong to somebody else. One newline at the end is no
    part of the value.
    """

    def __init__(
        self, template: type[ConfigTemplate], prefix: str, folder: str | PathLike[str], *, asked: Origin = _SECRETS_DIR
    ) -> None:
        """Hold where to look, and who asked for it; nothing is read yet."""
        self.template = template
        self.prefix = prefix
        self.folder = os.fspath(folder)
        self.asked = asked

    def read(self) -> Iterator[Layer]:
        """One layer, or none where no file bears the prefix.

        Raises:
            ConfigError: There is no such folder, or with a problem for each file that is not understood.
        """
        try:
            names = sorted(os.listdir(self.folder))  # noqa: PTH208 - names are wanted, not paths
        except OSError as error:
            what = f"secrets folder {self.folder!r} cannot be read: {(error.strerror or str(error)).lower()}"
            raise ConfigError(Problem(what, where=str(self.asked), expected="a folder")) from error
        problems: list[Problem] = []
        variables = [
            variable for name in names if bears(self.prefix, name) for variable in self._variable(name, problems)
        ]
        try:
            yield from variables_layer(
                self.template, self.prefix, variables, name=self.folder, strength="secrets directory"
            )
        except ConfigError as error:
            problems += error.problems
        ConfigError.raise_any(problems)

    def _variable(self, name: str, problems: list[Problem]) -> Iterator[Variable]:
        path = Path(self.folder, name)
        try:
            value = path.read_bytes().decode()
        except OSError as error:
            what = f"{name} cannot be read: {(error.strerror or str(error)).lower()}"
            problems.append(Problem(what, where=str(path), expected="a file"))
        except UnicodeDecodeError:  # whose own words would show a part of the value
            problems.append(Problem(f"{name} is not UTF-8", where=str(path), fix="save the file as UTF-8"))
        else:
            yield Variable(name, value.removesuffix("\n").removesuffix("\r"), Origin(str(path)))
