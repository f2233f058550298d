"""Assigned: Python values as settings: presets, overrides by key, what is merged, what a draft is assigned.

One rule for all of them. A text means what it means in a file; what a configuration or a draft holds, frozen lists and
mappings of it too, are values, and so are the texts in it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from typedcfg.compiler.config import Config, told_by
from typedcfg.compiler.declared import declared_at, declared_below
from typedcfg.compiler.place import Place
from typedcfg.compiler.untyped import UntypedConfig, values_of
from typedcfg.errors import ConfigError, Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import MOST_LEVELS, REFERENCE_MARK, Layer, branch_from, endless
from typedcfg.sources.instances import explicit_settings, whole_section
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry
from typedcfg.template.frozen import FrozenDict, FrozenList
from typedcfg.template.nodes import LeafNode, ListNode, MapNode, Node, SectionNode, VariantsNode, sections_below
from typedcfg.template.variants import KIND
from typedcfg.text import one_of

_Declared: TypeAlias = Sequence[tuple[Node, Entry | None]]


class AssignedSource:
    """A preset of a template: a mapping, a section, or a configuration, of which what was set counts."""

    def __init__(
        self, template: type[ConfigTemplate], name: str, values: Mapping[str, object] | ConfigTemplate, at: KeyPath = ()
    ) -> None:
        """Hold the values, which are for the section `at` of the template; `name` is what origins call them."""
        self.template = template
        self.name = name
        self.values = values
        self.at = at

    def read(self) -> list[Layer]:
        """One layer.

        Raises:
            ConfigError: A section is where another one belongs, or a list or mapping holds itself.
        """
        settings = settings_at(self.template, self.at, self.values, where=self.name)
        return [Layer(self.name, "presets", (branch_from(settings, Origin(self.name)),))]


def settings_at(template: type[ConfigTemplate], path: KeyPath, value: Any, *, where: str) -> Any:
    """A Python value as settings for what stands at a key path.

    Of a section instance, and of a section of a configuration, what was set explicitly counts; in a free list or
    mapping, where no template would give the rest, all of it.

    Raises:
        ConfigError: A section is where another one belongs, or has formulas in a place that takes values only; or a
            list or mapping holds itself.
    """
    return _Settling(where).settle(declared_at(template, path), value, path, 0)


class _Settling:
    def __init__(self, where: str) -> None:
        self.where = where

    def settle(self, declared: _Declared, value: Any, path: KeyPath, depth: int) -> Any:
        if depth > MOST_LEVELS:
            raise endless(self.where)
        is_free = bool(declared) and all(isinstance(node, LeafNode) for node, _ in declared)
        if isinstance(value, UntypedConfig):
            return explicit_settings(values_of(value))
        if isinstance(value, (Config, ConfigTemplate)):
            return self.section(declared, value, path, is_free=is_free)
        if isinstance(value, (FrozenList, FrozenDict)):
            return explicit_settings(value, is_free=is_free, path=path)
        if isinstance(value, Mapping):
            return {
                key: self.settle(declared_below(declared, str(key)), item, (*path, str(key)), depth + 1)
                for key, item in value.items()
            }
        if isinstance(value, list) or (isinstance(value, tuple) and _is_written(value)):
            return [
                self.settle(declared_below(declared, position), item, (*path, position), depth + 1)
                for position, item in enumerate(value)
            ]
        return value

    def section(
        self, declared: _Declared, value: Config[Any] | ConfigTemplate, path: KeyPath, *, is_free: bool
    ) -> dict[Any, Any]:
        params: ConfigTemplate = value.params if isinstance(value, Config) else value
        try:
            if is_free:
                return whole_section(params, path)
            self.refuse_another(declared, params, path)
            if isinstance(value, Config):
                story, at = told_by(value)
                settings: dict[Any, Any] = _explicit(story.descent.place(at), params, path)
                return settings
            return explicit_settings(value, path=path)  # type: ignore[no-any-return]  # of a section, a mapping
        except ConfigError as error:
            raise ConfigError(*(_at(problem, self.where) for problem in error.problems)) from None

    def refuse_another(self, declared: _Declared, section: ConfigTemplate, path: KeyPath) -> None:
        """Refuse a section of a template that has nothing to do with the one that belongs at a place."""
        if not path or not declared:
            return
        wanted = {t: None for node, _ in declared for t in _taken_at(node)}
        given = type(section)
        if not any(issubclass(given, one) or issubclass(one, given) for one in wanted):
            name, names = given.__qualname__, [one.__qualname__ for one in wanted]
            what = (
                f"{render_key_path(path)} = {name}(...) is no {one_of(names)}"
                if names
                else (f"{render_key_path(path)} = {name}(...) is one section, and several belong there")
            )
            inner = [one.__qualname__ for node, _ in declared for one in sections_below(node)]
            expected = f"{one_of(names)}, or a mapping" if names else f"a list or mapping of {one_of(inner)}"
            raise ConfigError(Problem(what, expected=expected))


def _taken_at(node: Node) -> Sequence[type[ConfigTemplate]]:
    return list(sections_below(node)) if isinstance(node, (SectionNode, VariantsNode)) else []


def _at(problem: Problem, where: str) -> Problem:
    return Problem(problem.what, problem.where or where, problem.expected, problem.suggestion, problem.fix)


def _is_written(value: Any) -> bool:
    """Whether a tuple, or one within it, holds something that is yet to be worked out: then it is as good as a list."""
    if isinstance(value, str):
        return REFERENCE_MARK in value
    if isinstance(value, tuple):
        return any(map(_is_written, value))
    return isinstance(value, (Config, ConfigTemplate, Mapping, list))


def _explicit(place: Place | None, value: Any, path: KeyPath) -> Any:
    """What was set in a compiled section, by anybody; a reference has become its value."""
    if place is not None and isinstance(value, ConfigTemplate):
        settings = {KIND: place.kind} if place.kind is not None else {}
        for name in place.names():
            child = place.child(name)
            if name not in settings and child is not None and child.live:
                settings[name] = _explicit(child, getattr(value, name), (*path, name))
        return settings
    if place is not None and isinstance(place.node, ListNode) and isinstance(value, (list, tuple)):
        return [_explicit(place.child(at), item, (*path, at)) for at, item in enumerate(value)]
    if place is not None and isinstance(place.node, MapNode) and isinstance(value, dict):
        return {key: _explicit(place.child(str(key)), item, (*path, str(key))) for key, item in value.items()}
    return explicit_settings(value, is_free=place is not None and isinstance(place.node, LeafNode), path=path)
