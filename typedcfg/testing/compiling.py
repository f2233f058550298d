"""Compiling in a test: from texts, without a file, a folder or a variable of the process."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from typedcfg.compiler.compile import compile_template
from typedcfg.compiler.config import Config
from typedcfg.compiler.expressions.variables import Variables
from typedcfg.errors import ConfigError, Problem
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch, Items, Layer, Positions, Source
from typedcfg.sources.environment import environment_sources
from typedcfg.sources.files import FileSource
from typedcfg.template.base import ConfigTemplate

T = TypeVar("T", bound=ConfigTemplate)


def compile_for_test(  # noqa: PLR0913  # the keywords of `compile`, which users know
    template: type[T],
    files: Mapping[str, str] | None = None,
    *,
    beside: Mapping[str, str] | None = None,
    overrides: Sequence[str] | Mapping[str, object] = (),
    presets: Sequence[Mapping[str, object] | ConfigTemplate] = (),
    env_prefix: str | None = None,
    environ: Mapping[str, str] | None = None,
    sources: Sequence[Source] = (),
) -> Config[T]:
    """What `Template.compile` makes of files that are given as texts.

    They are written to a folder that is gone afterwards; places name them as if it were the current one. The current
    folder and the environment of the process are neither touched nor read, by `env(...)` in an expression as little.

    Args:
        template: What is configured.
        files: The text of each file by its name, weakest first.
        beside: Files that stand there as well, to be extended.
        overrides: As for `compile`.
        presets: As for `compile`.
        env_prefix: As for `compile`; the variables are those of `environ`.
        environ: The environment, of which `env(...)` reads as well; empty by default.
        sources: As for `compile`.

    Raises:
        ConfigError: With every problem; `problems_of` returns them.
        ValueError: `environ` is given, and nothing has looked at it; or a file would lie outside of the folder.
        TypeError: `files` or `beside` is not a text for each name.

    Example:
        >>> class Params(ConfigTemplate):
        ...     epochs: int = 10
        >>> config = compile_for_test(Params, {"base.yaml": "epochs: 20"})
        >>> config.params.epochs, config.origin("epochs")
        (20, 'base.yaml:1:1')
    """
    variables = Variables(environ=environ or {})
    with TemporaryDirectory(prefix="typedcfg-test-") as name:
        folder = Path(name).resolve()
        _write(beside or {}, folder)
        _write(files or {}, folder)
        given: list[Source] = [_InFolder(FileSource([folder / file for file in files or {}]), folder)]
        if env_prefix is not None:
            given += environment_sources(template, env_prefix, environ=environ or {})
        config = compile_template(
            template, overrides=overrides, presets=presets, sources=[*given, *sources], variables=variables
        )
    if environ and env_prefix is None and not variables.read:
        raise ValueError("environ= is read by the names of variables, or by env(...): pass env_prefix= as well")
    return config


def problems_of(  # noqa: PLR0913  # as above
    template: type[ConfigTemplate],
    files: Mapping[str, str] | None = None,
    *,
    beside: Mapping[str, str] | None = None,
    overrides: Sequence[str] | Mapping[str, object] = (),
    presets: Sequence[Mapping[str, object] | ConfigTemplate] = (),
    env_prefix: str | None = None,
    environ: Mapping[str, str] | None = None,
    sources: Sequence[Source] = (),
) -> tuple[Problem, ...]:
    """What is wrong with the same arguments; empty where they compile.

    Example:
        >>> class Params(ConfigTemplate):
        ...     epochs: int = 10
        >>> [problem] = problems_of(Params, {"base.yaml": "epochs: many"})
        >>> problem.what, problem.where
        ("epochs = 'many' is wrong", 'base.yaml:1:1')
    """
    try:
        compile_for_test(
            template,
            files,
            beside=beside,
            overrides=overrides,
            presets=presets,
            env_prefix=env_prefix,
            environ=environ,
            sources=sources,
        )
    except ConfigError as error:
        return error.problems
    return ()


def _write(files: object, folder: Path) -> None:
    if not isinstance(files, Mapping) or not all(isinstance(text, str) for text in files.values()):
        raise TypeError(f'the text of each file is given by its name, {{"base.yaml": "epochs: 20"}}: got {files!r}')
    for name, text in files.items():
        file = Path(os.path.normpath(folder / name))
        if folder not in file.parents:
            raise ValueError(f"{name!r} would be written outside of the folder of the test: leave out what leads there")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


class _InFolder:
    """A source whose places name files as if its folder were the current one."""

    def __init__(self, source: Source, folder: Path) -> None:
        self.source = source
        self.above = f"{folder}/"

    def read(self) -> Iterator[Layer]:
        try:
            for layer in self.source.read():
                self._settle(layer)
                yield replace(layer, name=self._shorten(layer.name))
        except ConfigError as error:
            raise ConfigError(*map(self._settled, error.problems)) from None

    def _settle(self, layer: Layer) -> None:
        # What a YAML alias names is reached more than once.
        met: dict[int, object] = {}
        todo: list[object] = [*layer.roots]
        while todo:
            found = todo.pop()
            if not isinstance(found, (Branch, Items, Positions)) or id(found) in met:
                continue
            met[id(found)] = found
            found.origin = self._moved(found.origin)
            if isinstance(found, Items):
                found.origins = [self._moved(origin) for origin in found.origins]
                todo += found
            else:
                found.origins = {key: self._moved(origin) for key, origin in found.origins.items()}  # type: ignore[assignment]  # each its own kind of keys
                todo += found.values()

    def _moved(self, origin: Origin) -> Origin:
        return origin._replace(source=self._shorten(origin.source))

    def _settled(self, problem: Problem) -> Problem:
        return Problem(
            self._shorten(problem.what),
            self._shorten(problem.where),
            self._shorten(problem.expected),
            problem.suggestion and self._shorten(problem.suggestion),
            self._shorten(problem.fix),
        )

    def _shorten(self, text: str) -> str:
        return text.replace(self.above, "")
