"""Merged: two configurations as one, by stacking the layers of one upon the other's."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from typedcfg.compiler.compile import compile_layers
from typedcfg.compiler.config import Config, told_by
from typedcfg.compiler.drafts.assigned import AssignedSource
from typedcfg.compiler.drafts.caller import line_of_caller
from typedcfg.compiler.precedence import DEFAULTS, MERGED, MERGED_BELOW
from typedcfg.compiler.story import Story
from typedcfg.compiler.untyped import UntypedConfig
from typedcfg.errors import ConfigError, Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.sources.base import Branch, Layer, branch_at
from typedcfg.template.base import ConfigTemplate
from typedcfg.text import an

T = TypeVar("T", bound=ConfigTemplate)

_EXPECTED: Final = "a configuration, a mapping, or a section: Loader(batch_size=64)"


def merged(
    config: Config[T],
    other: Config[Any] | Mapping[str, object] | ConfigTemplate,
    *,
    keep_existing: bool = False,
    said_in: str = "",
) -> Config[T]:
    """What `Config.merge` does.

    Args:
        config: As there.
        other: As there.
        keep_existing: As there.
        said_in: Where a mapping or a section is told to come from; the line that calls if empty.

    Raises:
        ConfigError: The two do not fit together.
    """
    story, path = told_by(config)
    strength = MERGED_BELOW if keep_existing else MERGED
    theirs = [replace(layer, strength=strength) for layer in _layers(type(story.root), other, path, said_in)]
    layers = [*theirs, *story.layers] if keep_existing else [*story.layers, *theirs]
    whole: Config[Any] = compile_layers(type(story.root), layers, variables=story.variables.anew())
    found: Config[T] = whole[render_key_path(path)] if path else whole
    return found


def _layers(template: type[ConfigTemplate], other: object, path: KeyPath, said_in: str) -> Iterator[Layer]:
    """Everything that was set in another configuration, as what is said for a section."""
    if isinstance(other, Config) and not isinstance(other, UntypedConfig):
        story, above = told_by(other)
        if above:
            yield from _layers_within(story, above, path)
            return
        layers = list(story.layers)
    elif isinstance(other, (Mapping, ConfigTemplate)):
        layers = AssignedSource(template, said_in or str(line_of_caller()), other, path).read()
    else:
        what = f"{an(type(other).__name__)} cannot be merged with a configuration"
        raise ConfigError(Problem(what, str(line_of_caller()), _EXPECTED))
    for layer in layers:
        roots = tuple(_mounted(root, path) for root in layer.roots)
        yield replace(layer, roots=roots, top=(*path, *layer.top))


def _layers_within(story: Story, above: KeyPath, path: KeyPath) -> Iterator[Layer]:
    """What was set in one section of a configuration, a layer for each time that something was."""
    place = story.descent.place(above)
    assert place is not None, "a section of a configuration has a place"
    for contribution in place.live:
        root, top = contribution.value, contribution.top
        if contribution.layer.strength == DEFAULTS or not isinstance(root, Branch):
            continue
        if top[: len(above)] == above:
            # What was written within the section refers to the section, wherever that is put; all else to the whole.
            top = (*path, *top[len(above) :])
        root = _replacing(root) if contribution.replaces else root
        yield replace(contribution.layer, roots=(_mounted(root, path),), top=top)


def _mounted(root: Branch, path: KeyPath) -> Branch:
    return branch_at(path, root, root.origin) if path else root


def _replacing(branch: Branch) -> Branch:
    twin = Branch(branch.origin)
    for key, value in branch.items():
        twin.put(key, value, branch.origins[key])
    twin.replaces = True
    return twin
