"""Compile: the fixed order in which settings become a configuration.

read      each source gives layers of settings with their origins
migrate   what an older schema saved becomes what today's reads
shape     which keys there are: merge, choose variants, copy what is referred to as a whole
values    references, bare texts and formulas, by demand
validate  the whole tree, once
check     what a formula saw is what the configuration holds, and the result validates to itself

Problems are collected over all of it and raised together.
"""

import gc
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from types import NoneType
from typing import Final, TypeVar

from typedcfg.compiler.complaints import origin_of
from typedcfg.compiler.config import Config
from typedcfg.compiler.descent import Descent
from typedcfg.compiler.expressions.variables import Variables
from typedcfg.compiler.migrate import migrate
from typedcfg.compiler.precedence import SETTABLE, in_order
from typedcfg.compiler.shape import shape
from typedcfg.compiler.shown import quoted
from typedcfg.compiler.story import Story, resolutions_of
from typedcfg.compiler.validate import is_stable, validate
from typedcfg.compiler.values import Resolver
from typedcfg.errors import ConfigError, DeprecatedName, Problem
from typedcfg.key_path import render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import Layer, Source
from typedcfg.sources.instances import branch_from_instance
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.leaves import value_at
from typedcfg.text import nearest, one_of, shorten

T = TypeVar("T", bound=ConfigTemplate)

_INSTEAD_OF_A_LIST: Final = "pass each file as an argument of its own: compile(*files)"
_INSTEAD_OF_A_FILE: Final = (
    "pass settings as presets=[...], which files override, or as overrides={...}, which override files"
)
_MANY_BYTES: Final = 200_000
"""Files beyond this size are compiled with the cyclic collector held, which makes large loads slower than linear."""


def compile_template(  # noqa: PLR0913  # the keywords are what users learn
    template: type[T],
    files: Sequence[str | Path] = (),
    *,
    overrides: Sequence[str] | Mapping[str, object] = (),
    presets: Sequence[Mapping[str, object] | ConfigTemplate] = (),
    env_prefix: str | None = None,
    dotenv: str | Path | None = None,
    secrets_dir: str | Path | None = None,
    sources: Sequence[Source] = (),
    variables: Variables | None = None,
) -> Config[T]:
    """What `ConfigTemplate.compile` does: everything that is given becomes a source.

    `variables` are what expressions read by `env`; by default those of the process.
    """
    ConfigError.raise_any(_misplaced(files, overrides, presets, sources, env_prefix))
    given: list[Source] = []
    if presets:
        from typedcfg.compiler.drafts.assigned import AssignedSource

        given += [AssignedSource(template, f"presets[{i}]", preset) for i, preset in enumerate(presets)]
    if files:
        from typedcfg.sources.files import FileSource

        given.append(FileSource(files))
    if env_prefix is not None:
        from typedcfg.sources.environment import environment_sources

        given += environment_sources(template, env_prefix, dotenv=dotenv, secrets_dir=secrets_dir)
    elif dotenv is not None or secrets_dir is not None:
        raise ConfigError(
            Problem(
                "dotenv= and secrets_dir= are read by the names of variables, and no prefix is given",
                expected="env_prefix=, so that only the variables that are meant are read",
                fix=f'pass env_prefix="{template.__name__.upper()}__"',
            )
        )
    if overrides:
        given.append(_override_source(template, overrides))
    is_large = _size(files) > _MANY_BYTES
    return compile_sources(template, [*given, *sources], is_large=is_large, variables=variables)


def _override_source(template: type[ConfigTemplate], overrides: Sequence[str] | Mapping[str, object]) -> Source:
    from typedcfg.sources.overrides import override_source

    if not isinstance(overrides, Mapping):
        return override_source(overrides)
    from typedcfg.compiler.drafts.assigned import settings_at

    return override_source(overrides, lambda path, value, where: settings_at(template, path, value, where=where))


def _misplaced(
    files: Sequence[object], overrides: object, presets: object, sources: object, env_prefix: object
) -> Iterator[Problem]:
    """Arguments that stand in the wrong place, lack the list around them, or are of the wrong type."""
    for position, file in enumerate(files):
        if not isinstance(file, (str, PathLike)):
            yield Problem(
                f"argument {position + 1} of compile is no file but {_kind_of(file)}",
                expected="the path of a file",
                fix=_INSTEAD_OF_A_LIST if isinstance(file, (list, tuple)) else _INSTEAD_OF_A_FILE,
            )
    yield from _wrong_overrides(overrides)
    yield from _wrong_presets(presets)
    yield from _wrong_sources(sources)
    if not isinstance(env_prefix, (str, NoneType)):
        what = f"env_prefix= is {_kind_of(env_prefix)}, and a text is read"
        yield Problem(what, expected='what the names of variables begin with: env_prefix="DIGITS__"')


def _wrong_overrides(overrides: object) -> Iterator[Problem]:
    expected = "a list of key=value, or a mapping by key path"
    if isinstance(overrides, str):
        what = f"overrides={shorten(overrides)!r} is one text, and a list of texts is read"
        yield Problem(what, expected=expected, fix=f"overrides=[{shorten(overrides)!r}]")
    elif not isinstance(overrides, Iterable):
        yield Problem(f"overrides= is {_kind_of(overrides)}, and a list of texts is read", expected=expected)
    else:
        expected = "key paths" if isinstance(overrides, Mapping) else "texts, key=value"
        wrong = [key for key in overrides if not isinstance(key, str)]
        yield from (Problem(f"overrides= holds {key!r}, which is no text", expected=expected) for key in wrong)


def _wrong_presets(presets: object) -> Iterator[Problem]:
    if isinstance(presets, (str, Mapping, ConfigTemplate)) or not isinstance(presets, Iterable):
        what = f"presets= is {_kind_of(presets)}, and a list of such is read"
        yield Problem(what, expected="a list of mappings or sections, weakest first", fix="presets=[...]")
    else:
        for position, preset in enumerate(presets):
            if not isinstance(preset, (Mapping, ConfigTemplate)):
                fix = f"name a file first: compile({preset!r})" if isinstance(preset, (str, PathLike)) else ""
                yield Problem(f"presets[{position}] is {_kind_of(preset)}", expected="a mapping or a section", fix=fix)


def _wrong_sources(sources: object) -> Iterator[Problem]:
    if isinstance(sources, str) or not isinstance(sources, Iterable):
        yield Problem(f"sources= is {_kind_of(sources)}, and a list of sources is read", fix="sources=[...]")
        return
    for position, source in enumerate(sources):
        if not callable(getattr(source, "read", None)):
            yield Problem(f"sources[{position}] is {_kind_of(source)}, which has no read()", expected="a source")


def _kind_of(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    return f"a section, {type(value).__qualname__}(...)" if isinstance(value, ConfigTemplate) else type(value).__name__


def compile_instance(instance: T, *, store_description: bool = False) -> Config[T]:
    """What `ConfigTemplate.to_config` does: what was set in the instance is a preset."""
    origin = Origin(f"{type(instance).__qualname__}(...)")
    layer = Layer(str(origin), "presets", (branch_from_instance(instance, origin),))
    config = compile_layers(type(instance), [layer])
    if not store_description:
        return config
    from typedcfg.compiler.described import described

    return described(config)


def compile_sources(
    template: type[T], sources: Iterable[Source], *, is_large: bool = False, variables: Variables | None = None
) -> Config[T]:
    """A configuration from any sources.

    Raises:
        ConfigError: With every problem of every stage.
    """
    with _collector_held(is_large):
        layers: list[Layer] = []
        problems: list[Problem] = []
        for source in sources:
            try:
                # One by one: a source that fails in the end keeps what it has given so far.
                for layer in source.read():
                    if layer.strength in SETTABLE:
                        layers.append(layer)
                    else:
                        problems.append(_unknown_strength(layer))
            except ConfigError as error:
                problems += error.problems
        return compile_layers(template, in_order(layers), problems, variables=variables)


def _unknown_strength(layer: Layer) -> Problem:
    return Problem(
        f"the layer {layer.name!r} is of strength {shorten(repr(layer.strength))}, which is none",
        expected=one_of(SETTABLE),
        suggestion=nearest(str(layer.strength), SETTABLE),
    )


def compile_layers(
    template: type[T],
    layers: Sequence[Layer],
    problems: Iterable[Problem] = (),
    *,
    variables: Variables | None = None,
) -> Config[T]:
    """A configuration from layers, weakest first.

    Args:
        template: What is configured.
        layers: Everything that is set.
        problems: What was found wrong before, to be raised with the rest.
        variables: What expressions read of the environment; by default that of the process.

    Raises:
        ConfigError: With every problem.
    """
    problems = [*problems]
    layers = migrate(template, layers, problems)
    descent = Descent(template, layers, is_partial=bool(problems))
    found = shape(descent)
    variables = variables or Variables()
    resolver = Resolver(descent, found, variables)
    resolver.resolve()
    params = validate(descent, found.tree, unknown=frozenset(resolver.failed))
    problems += descent.problems
    if params is not None and not problems:
        problems += [*_changed_behind(descent, resolver, params), *is_stable(descent, params)]
    ConfigError.raise_any(problems)
    assert isinstance(params, template), "a tree that validates has no problems"
    for text in descent.warnings:
        warnings.warn(text, DeprecatedName, stacklevel=_levels_to_caller())
    story = Story(params, layers, variables)
    story.remember(descent, found.dropped, resolutions_of(found.slots, variables))
    return Config(params, story)


def _changed_behind(descent: Descent, resolver: Resolver, params: ConfigTemplate) -> Iterator[Problem]:
    """Values that a formula or reference saw otherwise than they turned out."""
    for path, (seen, *_) in resolver.reading.seen.items():
        final = value_at(params, path)
        if final != seen and not (final != final and seen != seen):  # noqa: PLR0124  # NaN is what differs from itself
            yield Problem(
                f"{render_key_path(path)} is {quoted(final)}, and a formula saw {quoted(seen)}",
                where=origin_of(descent, path),
                expected="a field validator that makes of one value always the same other",
                fix="let the validator look at its own value alone, and put what depends on others into derived(...)",
            )


def _levels_to_caller() -> int:
    """How far up the stack, seen from who asks, the code lies that compiles: a warning points there."""
    level, frame = 1, sys._getframe(1)  # noqa: SLF001  # warnings skips a package's own files from Python 3.12 on
    while frame.f_back is not None and (frame.f_globals.get("__package__") or "").partition(".")[0] == "typedcfg":
        level, frame = level + 1, frame.f_back
    return level


@contextmanager
def _collector_held(is_held: bool) -> Iterator[None]:  # noqa: FBT001  # a context that may do nothing
    """Keep the cyclic garbage collector from walking a growing tree again and again."""
    if not is_held or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _size(files: Sequence[str | Path]) -> int:
    """How many bytes the named files have; what they extend is not known yet, and what is missing counts nothing."""
    total = 0
    for file in files:
        with suppress(OSError, ValueError):  # the source of files tells what is wrong with it
            total += os.stat(file).st_size  # noqa: PTH116  # once a file, and half the cost
    return total


def load(template: type[T], path: str | Path) -> Config[T]:
    """What `ConfigTemplate.load` does: a file of values, all of them explicit."""
    return compile_template(template, [path])
